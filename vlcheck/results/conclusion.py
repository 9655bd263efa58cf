"""The conclusion of a run: its verdicts by bias and metric, a sentence about them, and notes on all else.

Terminal, page, card and Markdown show this conclusion.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Literal

from vlcheck._util.numbers import counted, names_in_brief
from vlcheck.metrics.registry import METRICS, OF_PICTURES
from vlcheck.results.comparison import Compared, Comparison
from vlcheck.results.file import ResultLines
from vlcheck.results.foils import MARK, mark_of, marks
from vlcheck.results.precision import precision_notes
from vlcheck.results.records import ExcuseRecord, KnownBias, RunRecord, VerdictRecord
from vlcheck.results.thoughts import thought_notes
from vlcheck.results.unjudged import Unjudged, has, incomplete, is_ended, unjudged
from vlcheck.results.wordings import DEPENDS, depends_on_wording, passes_by_wording, wording_notes
from vlcheck.stats.decision import BY_GRAVITY, DECIDED, NOT_ASKED, OF_A_BIAS
from vlcheck.suite.shipped import BIASES, OF_FOILS

Tone = Literal["fail", "excused", "invalid", "inconclusive", "pass", "partial"]

NO_VERDICT = "no verdict"  # the status of selected tests without a verdict, unless another one's is graver
STATUSES = (*BY_GRAVITY[:3], NO_VERDICT, *BY_GRAVITY[3:])  # the gravest first
_CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "no cases": "no cases in this data",
        "one image": "one image alone",
        "unknown": "knows too few cases",
        "unlikely": "answers say nothing",
        "constant": "answers say nothing",
        "by construction": "given by construction",
        "not finite": "answers say nothing",
        "refused": "refuses too many cases",
        "errors": "could not be scored",
        "changed": "may be of two models",
    }
)
_OF_THE_MODEL = ("knows too few cases", "refuses too many cases")  # of these words, the subject is the model
_OF_THE_DATA = ("no cases", "one image")  # causes that lie in the data, not in the model
_OF_THE_WRAPPER = ("by construction",)  # causes that lie in what a model states of itself
_UNSOUND = ("errors", "not finite", "refused", "changed")  # causes that do not show what the model knows
_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "neither good nor bad",
        "inconclusive": "too few images to tell",
        NOT_ASKED: "no model could pass on these images",
    }
)
_MOST_NAMED = 5  # number of tests that a sentence names
_SEVERAL = 3  # number of biases; if as many fail and nothing passes, it is hardly a bias
TOLD = f"{MARK} words alone tell many foils"
NOTHING_DECIDED = "Nothing was decided: this run says nothing about the model."


@dataclass(frozen=True)
class Standing:
    """Some tests together: those of a bias, or of a bias under one metric.

    Attributes:
        verdicts: their verdicts, the gravest first.
        unjudged: number of tests without a verdict; at least one if there is no verdict.
    """

    verdicts: tuple[VerdictRecord, ...]
    unjudged: int = 0

    @property
    def status(self) -> str:
        """The gravest status; with a test that has no verdict, nothing passes."""
        gravest = str(self.verdicts[0].status) if self.verdicts else NO_VERDICT
        return NO_VERDICT if self.unjudged and gravest in ("pass", NOT_ASKED) else gravest

    @property
    def passes(self) -> int:
        """The number of tests that pass."""
        return sum(verdict.passed for verdict in self.verdicts)

    @property
    def tests(self) -> int:
        """The number of tests, with those that have no verdict, are invalid or were not asked."""
        return len(self.verdicts) + self.unjudged

    @property
    def known(self) -> bool:
        """True if everything that fails is a known bias of the policy."""
        return bool(self.verdicts) and is_known(self.verdicts[0])

    @property
    def excused(self) -> str:
        """The dates until which all failures are excused, in brackets; "" if one is not excused."""
        if not self.known:
            return ""
        days = sorted({str(verdict.known.until) for verdict in self.verdicts if verdict.known and is_known(verdict)})
        return f" (known, excused until {' and '.join(days)})"

    @property
    def said(self) -> str:
        """The status in words: the cause of an invalid one, and remarks on known biases and missing verdicts."""
        status, beside = self.status, list(self._beside())
        if status == "invalid" and (causes := causes_of(self.verdicts)):
            status = f"invalid: {', '.join(causes)}"
        return f"{status} ({'; '.join(beside)})" if beside else status

    def _beside(self) -> Iterator[str]:
        """Yield remarks: whether it is a known bias, and how many tests were not asked or have no verdict."""
        idle = sum(verdict.status == NOT_ASKED for verdict in self.verdicts)
        if self.known:
            yield "known" if self.status == "fail" else "known, excused"
        if self.status == "pass" and idle:
            yield f"{idle} not asked"
        if any(map(mark_of, self.verdicts)):
            yield TOLD
        if any(map(depends_on_wording, self.verdicts)):
            yield DEPENDS
        if self.status == NO_VERDICT and self.verdicts:
            yield f"{self.unjudged} of {len(self.verdicts) + self.unjudged}"
        elif self.verdicts and self.unjudged:
            yield f"{self.unjudged} without a verdict"

    @property
    def failing(self) -> tuple[VerdictRecord, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.status == "fail")


@dataclass(frozen=True)
class Matrix:
    """The tests of a run by bias and metric.

    Attributes:
        metrics: mlm and itm, then all others that were asked.
        biases: the biases by name, the gravest first; also biases whose selected tests all have no verdict.
        cells: the cells by bias and metric; a metric is missing if the bias has no test under it.
    """

    metrics: tuple[str, ...]
    biases: Mapping[str, Standing]
    cells: Mapping[tuple[str, str], Standing]


@dataclass(frozen=True)
class Conclusion:
    """The conclusion of a run.

    Attributes:
        tone: the gravest verdict. It is "excused" if all failures are known biases and nothing else keeps the run from
            ending with 0; "invalid" if there is no verdict; "partial" if everything asked passes, but it was not the
            whole suite or nothing of some bias; "inconclusive" if a required bias has neither a pass nor a fail.
        sentence: the biases that fail.
        counts: the number of verdicts of each status.
        undecided: sets of foils that words alone solve to a part; verdicts that depend on the wording of the question;
            thoughts that were cut; the biases with invalid or inconclusive verdicts, or that were not asked about; the
            required ones among them.
        left_out: tests that were not asked, known biases that are gone, and clauses of the contract that the model
            breaks.
    """

    tone: Tone
    sentence: str
    counts: str
    undecided: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes that the sentence does not contain."""
        return self.undecided + self.left_out


