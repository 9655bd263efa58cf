"""The known biases of a run's policy: which verdicts they excuse, and which of them are gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from vlcheck.results.file import ResultLines
from vlcheck.results.records import ExcuseRecord, KnownBias, RunRecord, VerdictRecord
from vlcheck.results.unjudged import asked_all
from vlcheck.stats.decision import DECIDED, OF_A_BIAS


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
        for known in known_entries(results.run):
            statuses = _statuses(results, known, "bias" if known.bias else "behavior")
            if known.bias and statuses == {"pass"}:
                yield known.stale
            elif known.invalid and statuses & {*DECIDED} and "invalid" not in statuses:
                yield known.needless or known.stale


def no_longer_known(results: ResultLines) -> Iterator[str]:
    """Yield messages about known failures of a behavior that passes, then about biases as `gone`."""
    for known in known_entries(results.run):
        if known.behavior and "pass" in _statuses(results, known, "behavior"):
            yield known.stale
    yield from gone(results)


def known_entries(run: RunRecord) -> Sequence[KnownBias]:
    """Return the policy's known biases."""
    return run.policy.known


def _statuses(results: ResultLines, known: KnownBias, of: Literal["bias", "behavior"]) -> set[str]:
    """Return the statuses of the verdicts that an entry is about, by its bias or by its behavior."""
    about = (one for one in results.verdicts.values() if getattr(one, of) == getattr(known, of))
    return {one.status for one in about if known.metric in ("", one.metric)}
