"""The players of MM-SHAP: the tokens of a text and the cells of a grid over its picture.

Source: Parcalabescu and Frank 2022, arXiv:2212.08158, section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vlcheck.cases.box import Box
from vlcheck.models.differentiable import WHOLE, ImageLayout, PairInputs

SPECIALS = 2  # the most special tokens that count for the grid: CLS and SEP


@dataclass(frozen=True, eq=False)
class Players:
    """The parts of one pair of picture and text that are present or absent.

    The grid has ceil(sqrt(T)) rows and columns for a text of T tokens, special tokens among them, so that both
    modalities have about as many players. The words of a prompt are no players and do not count.

    Attributes:
        inputs: the pair.
        absent_token: the id that takes the place of a token that is absent.
        tokens: the places of the tokens that are players, (text players,).
        cells: for each cell that is a player, True at its part of the picture: (image players, height, width) for
            pixels, (image players, units) for rows of patches or regions.
        places: for each cell that is a player, its row and column.
        side: rows and columns of the grid.
    """

    inputs: PairInputs
    absent_token: int
    tokens: tuple[int, ...]
    cells: Tensor
    places: tuple[tuple[int, int], ...]
    side: int

    @classmethod
    def of(cls, inputs: PairInputs, absent_token: int) -> Players:
        """Return the players of a pair.

        A cell is a square of pixels; where the sides of the picture are no multiples of the grid's, the pixels that
        are left over at the right and at the bottom are always present. Rows of patches or regions belong to the cell
        in which the centre of their box lies, and a cell without any is no player.

        Args:
            inputs: one pair.
            absent_token: the id that takes the place of a token that is absent.
        """
        said = inputs.attention[0].bool()
        words = (said & ~inputs.special[0]).nonzero()[:, 0].tolist()
        side = math.ceil(math.sqrt(min(int(said.sum()), len(words) + SPECIALS)))
        pixels = inputs.pixels.ndim == 4
        cells = _squares(inputs.pixels, side) if pixels else _of_units(inputs.layouts[0], side).to(inputs.pixels.device)
        filled = cells.flatten(1).any(1)
        places = tuple(divmod(cell, side) for cell in filled.nonzero()[:, 0].tolist())
        return cls(inputs, absent_token, tuple(words), cells[filled], places, side)

    def __len__(self) -> int:
        return len(self.tokens) + len(self.cells)

    @property
    def layout(self) -> ImageLayout:
        """The places of the cells in the picture."""
        frame = _frame(self) if self.inputs.pixels.ndim == 4 else WHOLE
        grid = ImageLayout.of_grid(self.side, self.side, frame)
        boxes = tuple(grid.boxes[row * self.side + column] for row, column in self.places)
        return grid if boxes == grid.boxes else ImageLayout(boxes)

    def pictures(self, present: np.ndarray) -> PairInputs:
        """Return the pair once for each coalition of cells; absent cells are 0.

        Args:
            present: (coalitions, image players), bool.
        """
        absent = torch.from_numpy(~present).to(self.cells.device)
        hidden = (absent.float() @ self.cells.flatten(1).float()).bool().view(len(present), *self.cells.shape[1:])
        hidden = hidden[:, None] if self.inputs.pixels.ndim == 4 else hidden[..., None]
        return replace(self.copies(len(present)), pixels=self.inputs.pixels.masked_fill(hidden, 0))

    def texts(self, present: np.ndarray) -> PairInputs:
        """Return the pair once for each coalition of tokens; an absent token is replaced, its attention stays.

        Args:
            present: (coalitions, text players), bool.
        """
        ids = self.inputs.ids.repeat(len(present), 1)
        kept = torch.from_numpy(present).to(ids.device)
        ids[:, list(self.tokens)] = ids[:, list(self.tokens)].where(kept, self.absent_token)
        return replace(self.copies(len(present)), ids=ids)

    def copies(self, n: int) -> PairInputs:
        """Return the pair n times; nothing is copied."""
        one = self.inputs
        return replace(
            one,
            pixels=several(one.pixels, n),
            ids=several(one.ids, n),
            attention=several(one.attention, n),
            special=several(one.special, n),
            tokens=one.tokens * n,
            layouts=one.layouts * n,
            masks=several(one.masks, n),
            pieces=one.pieces * n,
            others={name: several(tensor, n) for name, tensor in one.others.items()},
        )


def several(row: Tensor, n: int) -> Tensor:
    """Return a tensor of one row n times, (n, ...), as a view.

    Args:
        row: (1, ...).
        n: number of rows.
    """
    return row.expand(n, *row.shape[1:])


def _squares(pixels: Tensor, side: int) -> Tensor:
    """Return the squares of a grid over pixels, row by row: (side * side, height, width), bool."""
    height, width = pixels.shape[-2:]
    rows = torch.arange(height, device=pixels.device) // (height // side)
    columns = torch.arange(width, device=pixels.device) // (width // side)
    cells = [(rows == row)[:, None] & (columns == column) for row in range(side) for column in range(side)]
    return torch.stack(cells)


def _of_units(layout: ImageLayout, side: int) -> Tensor:
    """Return which units have their centre in which cell, row by row: (side * side, units), bool."""
    cells = torch.zeros(side * side, len(layout.boxes), dtype=torch.bool)
    for unit, box in enumerate(layout.boxes):
        row, column = (
            min(max(int(centre * side), 0), side - 1) for centre in (box.y + box.height / 2, box.x + box.width / 2)
        )
        cells[row * side + column, unit] = True
    return cells


def _frame(players: Players) -> Box:
    """Return the part of the picture over which the squares lie, in fractions of its width and height."""
    boxes = players.inputs.layouts[0].boxes
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    seen_width = max(box.x + box.width for box in boxes) - left
    seen_height = max(box.y + box.height for box in boxes) - top
    covered = [(pixels - pixels % players.side) / pixels for pixels in players.inputs.pixels.shape[-2:]]
    return Box(left, top, seen_width * covered[1], seen_height * covered[0])
