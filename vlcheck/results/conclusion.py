"""What a run comes to: its verdicts by bias and metric, that in a sentence, and what the sentence leaves out.

Terminal, page, card and Markdown all say this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vlcheck._util.numbers import counted
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.results.comparison import Compared, Comparison
from vlcheck.results.file import ResultLines
from vlcheck.results.records import ExcuseRecord, KnownBias, RunRecord, VerdictRecord
from vlcheck.results.unjudged import Unjudged, has, incomplete, is_ended, unjudged
from vlcheck.stats.decision import BY_GRAVITY, DECIDED, NOT_ASKED, OF_A_BIAS
from vlcheck.suite.shipped import BIASES

Tone = Literal["fail", "excused", "invalid", "inconclusive", "pass", "partial"]

NO_VERDICT = "no verdict"  # where tests were selected, and nothing else is graver
_STATUSES = (*BY_GRAVITY[:3], NO_VERDICT, *BY_GRAVITY[3:])
_CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "no cases": "no cases in this data",
        "one image": "one image alone",
        "unknown": "knows too few cases",
        "unlikely": "answers say nothing",
        "constant": "answers say nothing",
        "not finite": "answers say nothing",
        "refused": "refuses too many cases",
        "errors": "could not be scored",
    }
)
_OF_THE_DATA = ("no cases", "one image")  # causes that say nothing of the model
_UNSOUND = ("errors", "not finite", "refused")  # causes that say nothing of what it knows
_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "neither good nor bad",
        "inconclusive": "too few images to tell",
        NOT_ASKED: "fewer images than a pass needs",
    }
)
_MOST_NAMED = 5  # tests
NOTHING_DECIDED = "Nothing was decided: this run says nothing of the model."


@dataclass(frozen=True)
class Standing:
    """Some tests together: those of a bias, or of a bias under a metric.

    Attributes:
        verdicts: the gravest first.
        unjudged: how many tests have none; one at least where there is no verdict.
    """

    verdicts: tuple[VerdictRecord, ...]
    unjudged: int = 0

    @property
    def status(self) -> str:
        """The gravest; over a test without a verdict nothing passes."""
        gravest = str(self.verdicts[0].status) if self.verdicts else NO_VERDICT
        return NO_VERDICT if self.unjudged and gravest in ("pass", NOT_ASKED) else gravest

    @property
    def known(self) -> bool:
        """Whether the policy lets all that fails be."""
        return bool(self.verdicts) and is_known(self.verdicts[0])

    @property
    def excused(self) -> str:
        """Until when all that fails is let be, in brackets; "" where something is not."""
        if not self.known:
            return ""
        days = sorted({str(verdict.known.until) for verdict in self.verdicts if verdict.known and is_known(verdict)})
        return f" (known, excused until {' and '.join(days)})"

    @property
    def said(self) -> str:
        """The status, of an invalid one its cause; and what else there is to know of it."""
        status, beside = self.status, list(self._beside())
        if status == "invalid" and (causes := causes_of(self.verdicts)):
            status = f"invalid: {', '.join(causes)}"
        return f"{status} ({'; '.join(beside)})" if beside else status

    def _beside(self) -> Iterator[str]:
        """Whether the policy knows it; how many tests were not asked, or have no verdict."""
        idle = sum(verdict.status == NOT_ASKED for verdict in self.verdicts)
        if self.known:
            yield "known" if self.status == "fail" else "known, excused"
        if self.status == "pass" and idle:
            yield f"{idle} not asked"
        if self.status == NO_VERDICT and self.verdicts:
            yield f"{self.unjudged} of {len(self.verdicts) + self.unjudged}"
        elif self.verdicts and self.unjudged:
            yield f"{self.unjudged} without a verdict"

    @property
    def failing(self) -> tuple[VerdictRecord, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.status == "fail")


@dataclass(frozen=True)
class Matrix:
    """Biases by metrics.

    Attributes:
        metrics: mlm and itm, then whatever else was asked.
        biases: by name, the gravest first; also those of which nothing was judged, though tests were selected.
        cells: by bias and metric; a metric that a bias was not asked by is not there.
    """

    metrics: tuple[str, ...]
    biases: Mapping[str, Standing]
    cells: Mapping[tuple[str, str], Standing]


@dataclass(frozen=True)
class Conclusion:
    """What a run comes to.

    Attributes:
        tone: the gravest verdict; excused where all that fails is known, and nothing else keeps the run from ending
            with 0; invalid where there is none, partial where all passes that was asked, and that was
            not the whole suite, or nothing of a bias; inconclusive where nothing is asked of one that is required.
        sentence: which biases fail.
        counts: the verdicts, counted.
        undecided: of which biases something is invalid, inconclusive or not asked; which of them are required.
        left_out: what was not asked, what the policy knows and is gone, and what is amiss with the model's contract.
    """

    tone: Tone
    sentence: str
    counts: str
    undecided: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """All that the sentence does not say."""
        return self.undecided + self.left_out


def conclude(results: ResultLines, comparison: Comparison | None = None) -> Conclusion:
    """What a run comes to; nothing green comes out of nothing, of a part, or of a run that ended red.

    Args:
        results: the run's.
        comparison: with the release before, where there is one.
    """
    verdicts, stopped = list(results.verdicts.values()), incomplete(results)
    if not verdicts:
        nothing = f"{stopped} Nothing was checked." if stopped else "No verdict came of this run: nothing was checked."
        return Conclusion("invalid", nothing, "", (), tuple(_unjudged(results.run)))
    tone, sentence = _found(matrix_of(results).biases, whole=asked_all(results.run))
    hollow = _mostly_hollow(verdicts)
    if hollow and sentence == NOTHING_DECIDED:  # which would be said of the model beside what is
        sentence = "Nothing was decided."
    refusal, lacking, status = _refusal(results, comparison), _lacking(results), results.run.exit_status
    ended = f"The run as a whole ended with {status}." if status else ""
    if tone in ("pass", "partial"):
        tone = "fail" if refusal else "inconclusive" if lacking else "partial" if ended else tone
        refusal = refusal or lacking or ended
    elif tone == "excused":
        refusal = " ".join(filter(None, (_kept_red(verdicts), refusal))) or lacking or ended
        tone = "fail" if refusal or stopped else "excused"
        refusal = "Nothing else is held against it." if tone == "excused" else refusal
    undecided = (*_undecided(verdicts), *([lacking] if lacking and lacking != refusal else []))
    left_out = (*_not_asked(results), *no_longer_known(results), *_contract(results.run))
    said = " ".join(filter(None, (stopped, sentence, refusal, hollow)))
    return Conclusion(tone, said, _counts(verdicts), undecided, left_out)


def matrix_of(results: ResultLines) -> Matrix:
    """All tests of a run by bias and metric."""
    return bias_matrix(results.verdicts.values(), unjudged(results))


def bias_matrix(verdicts: Iterable[VerdictRecord], without: Sequence[Unjudged] = ()) -> Matrix:
    """Some tests by bias and metric: verdicts, and tests without one."""
    by_bias: Mapping[str, list[VerdictRecord]] = defaultdict(list)
    by_cell: Mapping[tuple[str, str], list[VerdictRecord]] = defaultdict(list)
    for verdict in gravest_first(verdicts):
        by_bias[verdict.bias].append(verdict)
        by_cell[verdict.bias, verdict.metric].append(verdict)
    placed = [one for one in without if one.bias]
    lacking = Counter(one.bias for one in placed)
    lacking_in = Counter(
        (one.bias, metric) for one in placed for metric in ([one.metric] if one.metric else OF_PICTURES)
    )
    biases = [
        (bias, Standing(tuple(by_bias.get(bias, ())), lacking[bias])) for bias in dict.fromkeys([*by_bias, *lacking])
    ]
    cells = dict.fromkeys([*by_cell, *lacking_in])
    return Matrix(
        tuple(dict.fromkeys([*OF_PICTURES, *sorted({metric for _, metric in cells})])),
        dict(sorted(biases, key=lambda item: (_STATUSES.index(item[1].status), item[1].known, item[0]))),
        {where: Standing(tuple(by_cell.get(where, ())), lacking_in[where]) for where in cells},
    )


def causes_of(verdicts: Iterable[VerdictRecord]) -> list[str]:
    """Return the causes of the invalid ones among some verdicts, in words, each once."""
    causes = (verdict.cause for verdict in verdicts if verdict.status == "invalid")
    return list(dict.fromkeys(_CAUSES.get(cause, cause) for cause in causes if cause))


def gravest_first(verdicts: Iterable[VerdictRecord]) -> list[VerdictRecord]:
    """By verdict, what is known after what is not, then the farthest beyond what is allowed."""
    return sorted(verdicts, key=_gravity)


def is_known(verdict: VerdictRecord) -> bool:
    """Whether the policy lets a verdict be, as a known bias that has not expired.

    Such a verdict is a fail; or an invalid one where the policy says so, and the bias can be what made it invalid.
    """
    known = verdict.known
    if known is None or known.expired:
        return False
    excused = known.invalid and verdict.cause in OF_A_BIAS
    return verdict.status == "fail" or bool(verdict.status == "invalid" and excused)


def gates(verdict: VerdictRecord) -> bool:
    """Whether a verdict keeps a run from ending with 0, and shuts the gate."""
    return verdict.status != "pass" and verdict.gates is not False and not is_known(verdict)


def excuse(known: ExcuseRecord) -> str:
    """What the policy says of a known bias, as a verdict's line has it."""
    day = f"{'expired on' if known.expired else 'until'} {known.until}"
    return f"{day}{', also where it is invalid' if known.invalid else ''}: {known.reason}"


