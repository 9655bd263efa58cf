"""Reasons for which things are left out, counted, with one example of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Reason(NamedTuple):
    """The reason for which one thing is left out.

    Attributes:
        why: the reason.
        example: the place that shows it, such as a file and line; "" if there is none.
    """

    why: str
    example: str = ""

    def __str__(self) -> str:
        return f"{self.why}, e.g. {self.example.rstrip('.')}" if self.example else self.why


def count_reasons(reasons: Iterable[Reason]) -> Counter[str]:
    """Count reasons; each is written with the example of its first occurrence."""
    first: dict[str, Reason] = {}
    return Counter(str(first.setdefault(reason.why, reason)) for reason in reasons)
