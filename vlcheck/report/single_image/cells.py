"""Draws the 3 x 3 grid of a picture with a number in each cell, for a figure."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from vlcheck.report.cells import GridCell
from vlcheck.report.single_image.fonts import legible

_GAP, _SIZE = 4, 16  # pixels between cells, and size of the font
_LIGHT, _DARK, _INK, _EDGE = 255, 150, "#1b1b1b", "#5a5a5a"  # gray of a share of 0 and of 1: ink can be read on both


def draw_cells(cells: Sequence[GridCell], width: int) -> Image.Image:
    """Draw the nine cells, row by row; a cell of which nothing is known is crossed out.

    Args:
        cells: the nine cells: see `vlcheck.report.cells.all_cells`.
        width: width in pixels.
    """
    lines = max(len(one.lines) for one in cells)
    wide, tall = (width - 4 * _GAP) // 3, round(_SIZE * 1.4 * (lines + 1))
    sheet = Image.new("RGB", (width, 3 * tall + 4 * _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, one in enumerate(cells):
        row, column = divmod(place, 3)
        left, top = _GAP + column * (wide + _GAP), _GAP + row * (tall + _GAP)
        _draw_cell(pen, one, (left, top, left + wide - 1, top + tall - 1))
    return sheet


def _draw_cell(pen: ImageDraw.ImageDraw, one: GridCell, frame: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = frame
    gray = _LIGHT if one.share is None else round(_LIGHT + (_DARK - _LIGHT) * one.share)
    pen.rectangle(frame, fill=(gray, gray, gray), outline=_EDGE)
    if one.share is None:
        pen.line((left, bottom, right, top), fill=_EDGE)
    for place, line in enumerate(one.lines):
        shown, font = legible(line, _SIZE)
        height = top + _SIZE * 1.4 * (place + 0.5)
        pen.text(((left + right) / 2, height), shown, _INK, font, anchor="ma")
