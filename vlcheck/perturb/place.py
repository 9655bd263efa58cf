"""Moving an object: the same thing elsewhere in the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import ClassVar, Literal, get_args

from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.box import Box
from vlcheck.cases.case import Case, ImageSource
from vlcheck.cases.picture import Picture
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled
from vlcheck.perturb.combine import refuting_cases
from vlcheck.perturb.image import mean_color, span_of

Cell = Literal[
    "top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"
]  # the cells of a 3 x 3 grid, row by row

CELLS: tuple[Cell, ...] = get_args(Cell)


@dataclass(frozen=True)
class _IntoCell(Labelled):
    """Base of perturbations that move the target into a cell of a 3 x 3 grid.

    Attributes:
        cell: one of CELLS.
    """

    cell: Cell

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"{type(self).__name__}: {self.cell!r} is none of {', '.join(CELLS)}")


@dataclass(frozen=True)
class CutOut(_IntoCell):
    """Show the target alone, on the picture's mean color, in a cell of a 3 x 3 grid.

    It is scaled down if it is larger than a cell, and never scaled up.

    Attributes:
        cell: one of CELLS.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Box, Solid, View
        >>> red = Solid((60, 60), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="a ball", target="ball", region=(Box(30, 30, 10, 10),))
        >>> CutOut("top left")(View.of(case), ()).region
        (Box(x=5, y=5, width=10, height=10),)
    """

    name: ClassVar[str] = "cut-out"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if len(view.region) != 1:
            raise NotApplicable(f"the target is in {len(view.region) or 'no'} places, not in one")
        picture, box = _before_pasting(view)
        piece = Paste(box, self.cell)
        return replace(view, picture=picture.then(piece), region=(piece.place(picture.source.size),), other_region=())


def _before_pasting(view: View) -> tuple[Picture, Box]:
    """Return the picture and the target's box; an object that was pasted before is moved, not pasted again."""
    edits = view.picture.edits
    if edits and isinstance(edits[-1], Paste):
        return replace(view.picture, edits=edits[:-1]), edits[-1].box
    return view.picture, view.region[0]


@dataclass(frozen=True)
class Paste:
    """Paste a box of the picture into a cell of the grid, on the picture's mean color.

    Attributes:
        box: a box in pixels of the picture as edited so far; it includes pixels that it covers in part.
        cell: one of CELLS.
    """

    box: Box
    cell: Cell

    name: ClassVar[str] = "paste"
    version: ClassVar[int] = 1
    always_applies: ClassVar[bool] = True

    def place(self, size: tuple[int, int]) -> Box:
        """Return the box after pasting, in whole pixels.

        Args:
            size: width and height of the picture in pixels.
        """
        rows, columns = span_of(self.box)
        width, height = columns.stop - columns.start, rows.stop - rows.start
        scale = min(1.0, size[0] / 3 / width, size[1] / 3 / height)
        width, height = max(1, int(width * scale)), max(1, int(height * scale))
        row, column = divmod(CELLS.index(self.cell), 3)
        left = int(size[0] * (2 * column + 1) / 6 - width / 2)
        top = int(size[1] * (2 * row + 1) / 6 - height / 2)
        return Box(left, top, width, height)

    def edit(self, image: Image.Image) -> Image.Image:
        ground = _ground(image, image.size)
        self.onto(ground, image)
        return ground

    def onto(self, ground: Image.Image, image: Image.Image) -> None:
        """Paste the box of a picture onto a ground.

        Args:
            ground: the ground; it is changed.
            image: the picture.
        """
        rows, columns = span_of(self.box)
        left, top, width, height = map(int, self.place(ground.size))
        piece = image.crop((columns.start, rows.start, columns.stop, rows.stop))
        ground.paste(piece.resize((width, height), Image.Resampling.LANCZOS), (left, top))


@dataclass(frozen=True)
class Collage(_IntoCell):
    """Show the target in a cell of a 3 x 3 grid, and in each other cell a thing of another picture.

    Each of the other pictures is known to refute the text, so that the text is about the target alone. They are the
    same for each cell, and in every run. From cell to cell they move with the target, so that over all cells each thing
    is once in each place.

    Attributes:
        cell: one of CELLS.

    Example:
        >>> import vlcheck
        >>> from vlcheck.perturb import View
        >>> cases = vlcheck.open_cases("scenes:30").select(vlcheck.with_target("single"))
        >>> view = Collage("top left")(View.of(cases[0]), cases)
        >>> view.picture.source.size == cases[0].image.size, view.region[0].x < cases[0].image.size[0] / 3
        (True, True)
    """

    name: ClassVar[str] = "collage"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if len(view.region) != 1 or view.picture.edits:
            raise NotApplicable("the target is not in one place of an unedited picture")
        in_one_place = (other for other in refuting_cases(view.case, others) if len(other.region) == 1)
        refuting = list(islice(in_one_place, len(CELLS) - 1))
        if len(refuting) < len(CELLS) - 1:
            raise NotApplicable(f"fewer than {len(CELLS) - 1} other pictures are known to refute the caption")
        first = CELLS.index(self.cell)
        cells = CELLS[first + 1 :] + CELLS[:first]
        own = CollagePiece(view.case.image, Paste(view.region[0], self.cell))
        placed = [
            CollagePiece(other.image, Paste(other.region[0], cell))
            for other, cell in zip(refuting, cells, strict=False)
        ]
        image = CollageImage(view.case.image.size, (own, *placed))
        return replace(view, picture=Picture(image), region=(own.paste.place(image.size),), other_region=())


@dataclass(frozen=True)
class CollagePiece:
    """A box of a picture that is pasted into a cell of a collage.

    Attributes:
        image: the picture.
        paste: the box, in pixels of the picture, and the cell.
    """

    image: ImageSource
    paste: Paste

    @property
    def key(self) -> str:
        """The picture, the box and the cell, as a text."""
        return f"{self.image.key} {tuple(self.paste.box)} {self.paste.cell}"


@dataclass(frozen=True)
class CollageImage:
    """A picture of pieces of other pictures, on the mean color of the first one.

    Attributes:
        size: width and height in pixels.
        pieces: the pieces.
    """

    size: tuple[int, int]
    pieces: tuple[CollagePiece, ...]

    @cached_property
    def key(self) -> str:
        """A digest of the size, and of each piece's picture, box and cell."""
        return digest(str(self.size), *(piece.key for piece in self.pieces))

    def open(self) -> Image.Image:
        """Paste the pieces."""
        collage = _ground(self.pieces[0].image.open(), self.size)
        for piece in self.pieces:
            piece.paste.onto(collage, piece.image.open())
        return collage


def _ground(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture of one color, the mean color of another one.

    Args:
        image: the other picture.
        size: width and height in pixels.
    """
    return Image.new("RGB", size, tuple(mean_color(image).tolist()))


_CELL_OF = re.compile(rf"\b(?:{CutOut.name}|{Collage.name})\(({'|'.join(CELLS)})\)")


def cell_of(label: str) -> Cell | None:
    """Return the cell into which a perturbation moves the target; None if it moves it into none.

    Args:
        label: the perturbation's label.

    Example:
        >>> cell_of(CutOut("top left").label)
        'top left'
    """
    found = _CELL_OF.search(label)
    return CELLS[CELLS.index(found[1])] if found else None
