"""The rate of violations for each place of a thing in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from vlcheck._util.numbers import counted, share, shares
from vlcheck.perturb.place import Cell
from vlcheck.report.cells import GridCell, all_cells
from vlcheck.report.page.charts.image_means import ImageMeans
from vlcheck.report.page.charts.row_chart import ChartView
from vlcheck.report.page.charts.svg import WIDTH, titled_svg, words_at

_GAP, _TALL = 4, 62
_WIDE = (WIDTH - 4 * _GAP) / 3
_DARKEST = 0.5  # opacity of a rate of 100 %, at which words can still be read
_CELL = Markup('<g class="cell"><rect x="{}" y="{}" width="{}" height="{}"/>{}{}</g>')
_SHADE = Markup('<rect class="shade" x="{}" y="{}" width="{}" height="{}" fill-opacity="{}"/>')


def rates_by_place(rates: Mapping[Cell, ImageMeans], alpha: float) -> ChartView:
    """Return the heat map of the rates of violations.

    Args:
        rates: the violating rows by the place of the thing.
        alpha: error rate of each bound.
    """
    cells, said = [], []
    for cell, means in rates.items():
        rate, images = means.mean, counted(len(means.each()), "image")
        interval = shares(*means.interval(alpha))
        cells.append(GridCell(cell, rate, (share(rate), interval, images)))
        said.append(f"{cell} {share(rate)} ({interval}, {images})")
    worst = max(cells, key=lambda one: one.share or 0.0)
    title = f"Rows that violate by the place of the thing: the most, {worst.lines[0]}, are in the {worst.cell} cell"
    caption = "Share that violates where the thing is in that part of the picture, with its interval; darker: more"
    return ChartView(caption, cell_grid(all_cells(cells), title, "; ".join(said)))


def cell_grid(cells: Sequence[GridCell], title: str, desc: str) -> Markup:
    """Return nine cells as a chart.

    Args:
        cells: the nine cells, row by row.
        title: a sentence about its content.
        desc: its numbers in words.
    """
    height = 3 * _TALL + 4 * _GAP
    return titled_svg("places", height, title, desc, (_drawn(one, *divmod(at, 3)) for at, one in enumerate(cells)))


def _drawn(one: GridCell, row: int, column: int) -> Markup:
    x, y = round(_GAP + column * (_WIDE + _GAP), 1), _GAP + row * (_TALL + _GAP)
    where = (x, y, round(_WIDE, 1), _TALL)
    shade = Markup("") if one.share is None else _SHADE.format(*where, round(_DARKEST * one.share, 3))
    return _CELL.format(*where, shade, Markup("").join(_words(one.lines, x + _WIDE / 2, y)))


def _words(lines: Sequence[str], x: float, y: float) -> Iterator[Markup]:
    for place, line in enumerate(lines):
        yield words_at(round(x, 1), y + 22 + 16 * place, line, "middle")
