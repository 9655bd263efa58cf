"""What a run comes to: its verdicts by bias and metric, that in a sentence, and what the sentence leaves out.

Terminal, page, card and Markdown all say this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vlcheck.report.comparison import Compared, Comparison
from vlcheck.report.results import Line, Results
from vlcheck.suite import BIASES
from vlcheck.verdict import BY_GRAVITY, DECIDED, NOT_ASKED

METRICS = ("mlm", "itm")
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "mlm": "the masked word, given picture and text",
        "itm": "whether picture and text match",
        "mrc": "the class of a masked region, given the text",
    }
)

Tone = Literal["fail", "invalid", "inconclusive", "pass", "partial"]

_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "neither good nor bad: too few known cases, or answers that say nothing",
        "inconclusive": "too few images to tell",
        NOT_ASKED: "the data has fewer images than a pass needs",
    }
)
_MOST_NAMED = 5  # tests


@dataclass(frozen=True)
class Standing:
    """Some verdicts together: those of a bias, or of a bias under a metric.

    Attributes:
        verdicts: one at least, the gravest first.
    """

    verdicts: tuple[Line, ...]

    @property
    def status(self) -> str:
        """The gravest."""
        return str(self.verdicts[0]["status"])

    @property
    def known(self) -> bool:
        """Whether the policy lets all that fails be."""
        return is_known(self.verdicts[0])

    @property
    def said(self) -> str:
        """The status; of a fail also whether it is known, of a pass beside what was not asked how much that is."""
        if self.known:
            return f"{self.status} (known)"
        idle = sum(verdict["status"] == NOT_ASKED for verdict in self.verdicts)
        return f"pass ({idle} not asked)" if self.status == "pass" and idle else self.status

    @property
    def failing(self) -> tuple[Line, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict["status"] == "fail")


@dataclass(frozen=True)
class Matrix:
    """Biases by metrics.

    Attributes:
        metrics: mlm and itm, then whatever else was asked.
        biases: by name, the gravest first.
        cells: by bias and metric; a metric that a bias was not asked by is not there.
    """

    metrics: tuple[str, ...]
    biases: Mapping[str, Standing]
    cells: Mapping[tuple[str, str], Standing]


@dataclass(frozen=True)
class Conclusion:
    """What a run comes to.

    Attributes:
        tone: the gravest verdict; invalid where there is none, partial where all passes that was asked, and that was
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


def conclude(results: Results, comparison: Comparison | None = None) -> Conclusion:
    """What a run comes to; nothing green comes out of nothing, of a part, or of a run that ended red.

    Args:
        results: the run's.
        comparison: with the release before, where there is one.
    """
    verdicts = list(results.verdicts.values())
    if not verdicts:
        nothing = "No verdict came of this run: nothing was checked."
        return Conclusion("invalid", nothing, "", (), tuple(_unjudged(results.run)))
    tone, sentence = _found(matrix(verdicts).biases, whole=asked_all(results.run))
    refusal, lacking, status = _refusal(results, comparison), _lacking(results), results.run.get("exit_status")
    if tone in ("pass", "partial"):
        tone = "fail" if refusal else "inconclusive" if lacking else "partial" if status else tone
        refusal = refusal or lacking or (f"The run as a whole ended with {status}." if status else "")
    undecided = (*_undecided(verdicts), *([lacking] if lacking and lacking != refusal else []))
    left_out = (*_not_asked(results.run, verdicts), *no_longer_known(results), *_contract(results.run))
    said = " ".join(filter(None, (sentence, refusal)))
    return Conclusion(tone, said, _counts(verdicts), undecided, left_out)


def matrix(verdicts: Iterable[Line]) -> Matrix:
    """Some verdicts by bias and metric."""
    by_bias: Mapping[str, list[Line]] = defaultdict(list)
    by_cell: Mapping[tuple[str, str], list[Line]] = defaultdict(list)
    for verdict in gravest_first(verdicts):
        by_bias[verdict["bias"]].append(verdict)
        by_cell[verdict["bias"], verdict["metric"]].append(verdict)
    biases = [(bias, Standing(tuple(its))) for bias, its in by_bias.items()]
    return Matrix(
        tuple(dict.fromkeys([*METRICS, *sorted({metric for _, metric in by_cell})])),
        dict(sorted(biases, key=lambda item: (BY_GRAVITY.index(item[1].status), item[1].known, item[0]))),
        {where: Standing(tuple(its)) for where, its in by_cell.items()},
    )