def conclude(results: ResultLines, comparison: Comparison | None = None) -> Conclusion:
    """Return the conclusion of a run; its tone is "pass" only if the whole suite was asked and the run ended with 0.

    Args:
        results: the results of the run.
        comparison: the comparison with the release before, if there is one.
    """
    verdicts, stopped = list(results.verdicts.values()), incomplete(results)
    if not verdicts:
        nothing = f"{stopped} Nothing was checked." if stopped else "No verdict came of this run: nothing was checked."
        return Conclusion("invalid", nothing, "", (), tuple(_unjudged(results.run)))
    if results.changed:
        sentence = f"{results.changed} No verdict holds: the run is invalid."
        return Conclusion("invalid", sentence, _counts(verdicts), (), tuple(_unjudged(results.run)))
    tone, sentence = _found(matrix_of(results).biases, whole=asked_all(results.run))
    hollow = _mostly_hollow(verdicts)
    if hollow and sentence == NOTHING_DECIDED:  # "says nothing of the model" would contradict `hollow`
        sentence = "Nothing was decided."
    refusal, lacking, status = _refusal(results, comparison), _lacking(results), results.run.exit_status
    ended = f"The run as a whole ended with {status}." if status else ""
    if tone in ("pass", "partial"):
        tone = "fail" if refusal else "inconclusive" if lacking else "partial" if ended else tone
        refusal = refusal or ("" if stopped and not is_ended(results.run) else lacking or ended)
    elif tone == "excused":
        refusal = " ".join(filter(None, (_kept_red(verdicts), refusal))) or lacking or ended
        tone = "fail" if refusal or stopped else "excused"
        refusal = "Nothing else is held against it." if tone == "excused" else refusal
    if tone == "pass" and (passes := passes_by_wording(verdicts)):
        tone, sentence = "partial", f"{sentence} {_by_wording(passes)}"
    precision = precision_notes(results.precisions.values())
    notes = *wording_notes(results.run, verdicts), *thought_notes(verdicts), *precision
    undecided = (
        *marks(verdicts),
        *notes,
        *_undecided(verdicts),
        *([lacking] if lacking and lacking != refusal else []),
    )
    left_out = (*_not_asked(results), *no_longer_known(results), *_contract(results.run))
    unknown = "Nothing is known of the rest." if stopped and tone != "fail" else ""
    said = " ".join(filter(None, (stopped, sentence, unknown, refusal, hollow or _nothing_passes(verdicts))))
    return Conclusion(tone, said, _counts(verdicts), undecided, left_out)