def gone(results: ResultLines) -> Iterator[str]:
    """What is to be done about entries of known biases that say too much, where all tests were asked.

    A whole bias that is known may show in none of its tests, and what is excused as invalid may be so nowhere.
    """
    if asked_all(results.run):
        for known in _entries(results.run):
            statuses = _statuses(results, known, "bias" if known.bias else "behavior")
            if known.bias and statuses == {"pass"}:
                yield known.stale
            elif known.invalid and statuses & {*DECIDED} and "invalid" not in statuses:
                yield known.needless or known.stale


def no_longer_known(results: ResultLines) -> Iterator[str]:
    """What is to be done about a behavior that is known to fail, and passes; then about whole biases."""
    for known in _entries(results.run):
        if known.behavior and "pass" in _statuses(results, known, "behavior"):
            yield known.stale
    yield from gone(results)


def worsened(comparison: Comparison) -> str:
    """Why the release before refuses a run, or ""."""
    if comparison.accepted:
        return ""
    if worse := comparison.which("worse"):
        return f"Worse than the release before: {_biases(worse)}."
    if comparison.lost:
        return f"No word on what the release before decided: {_biases(comparison.lost)}."
    return "Not comparable with the release before."


def missing_biases(results: ResultLines) -> list[str]:
    """The biases of which the policy requires a pass or a fail, and that have none."""
    decided = {verdict.bias for verdict in results.verdicts.values() if verdict.status in DECIDED}
    return [bias for bias in results.run.required if bias not in decided]