def gravest_first(verdicts: Iterable[Line]) -> list[Line]:
    """By verdict, what is known after what is not, then the farthest beyond what is allowed."""
    return sorted(verdicts, key=_gravity)


def is_known(verdict: Line) -> bool:
    """Whether a verdict is a fail that the policy lets be, as a known bias that has not expired."""
    known = verdict["known"]
    return verdict["status"] == "fail" and known is not None and not known.get("expired")


def excuse(known: Line) -> str:
    """What the policy says of a known bias, as a verdict's line has it."""
    return f"{'expired on' if known.get('expired') else 'until'} {known.get('until')}: {known.get('reason')}"


def gone(results: Results) -> Iterator[str]:
    """What is to be done about each whole bias that is known, and shows in none of its tests, where all were asked."""
    if asked_all(results.run):
        for known in _entries(results.run):
            if known["bias"] and _statuses(results, known, "bias") == {"pass"}:
                yield known["stale"]


def no_longer_known(results: Results) -> Iterator[str]:
    """What is to be done about a behavior that is known to fail, and passes; then about whole biases."""
    for known in _entries(results.run):
        if known["behavior"] and "pass" in _statuses(results, known, "behavior"):
            yield known["stale"]
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


def missing(results: Results) -> list[str]:
    """The biases of which the policy requires a pass or a fail, and that have none."""
    decided = {verdict["bias"] for verdict in results.verdicts.values() if verdict["status"] in DECIDED}
    return [bias for bias in results.run.get("required", ()) if bias not in decided]


def asked_all(run: Line) -> bool:
    """Whether all tests of the suite have a verdict, but for those by a metric that the model has not."""
    return bool(run.get("complete")) and not run["unjudged"]


def _gravity(verdict: Line) -> tuple[int, bool, float]:
    return BY_GRAVITY.index(verdict["status"]), is_known(verdict), -_beyond(verdict)


def _beyond(verdict: Line) -> float:
    """How far what was seen is beyond what is allowed; below 0 where it is not."""
    if verdict["claim"] == "mean":
        mean, band = verdict["effect"], verdict["band"]
        return -2.0 if mean is None or not band else float(max(band[0] - mean, mean - band[1]))
    rate = verdict["rate"]
    return -2.0 if rate is None else float(rate - (verdict["allowed"] or 0.0))


def _found(biases: Mapping[str, Standing], *, whole: bool) -> tuple[Tone, str]:
    of = counted(len(biases), "bias", "biases")
    failing = [f"{bias} (known)" if its.known else bias for bias, its in biases.items() if its.failing]
    passing = [bias for bias, its in biases.items() if its.status == "pass"]
    if failing:
        return "fail", f"Fails {len(failing)} of {of}: {', '.join(failing)}."
    if passing and all(its.status in ("pass", NOT_ASKED) for its in biases.values()):
        return _passes(biases, passing, whole=whole)
    tone: Tone = "invalid" if any(its.status == "invalid" for its in biases.values()) else "inconclusive"
    if any(one["status"] == "pass" for its in biases.values() for one in its.verdicts):
        return tone, f"No bias in what was decided: {len(passing)} of {of} {'passes' if len(passing) == 1 else 'pass'}."
    return tone, "Nothing was decided: this run says nothing of the model."


def _passes(biases: Mapping[str, Standing], passing: Sequence[str], *, whole: bool) -> tuple[Tone, str]:
    """Return the sentence of a run in which everything that was asked passes."""
    of, named = counted(len(biases), "bias", "biases"), ", ".join(passing)
    if len(passing) < len(biases):
        return "partial", f"Passes {len(passing)} of {of} in what was asked, which is nothing of the others: {named}."
    if not whole:
        return "partial", f"Passes what was asked of {of}, which is not the whole suite: {named}."
    idle = any(one["status"] == NOT_ASKED for its in biases.values() for one in its.verdicts)
    said = f"Passes {'all ' if len(biases) > 1 else ''}{of}"
    return "pass", f"{said} in what was asked: {named}." if idle else f"{said}: {named}."


