"""Comparison of two runs on the same cases: whether a release is worse than the one before, for each behavior.

The verdicts of a release say whether it may ship. A comparison says whether it got worse, also where the old one
failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from vlcheck._util.files import followed
from vlcheck._util.installed import version_changes
from vlcheck._util.numbers import counted, verb
from vlcheck.errors import UsageError, argument, marked, parameter, printable
from vlcheck.results.evidence_columns import Claimed, EvidenceColumns
from vlcheck.results.file import Key, ResultLines, demand_judged, read
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.scales import differing, used
from vlcheck.results.terms import differing_terms
from vlcheck.results.unjudged import incomplete
from vlcheck.stats.decision import HOLLOW
from vlcheck.stats.multiple_testing import holm
from vlcheck.stats.paired import by_image, mcnemar, sign_flip

Outcome = Literal["worse", "better", "same", "not comparable"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)  # the most telling first

ALPHA = 0.05
FEWEST_PAIRED = 0.5
_ALL = f"Results of all images are accepted, without {parameter('sequential')}."
_EFFECT_DRAWS = 9_999  # permutations for the p-value of an effect, which decides nothing


@dataclass(frozen=True)
class Change:
    """A mean over the paired images in both runs.

    Attributes:
        old: the mean in the old run.
        new: the mean in the new run.
        p: p-value of the hypothesis that they do not differ.
    """

    old: float
    new: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The comparison of one behavior under one metric.

    Attributes:
        test: the test's id in the new run; in the old one if the new one does not have it.
        bias: the bias that it belongs to.
        behavior: the behavior's name.
        metric: the metric.
        verdict: the outcome.
        reason: why it is not comparable; "" if it is.
        lost: whether it passed or failed in the old run, was to be asked again, and has no verdict or a hollow one in
            the new run.
        about: the claim that a mean belongs to, if the behavior makes several.
        n: number of paired images.
        counted: number of images that count, in the run that has more of them.
        figure: the rate of violations, or the mean of the claim; its p is corrected over all rows (Holm).
        images_worse: number of images whose violating share rose; None for a mean.
        images_better: number of images whose violating share fell; None for a mean.
        effect: the change of the score, which decides nothing; None if a run did not keep it, or only one is
            calibrated.
    """

    test: str
    bias: str
    behavior: str
    metric: str
    verdict: Outcome
    reason: str = ""
    lost: bool = False
    about: str = ""
    n: int = 0
    counted: int = 0
    figure: Change | None = None
    images_worse: int | None = None
    images_better: int | None = None
    effect: Change | None = None

    @property
    def key(self) -> Key:
        """The test, behavior and metric, which identify a verdict in both runs."""
        return self.test, self.behavior, self.metric


@dataclass(frozen=True)
class Comparison:
    """The comparison of two runs.

    Attributes:
        old: the first line of the old run's results.
        new: the first line of the new run's results.
        rows: a row for each behavior and metric of either run.
        scales: messages about operating scales that differ; each run's effects are on its own scale.
        versions: messages about versions that differ, of packages that both runs name.
        incomplete: a message for each run in which tests have no verdict.
    """

    old: RunRecord
    new: RunRecord
    rows: tuple[Compared, ...]
    scales: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()

    def which(self, verdict: Outcome) -> list[Compared]:
        """Return the rows of one outcome."""
        return [row for row in self.rows if row.verdict == verdict]

    @property
    def comparable(self) -> bool:
        """True if anything could be compared."""
        return len(self.which("not comparable")) < len(self.rows)

    @property
    def accepted(self) -> bool:
        """True if something could be compared, and nothing is worse or lost."""
        return self.comparable and not self.which("worse") and not self.lost

    @property
    def lost(self) -> list[Compared]:
        """The rows that passed or failed in the old run, and have no verdict or a hollow one in the new run."""
        return [row for row in self.rows if row.lost]

    def of_asked(self, tests: Collection[str]) -> Comparison:
        """Return the comparison of those tests alone, for a new run that selected a part of the suite."""
        return replace(self, rows=tuple(row for row in self.rows if row.test in tests))