def asked_all(run: RunRecord) -> bool:
    """Whether all tests of the suite have a verdict, but for those by a metric that the model has not."""
    return bool(run.complete) and not run.unjudged


def _gravity(verdict: VerdictRecord) -> tuple[int, bool, float]:
    return BY_GRAVITY.index(verdict.status), is_known(verdict), -_beyond(verdict)


def _beyond(verdict: VerdictRecord) -> float:
    """How far what was seen is beyond what is allowed; below 0 where it is not."""
    if verdict.claim == "mean":
        mean, band = verdict.effect, verdict.band
        return -2.0 if mean is None or not band else float(max(band[0] - mean, mean - band[1]))
    rate = verdict.rate
    return -2.0 if rate is None else float(rate - (verdict.allowed or 0.0))


def _found(biases: Mapping[str, Standing], *, whole: bool) -> tuple[Tone, str]:
    of = counted(len(biases), "bias", "biases")
    passing = [bias for bias, its in biases.items() if its.status == "pass"]
    if failing := [its for its in biases.values() if its.failing]:
        return "excused" if all(its.known for its in failing) else "fail", _fails(biases, of, passing)
    if passing and all(its.status in ("pass", NOT_ASKED) for its in biases.values()):
        return _passes(biases, passing, whole=whole)
    statuses = {its.status for its in biases.values()}
    tone: Tone = "invalid" if "invalid" in statuses else "inconclusive"
    if any(one.status == "pass" for its in biases.values() for one in its.verdicts):
        pass_ = f"{len(passing)} of {of} {'passes' if len(passing) == 1 else 'pass'}"
        none = f"none of {of} passes" if len(biases) > 1 else "the one that was asked about does not pass"
        tone = tone if statuses & {"invalid", "inconclusive"} else "partial"
        return tone, f"No bias in what was decided: {pass_ if passing else none}."
    return tone, NOTHING_DECIDED