def matrix_of(results: ResultLines) -> Matrix:
    """Return all tests of a run by bias and metric."""
    return bias_matrix(results.verdicts.values(), unjudged(results))


def bias_matrix(verdicts: Iterable[VerdictRecord], without: Sequence[Unjudged] = ()) -> Matrix:
    """Return tests by bias and metric.

    Args:
        verdicts: the verdicts.
        without: the tests without a verdict.
    """
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
        dict(sorted(biases, key=lambda item: (STATUSES.index(item[1].status), item[1].known, item[0]))),
        {where: Standing(tuple(by_cell.get(where, ())), lacking_in[where]) for where in cells},
    )


def causes_of(verdicts: Iterable[VerdictRecord]) -> list[str]:
    """Return the causes of the invalid verdicts among some, in words, each once."""
    causes = (verdict.cause for verdict in verdicts if verdict.status == "invalid")
    return list(dict.fromkeys(_CAUSES.get(cause, cause) for cause in causes if cause))


def gravest_first(verdicts: Iterable[VerdictRecord]) -> list[VerdictRecord]:
    """Sort verdicts by status, known biases after others, then by their distance beyond what is allowed."""
    return sorted(verdicts, key=_gravity)


def is_known(verdict: VerdictRecord) -> bool:
    """Return True if the policy excuses a verdict as a known bias that has not expired.

    It excuses a fail; also an invalid verdict, if the entry says so and the bias can be the cause of it.
    """
    known = verdict.known
    if known is None or known.expired:
        return False
    excused = known.invalid and verdict.cause in OF_A_BIAS
    return verdict.status == "fail" or bool(verdict.status == "invalid" and excused)


def gates(verdict: VerdictRecord) -> bool:
    """Return True if a verdict keeps a run from ending with 0, and closes the gate of a release."""
    return verdict.status != "pass" and verdict.gates is not False and not is_known(verdict)


def excuse(known: ExcuseRecord) -> str:
    """Return the policy's words on a known bias."""
    day = f"{'expired on' if known.expired else 'until'} {known.until}"
    return f"{day}{', also where it is invalid' if known.invalid else ''}: {known.reason}"


def gone(results: ResultLines) -> Iterator[str]:
    """Yield messages about entries of known biases that excuse too much, if the whole suite was asked.

    They are entries for a bias of which all tests pass, and entries that excuse invalid verdicts where there are none.
    """
    if asked_all(results.run):
        for known in _entries(results.run):
            statuses = _statuses(results, known, "bias" if known.bias else "behavior")
            if known.bias and statuses == {"pass"}:
                yield known.stale
            elif known.invalid and statuses & {*DECIDED} and "invalid" not in statuses:
                yield known.needless or known.stale


def no_longer_known(results: ResultLines) -> Iterator[str]:
    """Yield messages about known failures of a behavior that passes, then about biases as `gone`."""
    for known in _entries(results.run):
        if known.behavior and "pass" in _statuses(results, known, "behavior"):
            yield known.stale
    yield from gone(results)


def worsened(comparison: Comparison) -> str:
    """Return the reason why the comparison with the release before refuses a run; "" if it does not."""
    if comparison.accepted:
        return ""
    if worse := comparison.which("worse"):
        return f"Worse than the release before: {_biases(worse)}."
    if comparison.lost:
        return f"No verdict on what the release before decided: {_biases(comparison.lost)}."
    return "Not comparable with the release before."


def missing_biases(results: ResultLines) -> list[str]:
    """Return the biases for which the policy requires a pass or a fail, and that have neither."""
    decided = {verdict.bias for verdict in results.verdicts.values() if verdict.status in DECIDED}
    return [bias for bias in results.run.required if bias not in decided]


def asked_all(run: RunRecord) -> bool:
    """Return True if all tests of the suite have a verdict; a metric that the model does not have is no test."""
    return bool(run.complete) and not run.unjudged


def _gravity(verdict: VerdictRecord) -> tuple[int, bool, float]:
    return BY_GRAVITY.index(verdict.status), is_known(verdict), -_beyond(verdict)


