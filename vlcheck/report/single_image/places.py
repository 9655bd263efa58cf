"""The scores of one photograph's thing in each cell of a 3 x 3 grid, as lines and as cells: no verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from vlcheck._util.numbers import brief, figure
from vlcheck.cases.box import Box
from vlcheck.errors import printable
from vlcheck.perturb.place import Cell
from vlcheck.report.cells import GridCell, all_cells, cell_lines

_WORD = 40  # characters of a word
_EMPTY = "no score"


@dataclass(frozen=True)
class PlacedScore:
    """The score of the true word with the thing in one cell.

    Attributes:
        score: the score.
        loss: the score in the middle, less this score.
        holds: whether the loss is within the tolerance; None if it says nothing.
    """

    score: float
    loss: float
    holds: bool | None = None


@dataclass(frozen=True)
class PlacedScores:
    """The scores of one metric in all cells.

    Attributes:
        by_cell: the scores of the cells that have one.
        reasons: why others have none, or why none is said to hold or to fall.
    """

    by_cell: Mapping[Cell, PlacedScore]
    reasons: tuple[str, ...] = ()

    @property
    def cells(self) -> list[GridCell]:
        """The nine cells; the more is lost, the darker."""
        return all_cells([_cell(cell, one) for cell, one in self.by_cell.items()], _EMPTY)


@dataclass(frozen=True)
class PlacedThing:
    """A thing that is cut out of a photograph, and put into each cell.

    Attributes:
        word: the word that names it.
        box: its box in pixels of the photograph.
        within: the loss at which a score no longer holds.
        image: the thing in the middle.
        scores: metric -> scores.
    """

    word: str
    box: Box
    within: float
    image: Image.Image
    scores: Mapping[str, PlacedScores]

    @property
    def title(self) -> str:
        """The question: the word, and what was done with the thing that it names."""
        word, box = printable(self.word, _WORD), box_text(self.box)
        return f"'{word}' for the thing in the box {box}, cut out and alone in each cell"

    @property
    def meaning(self) -> str:
        """The meaning of the words in cells; "" if no cell has one."""
        judged = any(one.holds is not None for scores in self.scores.values() for one in scores.by_cell.values())
        return f"holds: less than {brief(self.within)} under the score in the middle; falls: more" if judged else ""


def box_text(box: Box) -> str:
    """Return a box as it is typed: "120,80,60,90"."""
    return ",".join(f"{brief(edge)}" for edge in box)


def place_lines(places: PlacedThing) -> Iterator[str]:
    """Yield the grid of each metric as lines for a terminal."""
    yield places.title
    for metric, scores in places.scores.items():
        if scores.by_cell:
            yield metric.upper()
            yield from cell_lines(scores.cells)
        yield from (f"{metric.upper()}: {printable(reason)}" for reason in scores.reasons)
    yield from filter(None, [places.meaning])


def _cell(cell: Cell, one: PlacedScore) -> GridCell:
    said = {True: " holds", False: " falls", None: ""}[one.holds]
    shade = None if math.isnan(one.loss) else min(max(one.loss, 0.0), 1.0)
    return GridCell(cell, shade, (f"{figure(one.score, 4)}{said}",))