def _fails(biases: Mapping[str, Standing], of: str, passing: Sequence[str]) -> str:
    """Return the sentence of a run in which something fails; where nothing passes, it says what became of the rest."""
    failing = [f"{bias}{its.excused}" for bias, its in biases.items() if its.failing]
    named = ", ".join(failing)
    if passing or len(failing) == len(biases):
        return f"Fails {len(failing)} of {of}: {named}."
    others = Counter(its.status for its in biases.values() if not its.failing)
    rest = [_are(status, others[status]) for status in _STATUSES if others[status]]
    some = f"the other {rest[0].removeprefix('1 ')}" if len(rest) == 1 else f"of the others {', '.join(rest)}"
    return f"Fails {len(failing)} of {of} ({named}), {some}; none passes."


def _are(status: str, count: int) -> str:
    """E.g. "2 are invalid", "1 has no verdict"."""
    return f"{count} {has(count) if status == NO_VERDICT else _is(count)} {status}"


def _mostly_hollow(verdicts: Sequence[VerdictRecord]) -> str:
    """Return what to make of it, and where to look, when more than half of what was asked is invalid; else ""."""
    asked = [verdict for verdict in verdicts if verdict.status != NOT_ASKED]
    hollow = [verdict for verdict in asked if verdict.status == "invalid"]
    if 2 * len(hollow) <= len(asked):
        return ""
    said = f"{len(hollow):,} of {counted(len(asked), 'verdict')} {_is(len(hollow))} invalid"
    causes = [verdict.cause for verdict in hollow]
    if 2 * sum(cause in _OF_THE_DATA for cause in causes) > len(causes):
        return f"{said}, most of them for want of cases: look at the data."
    if 2 * sum(cause in _UNSOUND for cause in causes) > len(causes):
        return f"{said}, most of them for want of sound answers: look at the checkpoint and at how it is run."
    return f"{said}: the model knows next to nothing. Look at the checkpoint, at its preprocessing and at the data."


def _passes(biases: Mapping[str, Standing], passing: Sequence[str], *, whole: bool) -> tuple[Tone, str]:
    """Return the sentence of a run in which everything that was asked passes."""
    of, named = counted(len(biases), "bias", "biases"), ", ".join(passing)
    if len(passing) < len(biases):
        return "partial", f"Passes {len(passing)} of {of} in what was asked, which is nothing of the others: {named}."
    if not whole:
        return "partial", f"Passes what was asked of {of}, which is not the whole suite: {named}."
    idle = any(one.status == NOT_ASKED for its in biases.values() for one in its.verdicts)
    said = f"Passes {'all ' if len(biases) > 1 else ''}{of}"
    return "pass", f"{said} in what was asked: {named}." if idle else f"{said}: {named}."


def _lacking(results: ResultLines) -> str:
    """Return which required biases the run has no pass or fail of, as a sentence; "" where there is none."""
    lacking = missing_biases(results)
    return f"The policy requires a pass or a fail of {', '.join(lacking)}, and there is none." if lacking else ""


def _refusal(results: ResultLines, comparison: Comparison | None) -> str:
    """Why a run is refused that its verdicts alone would let pass, or ""."""
    if said := worsened(comparison) if comparison else "":
        return said
    if not (found := list(gone(results))):
        return ""
    stale = {known.stale for known in _entries(results.run)}
    what = "A known bias" if stale.intersection(found) else "What is excused as invalid"
    return f"{what} is gone: the policy is out of date."


