"""The form of charts that are drawn from all rows of a verdict, which come one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from vlcheck.results.records import EvidenceRecord


@dataclass(frozen=True)
class ChartView:
    """A chart of a verdict.

    Attributes:
        caption: the key to its marks.
        drawing: the chart.
    """

    caption: str
    drawing: Markup


class RowChart(Protocol):
    """A chart that is made of rows, of which it keeps a few numbers."""

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""

    def view(self) -> ChartView | None:
        """Return the chart of the rows so far; None if they do not make one."""


def captioned(*parts: str) -> str:
    """Return the parts of a caption as one; empty ones are left out."""
    return "; ".join(filter(None, parts))