def _beyond(verdict: VerdictRecord) -> float:
    """Return the distance of the observed value beyond what is allowed; below 0 if it is allowed."""
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
    """Return the sentence about a run in which something fails; if nothing passes, it includes all other statuses."""
    failing = [f"{bias}{its.excused}" for bias, its in biases.items() if its.failing]
    named = ", ".join(failing)
    if passing or len(failing) == len(biases):
        return f"Fails {len(failing)} of {of}: {named}."
    others = Counter(its.status for its in biases.values() if not its.failing)
    rest = [_are(status, others[status]) for status in STATUSES if others[status]]
    some = f"the other {rest[0].removeprefix('1 ')}" if len(rest) == 1 else f"of the others {', '.join(rest)}"
    return f"Fails {len(failing)} of {of} ({named}), {some}; none passes."


def _are(status: str, count: int) -> str:
    """Return e.g. "2 are invalid" or "1 has no verdict"."""
    return f"{count} {has(count) if status == NO_VERDICT else _is(count)} {status}"


def _mostly_hollow(verdicts: Sequence[VerdictRecord]) -> str:
    """Return advice if more than half of the verdicts are invalid: their number, and the thing to check; else ""."""
    asked = [verdict for verdict in verdicts if verdict.status != NOT_ASKED]
    hollow = [verdict for verdict in asked if verdict.status == "invalid"]
    if 2 * len(hollow) <= len(asked):
        return ""
    said = f"{len(hollow):,} of {counted(len(asked), 'verdict')} {_is(len(hollow))} invalid"
    causes = [verdict.cause for verdict in hollow]
    if 2 * sum(cause in _OF_THE_DATA for cause in causes) > len(causes):
        return f"{said}, most of them because cases are missing: look at the data."
    if 2 * sum(cause in _OF_THE_WRAPPER for cause in causes) > len(causes):
        return f"{said}, most of them since the model answers alike by construction: ask the model that it wraps."
    if 2 * sum(cause in _UNSOUND for cause in causes) > len(causes):
        return f"{said}, most of them because answers are not sound: look at the checkpoint and at how it is run."
    return f"{said}: the model knows next to nothing. Look at the checkpoint, at its preprocessing and at the data."


def _nothing_passes(verdicts: Sequence[VerdictRecord]) -> str:
    """Return advice if several biases fail and no test passes: such a model has not learned, or is loaded wrongly."""
    failing = {verdict.bias for verdict in verdicts if verdict.status == "fail"}
    if len(failing) < _SEVERAL or any(verdict.status == "pass" for verdict in verdicts):
        return ""
    return "An untrained or wrongly loaded model does the same: look at the checkpoint first."


def _passes(biases: Mapping[str, Standing], passing: Sequence[str], *, whole: bool) -> tuple[Tone, str]:
    """Return the tone and the sentence about a run in which everything that was asked passes."""
    of, named = counted(len(biases), "bias", "biases"), ", ".join(passing)
    if len(passing) < len(biases):
        return "partial", f"Passes {len(passing)} of {of}: {named}. Nothing was asked about the others."
    if not whole:
        return "partial", f"Passes what was asked of {of}, which is not the whole suite: {named}."
    idle = any(one.status == NOT_ASKED for its in biases.values() for one in its.verdicts)
    said = f"Passes {'all ' if len(biases) > 1 else ''}{of}"
    return "pass", f"{said} in what was asked: {named}." if idle else f"{said}: {named}."


def _by_wording(passes: int) -> str:
    """Return a sentence on the verdicts that pass in the usual wording of the question, but not in all."""
    return f"{counted(passes, 'pass depends', 'passes depend')} on the wording of the question."


def _lacking(results: ResultLines) -> str:
    """Return a sentence about required biases without a pass or a fail; "" if there are none."""
    lacking = missing_biases(results)
    return f"The policy requires a pass or a fail of {', '.join(lacking)}, and there is none." if lacking else ""


def _refusal(results: ResultLines, comparison: Comparison | None) -> str:
    """Return the reason why a run is refused though its verdicts pass; "" if there is none."""
    if said := worsened(comparison) if comparison else "":
        return said
    if not (found := list(gone(results))):
        return ""
    stale = {known.stale for known in _entries(results.run)}
    what = "A known bias" if stale.intersection(found) else "A bias that is excused as invalid"
    return f"{what} is gone: the policy is out of date."


def _kept_red(verdicts: Iterable[VerdictRecord]) -> str:
    """Return a sentence about the failures that no known bias excuses; "" if there are none."""
    red = [f"{one.test.rpartition('::')[2]} ({Standing((one,)).said})" for one in gravest_first(verdicts) if gates(one)]
    return f"Kept red by {names_in_brief(red, _MOST_NAMED)}." if red else ""


