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
    said = f"Before its answers the model thought, and {share(part)} of the thoughts did not end themselves"
    over = f" (mean over {counted(len(cut), 'verdict')})"
    cure = (
        "; they were ended at the limit: a higher one (SPEC,thought=N) shows what they lead to" if part >= MANY else ""
    )
    yield f"{said}{over}{cure}."