def _kept_red(verdicts: Iterable[VerdictRecord]) -> str:
    """Return which verdicts no known bias excuses, as a sentence; "" where there is none."""
    red = [f"{one.test.rpartition('::')[2]} ({Standing((one,)).said})" for one in gravest_first(verdicts) if gates(one)]
    rest = f" and {len(red) - _MOST_NAMED:,} more" if len(red) > _MOST_NAMED else ""
    return f"Kept red by {', '.join(red[:_MOST_NAMED])}{rest}." if red else ""


def _biases(compared: Iterable[Compared]) -> str:
    return ", ".join(sorted({one.bias for one in compared}))


def _counts(verdicts: Sequence[VerdictRecord]) -> str:
    """E.g. "Of 56 verdicts, 6 fail, 2 are invalid, 48 pass."."""
    excused = Counter(verdict.status for verdict in verdicts if is_known(verdict))
    fails, hollow = excused["fail"], excused["invalid"]
    known = f"; {fails} of what fails {_is(fails)} known" if fails else ""
    known += f"; {hollow} of what is invalid {_is(hollow)} known, and excused" if hollow else ""
    return f"Of {counted(len(verdicts), 'verdict')}, {', '.join(tally(verdicts))}{known}."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def tally(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """How many fail, are invalid, are inconclusive, pass, and are not asked."""
    counts = Counter(verdict.status for verdict in verdicts)
    verbs = {"fail": "fails", "pass": "passes"}
    for status in BY_GRAVITY:
        if count := counts[status]:
            adjective = f"{_is(count)} {status}"
            yield f"{count} {adjective if status not in verbs else verbs[status] if count == 1 else status}"


def _undecided(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    for status, why in _UNDECIDED.items():
        its = [verdict for verdict in verdicts if verdict.status == status]
        if its:
            causes = f" ({', '.join(causes_of(its))})" if causes_of(its) else ""
            yield f"{status.capitalize()} (in {', '.join(sorted({one.bias for one in its}))}): {why}{causes}."


def _not_asked(results: ResultLines) -> Iterator[str]:
    """Biases, metrics and tests without a verdict."""
    run, lacking_one = results.run, unjudged(results)
    verdicts = results.verdicts.values()
    biases = {verdict.bias for verdict in verdicts} | {one.bias for one in lacking_one}
    metrics = {verdict.metric for verdict in verdicts} | {one.metric for one in lacking_one}
    if absent := [bias for bias in BIASES if bias not in biases]:
        yield f"Not asked about: {', '.join(absent)}."
    if lacking := [metric for metric in OF_PICTURES if metric not in metrics]:
        yield f"Not asked by: {', '.join(lacking)}."
    yield from _unjudged(run)
    if not run.complete and not lacking_one:
        yield "Not the whole suite was asked: tests were left out of this run."


def _unjudged(run: RunRecord) -> Iterator[str]:
    """Tests that were selected and have no verdict."""
    tests = run.unjudged
    if tests:
        names = [test.rpartition("::")[2] for test in tests[:_MOST_NAMED]]
        rest = f" and {len(tests) - _MOST_NAMED:,} more" if len(tests) > _MOST_NAMED else ""
        why = ", since they were left out, skipped or ended in an error" if is_ended(run) else ""
        yield f"Without a verdict{why}: {', '.join(names)}{rest}."


def _contract(run: RunRecord) -> Iterator[str]:
    """Yield a sentence where the model breaks the contract, or where it was never tried."""
    contract = run.contract
    if contract and not contract.tried:
        yield "The contract was not tried on this model as it is loaded and installed here (vlcheck models check)."
    if contract and contract.broken:
        named, more = "; ".join(contract.broken[:_MOST_NAMED]), len(contract.broken) - _MOST_NAMED
        yield f"The model breaks the contract (vlcheck models check): {named}{f' and {more} more' if more > 0 else ''}."


def _entries(run: RunRecord) -> Sequence[KnownBias]:
    """The policy's known biases."""
    return run.policy.known


def _statuses(results: ResultLines, known: KnownBias, of: Literal["bias", "behavior"]) -> set[str]:
    """Of the verdicts that an entry is about, by its bias or its behavior."""
    about = (one for one in results.verdicts.values() if getattr(one, of) == getattr(known, of))
    return {one.status for one in about if known.metric in ("", one.metric)}
