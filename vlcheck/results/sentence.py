"""The sentence of a conclusion: which biases fail or pass, how many verdicts, and what to look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from vlcheck._util.numbers import counted, part_of, verb
from vlcheck.results.bias_matrix import NO_VERDICT, STATUSES, Standing
from vlcheck.results.known_biases import is_known
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.decision import BY_GRAVITY, NOT_ASKED

Tone = Literal["fail", "excused", "invalid", "inconclusive", "pass", "partial"]
_OF_THE_DATA = ("no cases", "one image")  # causes that lie in the data, not in the model
_OF_THE_WRAPPER = ("by construction",)  # causes that lie in what a model states of itself
_UNSOUND = ("errors", "not finite", "refused", "changed")  # causes that do not show what the model knows
_SEVERAL = 3  # number of biases; if as many fail and nothing passes, it is hardly a bias
NOTHING_DECIDED = "Nothing was decided: this run says nothing about the model."


def said_of_biases(biases: Mapping[str, Standing], *, whole: bool) -> tuple[Tone, str]:
    """Return the tone and the sentence of a run's verdicts.

    Args:
        biases: the tests by bias, the gravest first.
        whole: whether the whole suite was asked.
    """
    of = counted(len(biases), "bias", "biases")
    passing = [bias for bias, its in biases.items() if its.status == "pass"]
    if failing := [its for its in biases.values() if its.failing]:
        return "excused" if all(its.known for its in failing) else "fail", _fails(biases, of, passing)
    if passing and all(its.status in ("pass", NOT_ASKED) for its in biases.values()):
        return _passes(biases, passing, whole=whole)
    statuses = {its.status for its in biases.values()}
    tone: Tone = "invalid" if "invalid" in statuses else "inconclusive"
    if any(one.status == "pass" for its in biases.values() for one in its.verdicts):
        pass_ = f"{len(passing)} of {of} {verb(len(passing), 'passes', 'pass')}"
        none = f"none of {of} passes" if len(biases) > 1 else "the one that was asked about does not pass"
        tone = tone if statuses & {"invalid", "inconclusive"} else "partial"
        return tone, f"No bias in what was decided: {pass_ if passing else none}."
    return tone, NOTHING_DECIDED


def said_counts(verdicts: Sequence[VerdictRecord]) -> str:
    """Return e.g. "Of 56 verdicts, 6 fail, 2 are invalid, 48 pass."."""
    excused = Counter(verdict.status for verdict in verdicts if is_known(verdict))
    fails, hollow = excused["fail"], excused["invalid"]
    known = f"; {fails} of what fails {verb(fails, 'is', 'are')} known" if fails else ""
    known += f"; {hollow} of what is invalid {verb(hollow, 'is', 'are')} known, and excused" if hollow else ""
    return f"Of {counted(len(verdicts), 'verdict')}, {', '.join(tally(verdicts))}{known}."


def tally(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the number of verdicts of each status, the gravest first, e.g. "2 are invalid"."""
    counts = Counter(verdict.status for verdict in verdicts)
    verbs = {"fail": "fails", "pass": "passes"}
    for status in BY_GRAVITY:
        if count := counts[status]:
            adjective = f"{verb(count, 'is', 'are')} {status}"
            yield f"{count} {adjective if status not in verbs else verbs[status] if count == 1 else status}"


def said_if_hollow(verdicts: Sequence[VerdictRecord]) -> str:
    """Return advice if more than half of the verdicts are invalid: their number, and the thing to check; else ""."""
    asked = [verdict for verdict in verdicts if verdict.status != NOT_ASKED]
    hollow = [verdict for verdict in asked if verdict.status == "invalid"]
    if 2 * len(hollow) <= len(asked):
        return ""
    said = f"{part_of(len(hollow), len(asked), 'verdict')} {verb(len(hollow), 'is', 'are')} invalid"
    causes = [verdict.cause for verdict in hollow]
    if 2 * sum(cause in _OF_THE_DATA for cause in causes) > len(causes):
        return f"{said}, most of them because cases are missing: look at the data."
    if 2 * sum(cause in _OF_THE_WRAPPER for cause in causes) > len(causes):
        return f"{said}, most of them since the model answers alike by construction: ask the model that it wraps."
    if 2 * sum(cause in _UNSOUND for cause in causes) > len(causes):
        return f"{said}, most of them because answers are not sound: look at the checkpoint and at how it is run."
    return f"{said}: the model knows next to nothing. Look at the checkpoint, at its preprocessing and at the data."


def said_if_nothing_passes(verdicts: Sequence[VerdictRecord]) -> str:
    """Return advice if several biases fail and no test passes: such a model has not learned, or is loaded wrongly."""
    failing = {verdict.bias for verdict in verdicts if verdict.status == "fail"}
    if len(failing) < _SEVERAL or any(verdict.status == "pass" for verdict in verdicts):
        return ""
    return "An untrained or wrongly loaded model does the same: look at the checkpoint first."


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
    return f"{count} {verb(count, 'has', 'have') if status == NO_VERDICT else verb(count, 'is', 'are')} {status}"


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
