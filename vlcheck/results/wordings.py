"""Verdicts that depend on the wording of the question, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import counted
from vlcheck.results.records import RunRecord, VerdictRecord

DEPENDS = "depends on the wording"
_MOST_NAMED = 5  # number of verdicts that a sentence names


def depends_on_wording(verdict: VerdictRecord) -> bool:
    """Return True if a verdict has another status in another wording of the question."""
    return any(one.status != verdict.status for one in verdict.wordings)


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
    wordings = "; ".join(f"{number} {one}" for number, one in enumerate(run.wordings, 1))
    if depending:
        rest = len(depending) - _MOST_NAMED
        more = f"; and {rest:,} more" if rest > 0 else ""
        yield (
            f"{counted(len(depending), 'verdict depends', 'verdicts depend')} on the wording of the question:"
            f" {_named(depending[:_MOST_NAMED])}{more}. The first status is the verdict. Wordings: {wordings}"
        )
    else:
        were = "The one verdict" if len(asked) == 1 else f"Each of {len(asked):,} verdicts"
        yield f"{were} on a question in words is the same in all wordings: {wordings}"


def passes_by_wording(verdicts: Iterable[VerdictRecord]) -> int:
    """Return the number of verdicts that pass, and do not pass in another wording of the question."""
    return sum(verdict.passed and depends_on_wording(verdict) for verdict in verdicts)


def _named(verdicts: Iterable[VerdictRecord]) -> str:
    return "; ".join(f"{one.behavior} {one.metric} ({in_each_wording(one)})" for one in verdicts)