@dataclass(frozen=True)
class _Pairs:
    """The evidence of the same questions in both runs.

    Attributes:
        old: the rows of the old run.
        new: those of the new run.
        at_old: the place of the old row of each pair: (n,).
        at_new: the place of the new row: (n,).
    """

    old: EvidenceColumns
    new: EvidenceColumns
    at_old: NDArray[np.intp]
    at_new: NDArray[np.intp]

    @classmethod
    def of(cls, old: EvidenceColumns, new: EvidenceColumns) -> _Pairs:
        """Pair the rows of two runs."""
        return cls(old, new, *old.paired(new))

    def __len__(self) -> int:
        return len(self.at_new)

    @property
    def violates(self) -> NDArray[np.float64]:
        """The violating share of each image in both runs: (images, 2)."""
        both = self.old.violates[self.at_old], self.new.violates[self.at_new]
        return by_image(self.new.images[self.at_new], *(one.astype(np.float64) for one in both))

    def means(self, old: Claimed, new: Claimed) -> NDArray[np.float64]:
        """Return the means of each image, over the pairs that have both values: (images, 2).

        Args:
            old: values of the rows of the old run.
            new: values of those of the new run.
        """
        there = old.there[self.at_old] & new.there[self.at_new]
        at_old, at_new = self.at_old[there], self.at_new[there]
        return by_image(self.new.images[at_new], old.values[at_old], new.values[at_new])


def read_compared(path: Path) -> ResultLines:
    """Read the results of a run to be compared. Raises UsageError naming the file and the line."""
    results = read(path)
    demand_comparable(results, path)
    return results


def demand_comparable(results: ResultLines, name: str | Path) -> None:
    """Raise UsageError if a run cannot be compared with another one.

    Args:
        results: the results of the run.
        name: the file or parameter that gives them, for the message.
    """
    demand_judged(results, name)
    if results.changed:
        raise UsageError(
            f"{name}: holds verdicts on more than one model. {printable(results.changed)} The results of a run of"
            " one model are accepted."
        )
    if results.run.sequential:
        raise UsageError(f"{name}: is of a sequential run, which stops early depending on its results. {_ALL}")


def read_baseline(path: Path, *results: Path) -> ResultLines:
    """Read the results that a run is to be compared with.

    Args:
        path: the baseline.
        results: files that the run's own results may be written to. They must not replace the baseline: a worse release
            would become the standard of the next one.

    Raises:
        UsageError: the baseline cannot be used; the message names it.
    """
    if followed(path) in map(followed, results):
        raise UsageError(
            f"{argument('baseline', path)}: is where the results go ({parameter('results')}), which would replace it."
        )
    try:
        return read_compared(path)
    except UsageError as error:
        raise UsageError(argument("baseline", marked(error))) from error


def compare_runs(old: ResultLines, new: ResultLines, alpha: float = ALPHA) -> Comparison:
    """Compare two runs: for each behavior and metric, whether the new one is worse.

    A rate is *worse* if more images are worse than better, and p is at most alpha: McNemar's test on the paired images,
    corrected over all rows that are comparable (Holm). A mean is worse if the new one is outside its band and farther
    out than the old one, and a sign-flip test on the paired images shows the change. *Better* is the opposite, *same*
    the rest.

    Args:
        old: the results of the earlier release.
        new: the results of the later release.
        alpha: the largest share of comparisons of equal models in which anything is found to differ, in (0, 1).

    Returns:
        The comparison.
    """
    olds, news = _by_name(old, new), _by_name(new, old)
    rows = [_compared(old, olds.get(name), new, news.get(name), alpha) for name in dict.fromkeys([*news, *olds])]
    scales = differing(old.verdicts.values(), new.verdicts.values())
    versions = map(printable, version_changes(old.run.versions, new.run.versions))
    lacking = ((which, incomplete(run)) for which, run in (("old", old), ("new", new)))
    unjudged = tuple(f"{which} run: {said.removesuffix('.')}" for which, said in lacking if said)
    return Comparison(old.run, new.run, tuple(_corrected(rows, alpha)), tuple(scales), tuple(versions), unjudged)


