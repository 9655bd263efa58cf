"""The scores of rows before and after an edit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from markupsafe import Markup

from vlcheck._util.numbers import counted, figure
from vlcheck.report.page.charts.svg import (
    SLOPE_BOTTOM,
    SLOPE_LEFT,
    SLOPE_RIGHT,
    SLOPE_TOP,
    WIDTH,
    Axis,
    height_of,
    svg,
)

_LINES, _DOTS = 150, 400  # the most that are drawn
_BINS = 60
_STRIP_BOTTOM, _STRIP_TOP = 82, 10


class Moved(NamedTuple):
    """The scores of a row; `violates` is None if nothing is claimed about a single row."""

    before: float
    after: float | None
    violates: bool | None


def movement(rows: Sequence[Moved]) -> Markup | None:
    """Draw the scores of rows: lines from before to after, or dots if there is no after; None without a row."""
    pairs = [row for row in rows if row.after is not None]
    if pairs:
        return _slopes(pairs)
    return _strip(rows) if rows else None


def _slopes(rows: Sequence[Moved]) -> Markup:
    """Draw each row as a line, the steepest fall first; of many rows an even choice."""
    ordered = sorted(rows, key=lambda row: (row.after or 0.0) - row.before)
    drawn = _evenly(ordered, _LINES)
    lines: Mapping[bool, list[str]] = defaultdict(list)
    for row in drawn:
        lines[bool(row.violates)].append(f"M{SLOPE_LEFT} {height_of(row.before)}L{SLOPE_RIGHT} {height_of(row.after)}")
    before, after = fmean(row.before for row in rows), fmean(row.after or 0.0 for row in rows)
    means = f"mean {figure(before)} before, {figure(after)} after"
    label = f"score before and after: {means}, {_counts(rows)}{_chosen(drawn, rows)}"
    parts = [
        Markup('<path class="axis" d="M{0} {2}V{3}M{1} {2}V{3}"/>').format(
            SLOPE_LEFT, SLOPE_RIGHT, SLOPE_TOP, SLOPE_BOTTOM
        ),
        *(_path("violating" if violating else "holding", lines[violating]) for violating in (False, True)),
        Markup('<path class="mean" d="M{} {}L{} {}"/>').format(
            SLOPE_LEFT, height_of(before), SLOPE_RIGHT, height_of(after)
        ),
        Markup('<text x="{}" y="16" text-anchor="end">1</text><text x="{}" y="146" text-anchor="end">0</text>').format(
            SLOPE_LEFT - 6, SLOPE_LEFT - 6
        ),
        Markup('<text x="{}" y="160" text-anchor="middle">before {}</text>').format(SLOPE_LEFT, figure(before)),
        Markup('<text x="{}" y="160" text-anchor="middle">after {}</text>').format(SLOPE_RIGHT, figure(after)),
    ]
    return svg("slopes", WIDTH, 166, label, parts)


def _strip(rows: Sequence[Moved]) -> Markup:
    """Draw each row as a dot over its score; of many rows an even choice."""
    drawn = _evenly(sorted(rows, key=lambda row: row.before), _DOTS)
    axis = Axis(0.0, 1.0)
    stacks: Mapping[int, list[Moved]] = defaultdict(list)
    for row in drawn:
        stacks[round(_BINS * min(max(row.before, 0.0), 1.0))].append(row)
    step = min(5.0, (_STRIP_BOTTOM - _STRIP_TOP) / max(map(len, stacks.values())))
    dots: Mapping[bool, list[str]] = defaultdict(list)
    for place, stack in stacks.items():
        for level, row in enumerate(sorted(stack, key=lambda row: not row.violates)):
            at = f"M{axis(place / _BINS)} {_STRIP_BOTTOM - 4 - level * step:.1f}h0"
            dots[bool(row.violates)].append(at)
    mean = fmean(row.before for row in rows)
    parts = [
        Markup('<path class="axis" d="M{} {}H{}"/>').format(axis(0), _STRIP_BOTTOM, axis(1)),
        *(_path(f"dots {'violating' if violating else 'holding'}", dots[violating]) for violating in (False, True)),
        Markup('<path class="mean" d="M{} {}v8"/>').format(axis(mean), _STRIP_BOTTOM - 2),
        *(Markup('<text x="{}" y="98" text-anchor="{}">{}</text>').format(*at) for at in _strip_labels(axis, mean)),
    ]
    label = f"scores: mean {figure(mean)}, {_counts(rows)}{_chosen(drawn, rows)}"
    return svg("strip", WIDTH, 102, label, parts)


def _strip_labels(axis: Axis, mean: float) -> Iterable[tuple[float, str, str]]:
    """Yield the labels of the ends and of the mean, without the ends that the mean would overlap."""
    at = axis(mean)
    anchor = "start" if at < 60 else "end" if at > WIDTH - 60 else "middle"
    yield at, anchor, f"mean {figure(mean)}"
    if at > 110:
        yield axis(0), "middle", "0"
    if at < WIDTH - 110:
        yield axis(1), "middle", "1"


def _path(name: str, steps: Sequence[str]) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(name, "".join(steps)) if steps else Markup("")


def _evenly(rows: Sequence[Moved], most: int) -> Sequence[Moved]:
    if len(rows) <= most:
        return rows
    return [rows[place * (len(rows) - 1) // (most - 1)] for place in range(most)]


def _counts(rows: Sequence[Moved]) -> str:
    if all(row.violates is None for row in rows):
        return counted(len(rows), "row")
    violating = sum(bool(row.violates) for row in rows)
    return f"{violating:,} of {counted(len(rows), 'row')} {'violates' if violating == 1 else 'violate'}"


def _chosen(drawn: Sequence[Moved], rows: Sequence[Moved]) -> str:
    return f"; {len(drawn)} of them drawn, evenly chosen" if len(drawn) < len(rows) else ""
