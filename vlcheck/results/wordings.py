"""Verdicts that depend on the wording of the question, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import counted
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.stats.decision import DECIDED

DEPENDS = "depends on the wording"
_MOST_NAMED = 5  # number of verdicts that a sentence names


def depends_on_wording(verdict: VerdictRecord) -> bool:
    """Return True if a verdict is *pass* in one wording of the question and *fail* in another one.

    A verdict that is decided in some wordings alone shows no dependence: chance alone moves one over that border.
    """
    return {*_statuses(verdict)} >= {*DECIDED}


def in_each_wording(verdict: VerdictRecord) -> str:
    """Return the status of a verdict in each wording, the usual one first, e.g. "pass; fail and pass in others"."""
    return f"{verdict.status}; {' and '.join(one.status for one in verdict.wordings)} in others"


def wording_notes(run: RunRecord, verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield sentences on how far the verdicts of a run depend on the wording; none if it was asked in one alone.

    Args:
        run: the first line of the results, which names the wordings.
        verdicts: the verdicts' lines.
    """
    asked = [verdict for verdict in verdicts if verdict.wordings]
    if not asked:
        return
    depending = [verdict for verdict in asked if depends_on_wording(verdict)]
    partly = [verdict for verdict in asked if _partly_decided(verdict) and not depends_on_wording(verdict)]
    same = sum(map(_decided_everywhere, asked)) - sum(map(_decided_everywhere, depending))
    if depending:
        depend = counted(len(depending), "verdict depends", "verdicts depend")
        yield f"{depend} on the wording of the question: {_named(depending)}. The first status is the verdict."
    if partly:
        are = counted(len(partly), "verdict is", "verdicts are")
        yield f"{are} decided in some wordings of the question alone, which shows no dependence: {_named(partly)}."
    if same:
        yield f"{counted(same, 'verdict', 'verdicts')} on a question in words: the same in all wordings."
    if not (depending or partly or same):
        yield "No verdict on a question in words was decided: nothing shows whether they depend on the wording."
    yield f"Wordings: {'; '.join(f'{number} {one}' for number, one in enumerate(run.wordings, 1))}."


def passes_by_wording(verdicts: Iterable[VerdictRecord]) -> int:
    """Return the number of verdicts that pass, and fail in another wording of the question."""
    return sum(verdict.passed and depends_on_wording(verdict) for verdict in verdicts)


def _statuses(verdict: VerdictRecord) -> tuple[str, ...]:
    return (verdict.status, *(one.status for one in verdict.wordings))


def _decided_everywhere(verdict: VerdictRecord) -> bool:
    return all(status in DECIDED for status in _statuses(verdict))


def _partly_decided(verdict: VerdictRecord) -> bool:
    return any(status in DECIDED for status in _statuses(verdict)) and not _decided_everywhere(verdict)


def _named(verdicts: Sequence[VerdictRecord]) -> str:
    named = [f"{one.behavior} {one.metric} ({in_each_wording(one)})" for one in verdicts[:_MOST_NAMED]]
    rest = len(verdicts) - _MOST_NAMED
    return "; ".join([*named, f"and {rest:,} more"] if rest > 0 else named)
