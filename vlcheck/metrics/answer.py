"""What came of a query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came of a query: values, or why there are none.

    Attributes:
        values: mlm, mrc: one probability for each of the query's words, in their order; itm: one, P(match).
        top: mlm, where the model names words: the likeliest at the mask, best first; where it only compares words: how
            likely any of them is; itm, where it answers a question: how likely yes and no are.
        unasked: why the question makes no sense (a perturbation's reason), else "".
        error: what went wrong (the photograph does not decode, the model raised), else "".
    """

    values: tuple[float, ...] = ()
    top: tuple[tuple[str, float], ...] = ()
    unasked: str = ""
    error: str = ""


Top = tuple[tuple[str, float], ...]
