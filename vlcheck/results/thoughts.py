"""Thoughts that were cut at their limit, beside the verdicts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vlcheck._util.numbers import counted, share
from vlcheck.results.records import VerdictRecord

MANY = 0.10  # share of cut thoughts from which on a sentence advises a higher limit


def thought_notes(verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield a sentence on the share of thoughts that did not end themselves; none for a model that does not think."""
    cut = [verdict.cut for verdict in verdicts if verdict.cut is not None]
    if not cut:
        return
    part = sum(cut) / len(cut)
    over = f"mean over {counted(len(cut), 'verdict')}"
    cure = " A higher limit (SPEC,thought=N) shows what those lead to that met it." if part >= MANY else ""
    yield (
        f"Before its answers the model thought, and {share(part)} of the thoughts ({over}) did not end themselves: they"
        f" met the limit, or the model ended its turn in them.{cure}"
    )