def compare_run(baseline: ResultLines, run: ResultLines) -> Comparison:
    """Compare a run with a baseline; tests that the run did not select are not lost.

    Args:
        baseline: the results of the earlier release.
        run: the results of the run.
    """
    found = compare_runs(baseline, run)
    return found if run.run.complete else found.of_asked({test for test, _, _ in run.verdicts})


def _by_name(results: ResultLines, others: ResultLines) -> Mapping[Key, Key]:
    """Return the verdicts' keys by behavior and metric, and by the test if either run has several of these.

    Test ids are not compared otherwise: they depend on the folder in which pytest was started.
    """
    counts = [Counter(key[1:] for key in run.verdicts) for run in (results, others)]
    return {(key[0] if max(count[key[1:]] for count in counts) > 1 else "", *key[1:]): key for key in results.verdicts}


def _compared(old: ResultLines, old_key: Key | None, new: ResultLines, new_key: Key | None, alpha: float) -> Compared:
    """Return a row with the outcome that its p, which is not corrected yet, may confirm."""
    if old_key is None:
        alone = _unmeasured(new.verdicts[cast("Key", new_key)])
        return replace(alone, reason=_alone(old, alone, in_old=False))
    if new_key is None:
        alone = _unmeasured(old.verdicts[old_key])
        lost = old.verdicts[old_key].decided and not _names(new.run.unasked, alone)
        return replace(alone, reason=_alone(new, alone, in_old=True), lost=lost)
    before, after = old.verdicts[old_key], new.verdicts[new_key]
    row = _unmeasured(after)
    reason = next(_unlike(before, after), "")
    if reason:
        return replace(row, reason=reason, lost=before.decided and after.status in HOLLOW)
    olds, news = EvidenceColumns(old.each_row(old_key)), EvidenceColumns(new.each_row(new_key))
    pairs = _Pairs.of(olds, news)
    reason = _other_data(olds, news, len(pairs))
    if reason:
        return replace(row, reason=reason)
    counted = max(len(np.unique(one.images)) for one in (olds, news))
    paired = len(np.unique(news.images[pairs.at_new]))
    alike = used(before.scale) == used(after.scale)
    row = replace(row, verdict="same", n=paired, counted=counted, effect=_effect(pairs) if alike else None)
    return _mean(row, pairs, after.band, alpha) if after.claim == "mean" and after.band else _rate(row, pairs)


def _alone(other: ResultLines, row: Compared, *, in_old: bool) -> str:
    """Return the reason why only one run has a verdict."""
    here, there = ("old", "new") if in_old else ("new", "old")
    if _names(other.run.unjudged, row):
        return f"without a verdict in the {there} run"
    if _names(other.run.unasked, row):
        return f"of an explanation that the {there} run did not ask for"
    return f"asked in the {here} run only"


def _names(tests: Iterable[str], row: Compared) -> bool:
    """Return True if a row's test is among some tests, in whichever folder pytest was started."""
    name = row.test.rpartition("::")[2]
    return any(test.rpartition("::")[2] == name for test in tests)


def _unmeasured(verdict: VerdictRecord) -> Compared:
    return Compared(
        test=verdict.test,
        bias=verdict.bias,
        behavior=verdict.behavior,
        metric=verdict.metric,
        verdict="not comparable",
    )


def _unlike(old: VerdictRecord, new: VerdictRecord) -> Iterator[str]:
    """Yield the reasons why two verdicts cannot be compared, whatever their evidence."""
    for term in differing_terms(old, new):
        yield term.said("in the old run", "in the new one")
    if new.claim == "mean" and not (old.band and new.band):
        yield "a mean without a band"
    hollow = [
        f"{one.status} in the {which} run: {one.reason}"
        for which, one in (("old", old), ("new", new))
        if one.status in HOLLOW
    ]
    if hollow:
        yield "; ".join(hollow)