def _lacking(results: Results) -> str:
    """Return which required biases the run has no pass or fail of, as a sentence; "" where there is none."""
    lacking = missing(results)
    return f"The policy requires a pass or a fail of {', '.join(lacking)}, and there is none." if lacking else ""


def _refusal(results: Results, comparison: Comparison | None) -> str:
    """Why a run is refused that its verdicts alone would let pass, or ""."""
    said = worsened(comparison) if comparison else ""
    return said or ("A known bias is gone: the policy is out of date." if any(gone(results)) else "")


def _biases(compared: Iterable[Compared]) -> str:
    return ", ".join(sorted({one.bias for one in compared}))


def _counts(verdicts: Sequence[Line]) -> str:
    """E.g. "Of 56 verdicts, 6 fail, 2 are invalid, 48 pass."."""
    known = sum(map(is_known, verdicts))
    excused = f"; {known} of what fails {_is(known)} known" if known else ""
    return f"Of {counted(len(verdicts), 'verdict')}, {', '.join(tally(verdicts))}{excused}."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def tally(verdicts: Sequence[Line]) -> Iterator[str]:
    """How many fail, are invalid, are inconclusive, pass, and are not asked."""
    counts = Counter(verdict["status"] for verdict in verdicts)
    verbs = {"fail": "fails", "pass": "passes"}
    for status in BY_GRAVITY:
        if count := counts[status]:
            adjective = f"{_is(count)} {status}"
            yield f"{count} {adjective if status not in verbs else verbs[status] if count == 1 else status}"


def _undecided(verdicts: Sequence[Line]) -> Iterator[str]:
    for status, why in _UNDECIDED.items():
        about = sorted({verdict["bias"] for verdict in verdicts if verdict["status"] == status})
        if about:
            yield f"{status.capitalize()} (in {', '.join(about)}): {why}."


def _not_asked(run: Line, verdicts: Sequence[Line]) -> Iterator[str]:
    """Biases, metrics and tests without a verdict."""
    biases, metrics = ({verdict[of] for verdict in verdicts} for of in ("bias", "metric"))
    if absent := [bias for bias in BIASES if bias not in biases]:
        yield f"Not asked about: {', '.join(absent)}."
    if lacking := [metric for metric in METRICS if metric not in metrics]:
        yield f"Not asked by: {', '.join(lacking)}."
    unjudged = list(_unjudged(run))
    yield from unjudged
    if not run.get("complete") and not unjudged:
        yield "Not the whole suite was asked: tests were left out of this run."


def _unjudged(run: Line) -> Iterator[str]:
    """Tests that were selected and have no verdict."""
    tests = run["unjudged"]
    if tests:
        names = [test.rpartition("::")[2] for test in tests[:_MOST_NAMED]]
        rest = f" and {len(tests) - _MOST_NAMED} more" if len(tests) > _MOST_NAMED else ""
        yield (
            f"{counted(len(tests), 'selected test has', 'selected tests have')} no verdict, since the run was stopped,"
            f" or they were skipped or ended in an error: {', '.join(names)}{rest}."
        )


def _contract(run: Line) -> Iterator[str]:
    """Yield a sentence where the model breaks the contract, or where it was never tried."""
    contract = run.get("contract")
    if contract and not contract["tried"]:
        yield "The contract was not tried on this model as it is loaded and installed here (vlcheck models check)."
    if contract and contract["broken"]:
        named, more = "; ".join(contract["broken"][:_MOST_NAMED]), len(contract["broken"]) - _MOST_NAMED
        yield f"The model breaks the contract (vlcheck models check): {named}{f' and {more} more' if more > 0 else ''}."


def _entries(run: Line) -> Sequence[Line]:
    """The policy's known biases."""
    entries: Sequence[Line] = run["policy"].get("known", ())
    return entries


def _statuses(results: Results, known: Line, of: str) -> set[str]:
    """Of the verdicts that an entry is about, by its bias or its behavior."""
    about = (one for one in results.verdicts.values() if one[of] == known[of])
    return {one["status"] for one in about if known["metric"] in ("", one["metric"])}


def counted(number: int, what: str, many: str = "") -> str:
    """1 row, 2 rows."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"
