"""The rows of a verdict that a page shows: each is drawn when it is written, so that few are in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from vlcheck.report.page.evidence import RowView
from vlcheck.report.page.survey import FIRST, RowAt


class ShownRows(Sequence[RowView]):
    """Rows of a verdict, each drawn when it is asked for.

    Args:
        rows: the rows, in the order of the page.
        draw: returns a row as the page shows it.
    """

    def __init__(self, rows: Sequence[RowAt], draw: Callable[[RowAt], RowView]) -> None:
        self._rows, self._draw = rows, draw

    @property
    def explained(self) -> list[RowAt]:
        """The rows that have a map."""
        return [row for row in self._rows if row.explained]

    @property
    def front(self) -> ShownRows:
        """The first rows, and those with a map."""
        return self._with([*self._rows[:FIRST], *(row for row in self._rows[FIRST:] if row.explained)])

    @property
    def more(self) -> ShownRows:
        """All other rows."""
        return self._with([row for row in self._rows[FIRST:] if not row.explained])

    @property
    def order(self) -> str:
        """The order of the rows in words, after a semicolon; "" if less than two rows count."""
        ranked = sum(row.rank > 0 for row in self._rows)
        if ranked < 2:
            return ""
        parts = ["the worst, the median and the best" if ranked >= FIRST else "the worst and the best"]
        parts += ["those with a map"] if any(row.explained for row in self._rows[FIRST:]) else []
        parts += ["the rest, the worst first"] if self.more else []
        return f"; {', then '.join(parts)}"

    def _with(self, rows: Sequence[RowAt]) -> ShownRows:
        return ShownRows(rows, self._draw)

    @overload
    def __getitem__(self, at: int) -> RowView: ...

    @overload
    def __getitem__(self, at: slice) -> ShownRows: ...

    def __getitem__(self, at: int | slice) -> RowView | ShownRows:
        return self._with(self._rows[at]) if isinstance(at, slice) else self._draw(self._rows[at])

    def __len__(self) -> int:
        return len(self._rows)