def _other_data(old: EvidenceColumns, new: EvidenceColumns, paired: int) -> str:
    """Return the reason why the runs have too little in common; "" if they have enough."""
    if not paired and not old.shares_a_case(new):
        return "other data: no case in common"
    if paired < FEWEST_PAIRED * max(len(old), len(new)):
        return (
            f"other data: {paired:,} of the {counted(len(old), 'row')} that {verb(len(old), 'counts', 'count')} in"
            f" the old run, and of {len(new):,} in the new one"
        )
    return ""


def _rate(row: Compared, pairs: _Pairs) -> Compared:
    """Compare violations: the number of images whose violating share rose with the number of those where it fell."""
    shares = pairs.violates
    old, new = shares.mean(axis=0).tolist()
    worse, better = int((shares[:, 1] > shares[:, 0]).sum()), int((shares[:, 1] < shares[:, 0]).sum())
    return replace(
        row,
        verdict=_direction(better, worse),
        figure=Change(old, new, mcnemar(worse, better)),
        images_worse=worse,
        images_better=better,
    )


def _mean(row: Compared, pairs: _Pairs, band: Sequence[float], alpha: float) -> Compared:
    """Compare means: the row of the claim whose mean changed most significantly; a worse one takes precedence.

    A change may be found in several places, so each p is multiplied by the number of claims (Bonferroni).
    """
    shared = sorted(pairs.old.claims & pairs.new.claims)
    claims = [claim for claim in shared if len(_means(pairs, claim))]
    if not claims:
        return replace(row, verdict="not comparable", reason="nothing that is claimed about is in both runs")

    def urgency(found: Compared) -> tuple[bool, float, float]:
        figure = found.figure or Change(0.0, 0.0, 1.0)
        alarms = found.verdict == "worse" and figure.p <= alpha
        return alarms, -figure.p, abs(figure.new - figure.old)

    return max((_claimed(row, pairs, claim, band, len(claims)) for claim in claims), key=urgency)


def _means(pairs: _Pairs, claim: str) -> NDArray[np.float64]:
    return pairs.means(pairs.old.claimed(claim), pairs.new.claimed(claim))


def _claimed(row: Compared, pairs: _Pairs, claim: str, band: Sequence[float], claims: int) -> Compared:
    means = _means(pairs, claim)
    old, new = means.mean(axis=0).tolist()
    verdict = _direction(_outside(old, band), _outside(new, band))
    p = min(1.0, claims * sign_flip(means[:, 1] - means[:, 0])) if verdict != "same" else 1.0
    return replace(row, verdict=verdict, figure=Change(old, new, p), about=claim, n=len(means))


def _outside(mean: float, band: Sequence[float]) -> float:
    """Return the distance of a mean from its band, 0 inside."""
    low, high = band
    return max(low - mean, mean - high, 0.0)


def _direction(old: float, new: float) -> Outcome:
    """Return the outcome for two figures of which the lower is better."""
    return "same" if new == old else "worse" if new > old else "better"


def _effect(pairs: _Pairs) -> Change | None:
    means = pairs.means(pairs.old.effects, pairs.new.effects)
    if not len(means):
        return None
    old, new = means.mean(axis=0).tolist()
    return Change(old, new, sign_flip(means[:, 1] - means[:, 0], draws=_EFFECT_DRAWS))


def _corrected(rows: Sequence[Compared], alpha: float) -> Iterator[Compared]:
    """Yield the rows with their corrected p, and the outcomes that it confirms."""
    corrected = iter(holm([row.figure.p for row in rows if row.figure]))
    for row in rows:
        if row.figure is None:
            yield row
            continue
        p = next(corrected)
        yield replace(row, figure=replace(row.figure, p=p), verdict=row.verdict if p <= alpha else "same")
