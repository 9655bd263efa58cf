"""A line over dates, in SVG: how many of a cell's verdicts passed in each run of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from vlcheck._util.numbers import counted, day

_WIDTH, _HEIGHT = 96, 26
_EDGE = 7  # room around the line for half a shape
_SHAPE = 9  # width of a shape
_MOST_SAID = 12  # runs that the text alternative tells one by one


@dataclass(frozen=True)
class DatedCell:
    """A cell of a table in one of several runs of a model.

    Attributes:
        date: the time of the run's start.
        status: the gravest status of its verdicts.
        passes: number of its verdicts that pass.
        of: number of its verdicts.
    """

    date: datetime
    status: str
    passes: int
    of: int

    @property
    def height(self) -> float:
        """The y coordinate, in pixels: at the top if all verdicts pass."""
        return round(_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * self.passes / max(self.of, 1), 1)

    @property
    def said(self) -> str:
        """The cell in words."""
        return f"{self.passes} of {self.of} ({self.status}) on {day(self.date)}"


def sparkline(cells: Sequence[DatedCell]) -> Markup:
    """Draw the share of verdicts that pass over dates, with a shape where the status changes and at the end.

    Args:
        cells: the cell in at least two runs, from the oldest to the latest.
    """
    places = list(_places(cells))
    line = " ".join(f"{x},{cell.height}" for x, cell in zip(places, cells, strict=True))
    shapes = (
        _shape(x, cell)
        for x, cell, after in zip(places, cells, [*cells[1:], None], strict=True)
        if after is None or cell.status != after.status
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<path class="axis" d="M{} {}H{}M{} {}H{}"/><polyline class="trend" points="{}"/>{}</svg>'
    ).format(_WIDTH, _HEIGHT, _label(cells), *_frame(), line, Markup("").join(shapes))


def _places(cells: Sequence[DatedCell]) -> Iterator[float]:
    """Yield the x coordinates: in proportion to time, or at equal distances if all runs are of one moment."""
    first, last = cells[0].date, cells[-1].date
    whole = (last - first).total_seconds()
    for number, cell in enumerate(cells):
        part = (cell.date - first).total_seconds() / whole if whole else number / (len(cells) - 1)
        yield round(_EDGE + (_WIDTH - 2 * _EDGE) * part, 1)


def _frame() -> tuple[int, ...]:
    """Return the ends of the lines at which none and all verdicts pass."""
    top, bottom, right = _EDGE, _HEIGHT - _EDGE, _WIDTH - _EDGE
    return _EDGE, bottom, right, _EDGE, top, right


def _shape(x: float, cell: DatedCell) -> Markup:
    status = cell.status.replace(" ", "-")
    return Markup('<use class="{0}" href="#s-{0}" x="{1}" y="{2}" width="{3}" height="{3}"/>').format(
        status, round(x - _SHAPE / 2, 1), round(cell.height - _SHAPE / 2, 1), _SHAPE
    )


def _label(cells: Sequence[DatedCell]) -> str:
    """Return the line in words; of many runs the first, the last, the best and the worst ones."""
    if len(cells) <= _MOST_SAID:
        return f"passes {', '.join(cell.said for cell in cells)}"
    worst, best = (choose(cells, key=lambda cell: cell.passes / max(cell.of, 1)) for choose in (min, max))
    return (
        f"{counted(len(cells), 'run')}: passes first {cells[0].said}, last {cells[-1].said};"
        f" fewest {worst.said}, most {best.said}"
    )