def _biases(compared: Iterable[Compared]) -> str:
    return ", ".join(sorted({one.bias for one in compared}))


def _counts(verdicts: Sequence[VerdictRecord]) -> str:
    """Return e.g. "Of 56 verdicts, 6 fail, 2 are invalid, 48 pass."."""
    excused = Counter(verdict.status for verdict in verdicts if is_known(verdict))
    fails, hollow = excused["fail"], excused["invalid"]
    known = f"; {fails} of what fails {_is(fails)} known" if fails else ""
    known += f"; {hollow} of what is invalid {_is(hollow)} known, and excused" if hollow else ""
    return f"Of {counted(len(verdicts), 'verdict')}, {', '.join(tally(verdicts))}{known}."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def tally(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the number of verdicts of each status, the gravest first, e.g. "2 are invalid"."""
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
            causes = f" ({', '.join(map(_in_full, causes_of(its)))})" if causes_of(its) else ""
            yield f"{status.capitalize()} (in {', '.join(sorted({one.bias for one in its}))}): {why}{causes}."
            yield from _without_images(its if status == NOT_ASKED else ())


def _in_full(cause: str) -> str:
    """Return a cause with its subject: "the model knows too few cases"."""
    return f"the model {cause}" if cause in _OF_THE_MODEL else cause


def _without_images(verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield the reason of each test that was not asked since no image counts."""
    reasons: dict[str, dict[str, None]] = defaultdict(dict)
    for verdict in verdicts:
        if not verdict.n and verdict.reason:
            reasons[verdict.reason].setdefault(verdict.behavior)
    for reason, tests in islice(reasons.items(), _MOST_NAMED):
        yield f"Not asked: {names_in_brief([*tests], _MOST_NAMED)} ({reason})."


def _not_asked(results: ResultLines) -> Iterator[str]:
    """Yield sentences about biases, metrics and tests without a verdict."""
    run, lacking_one = results.run, unjudged(results)
    verdicts = results.verdicts.values()
    biases = {verdict.bias for verdict in verdicts} | {one.bias for one in lacking_one}
    metrics = {verdict.metric for verdict in verdicts} | {one.metric for one in lacking_one}
    of_foils = any(verdict.claim == "lead" for verdict in verdicts)  # which are asked about alone, by one metric
    if not of_foils and (absent := [bias for bias in BIASES if bias not in (*biases, *OF_FOILS)]):
        yield f"No test was run on {', '.join(absent)}."
    if not of_foils and (lacking := [metric for metric in OF_PICTURES if metric not in metrics]):
        yield from (_without_metric(metric, run) for metric in lacking)
    yield from _unjudged(run)
    if not run.complete and not lacking_one:
        yield "Not the whole suite was asked: tests were left out of this run."


def _without_metric(metric: str, run: RunRecord) -> str:
    """Return a sentence about a metric that no test used."""
    why = "the model has no such score" if run.lacks(metric) else "no test was run with it"
    return f"Nothing was asked with {metric} ({METRICS[metric].meaning}): {why}."


def _unjudged(run: RunRecord) -> Iterator[str]:
    """Yield a sentence about selected tests without a verdict."""
    tests = run.unjudged
    if tests:
        names = [test.rpartition("::")[2] for test in tests]
        why = ", since they were left out, skipped, not reached or ended in an error" if is_ended(run) else ""
        yield f"Without a verdict{why}: {names_in_brief(names, _MOST_NAMED)}."


def _contract(run: RunRecord) -> Iterator[str]:
    """Yield sentences about a model that breaks the contract, or was not checked."""
    contract = run.contract
    if contract and not contract.tried:
        yield (
            "The contract was not tried on this model as it is loaded and installed here: vlcheck models check tells"
            " whether its answers can be relied on."
        )
    if contract and contract.broken:
        named, more = "; ".join(contract.broken[:_MOST_NAMED]), len(contract.broken) - _MOST_NAMED
        yield f"The model breaks the contract (vlcheck models check): {named}{f' and {more} more' if more > 0 else ''}."


def _entries(run: RunRecord) -> Sequence[KnownBias]:
    """Return the policy's known biases."""
    return run.policy.known


def _statuses(results: ResultLines, known: KnownBias, of: Literal["bias", "behavior"]) -> set[str]:
    """Return the statuses of the verdicts that an entry is about, by its bias or by its behavior."""
    about = (one for one in results.verdicts.values() if getattr(one, of) == getattr(known, of))
    return {one.status for one in about if known.metric in ("", one.metric)}
