"""The answer of a model to a query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)  # memory: as Query
class Answer:
    """The answer to a query: values, or the reason why there are none.

    Attributes:
        values: mlm, mrc: one probability in [0, 1] for each of the query's words, in order; itm: one value, P(match).
        top: mlm: the likeliest words at the mask, likeliest first, if the model names words; the probability that one
            of the words occurs, if it only compares words. itm: P(yes) and P(no), if the model answers a question.
        unasked: the reason why the question makes no sense, given by a perturbation; else "".
        error: the error that occurred, for example a photograph that cannot be decoded; else "".
    """

    values: tuple[float, ...] = ()
    top: tuple[tuple[str, float], ...] = ()
    unasked: str = ""
    error: str = ""


Top = tuple[tuple[str, float], ...]
