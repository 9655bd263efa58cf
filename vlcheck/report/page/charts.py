"""Small charts in SVG: an interval against the allowed range, the movement of scores, and shares of a whole.

The style sheet sets colors, strokes and both themes; the label of a chart says the same in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from markupsafe import Markup

from vlcheck._util.numbers import between, brief, counted, figure, share, shares, signed, span
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.operating_scale import Scale

_WIDTH = 320
_EDGE = 14  # pixels left and right of an axis
_CHARACTER = 6  # width of a character in pixels, with some room
_LINES, _DOTS = 150, 400  # the most that are drawn
_BINS = 60
_CURVE = 200  # line segments of a curve
_SLOPE_TOP, _SLOPE_BOTTOM = 12, 142
_SLOPE_LEFT, _SLOPE_RIGHT = 70, 250
_STRIP_BOTTOM, _STRIP_TOP = 82, 10
_SVG = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')


class Moved(NamedTuple):
    """The scores of a row; `violates` is None if nothing is claimed about a single row."""

    before: float
    after: float | None
    violates: bool | None


@dataclass(frozen=True)
class Axis:
    """A horizontal axis; a call maps a value to its x coordinate in pixels."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """Return the x coordinate of a value, in pixels; values outside the axis are put at its ends."""
        inside = min(max(value, self.low), self.high)
        return round(_EDGE + (_WIDTH - 2 * _EDGE) * (inside - self.low) / (self.high - self.low), 1)


class Tick(NamedTuple):
    """A number under an axis, at an x coordinate."""

    at: float
    text: str

    @classmethod
    def of(cls, axis: Axis, value: float) -> Tick:
        """Return the number of a value on an axis.

        Args:
            axis: the axis.
            value: the value.
        """
        return cls(axis(value), share(value) if axis.low == 0 else brief(value))

    def hits(self, other: Tick) -> bool:
        """Return True if two numbers would overlap."""
        return abs(self.at - other.at) < _CHARACTER * (len(self.text) + len(other.text)) / 2


def interval(verdict: VerdictRecord) -> Markup | None:
    """Draw the observed value and its interval over the allowed range; None if nothing was measured."""
    if verdict.claim == "mean":
        allowed, axis = verdict.band or (-1.0, 1.0), Axis(-1.0, 1.0)
    else:
        allowed, axis = (0.0, verdict.allowed or 0.0), Axis(0.0, 1.0)
    seen, (low, high) = verdict.observed, verdict.interval
    if low is None or seen is None or high is None:
        return None
    written, both = (signed, span) if verdict.claim == "mean" else (share, shares)
    label = f"observed {written(seen)}, interval {both(low, high)}, allowed {both(*allowed)}"
    return _interval(axis, allowed, (low, seen, high), verdict.status.replace(" ", "-"), label)


def movement(rows: Sequence[Moved]) -> Markup | None:
    """Draw the scores of rows: lines from before to after, or dots if there is no after; None without a row."""
    pairs = [row for row in rows if row.after is not None]
    if pairs:
        return _slopes(pairs)
    return _strip(rows) if rows else None


def modality_bar(text: float, interval: tuple[float, float]) -> Markup:
    """Draw the share of the text and that of the picture as one bar, with the interval of their border.

    Args:
        text: share of the text, T-SHAP, in [0, 1]; the rest is V-SHAP.
        interval: lower and upper end of its interval.
    """
    axis = Axis(0.0, 1.0)
    first, border, last = axis(0.0), axis(text), axis(1.0)
    low, high = map(axis, interval)
    words, picture = figure(text), figure(1 - text)
    rect = Markup('<rect class="{}" x="{}" y="4" width="{}" height="16"/>')
    parts = [
        rect.format("of-text", first, round(border - first, 1)),
        rect.format("of-picture", border, round(last - border, 1)),
        Markup('<path class="span" d="M{0} 12H{1}M{0} 8v8M{1} 8v8"/>').format(low, high),
        Markup('<text x="{}" y="34">words {}</text>').format(first, words),
        Markup('<text x="{}" y="34" text-anchor="end">picture {}</text>').format(last, picture),
    ]
    label = f"words (T-SHAP) {words}, interval {between(*interval)}; picture (V-SHAP) {picture}"
    return _SVG.format("modalities", _WIDTH, 38, label, Markup("").join(parts))


def curve(scale: Scale) -> Markup:
    """Draw the operating scale over the raw score, with its middle marked: the raw score whose level is 0.5."""
    at = [step / _CURVE for step in range(_CURVE + 1)]
    across = [_SLOPE_LEFT + (_SLOPE_RIGHT - _SLOPE_LEFT) * raw for raw in at]
    places = [f"{x:.1f} {_height(scale.level(raw))}" for x, raw in zip(across, at, strict=True)]
    middle = next((raw for raw in at if scale.level(raw) >= 0.5), 1.0)
    label = f"operating scale over the raw score: 0.5 at a raw score of {figure(middle, 2)}"
    parts = [
        Markup('<path class="axis" d="M{0} {2}V{3}H{1}M{0} {4}H{1}"/>').format(
            _SLOPE_LEFT, _SLOPE_RIGHT, _SLOPE_TOP, _SLOPE_BOTTOM, _height(0.5)
        ),
        Markup('<path class="mean" d="M{}"/>').format("L".join(places)),
        Markup('<text x="{}" y="16" text-anchor="end">1</text><text x="{}" y="146" text-anchor="end">0</text>').format(
            _SLOPE_LEFT - 6, _SLOPE_LEFT - 6
        ),
        *(
            Markup('<text x="{}" y="160" text-anchor="middle">{}</text>').format(x, text)
            for x, text in ((_SLOPE_LEFT, "raw 0"), (_SLOPE_RIGHT, "raw 1"))
        ),
    ]
    return _SVG.format("slopes", _WIDTH, 166, label, Markup("").join(parts))


def _interval(
    axis: Axis, allowed: tuple[float, ...], ends: tuple[float, float, float], status: str, label: str
) -> Markup:
    low, seen, high = map(axis, ends)
    first, last = map(axis, allowed)
    parts = [
        Markup('<rect class="zone" x="{}" y="18" width="{}" height="20"/>').format(first, round(last - first, 1)),
        Markup('<path class="axis" d="M{} 28H{}"/>').format(axis(axis.low), axis(axis.high)),
        Markup('<path class="span" d="M{} 28H{}M{} 22v12M{} 22v12"/>').format(low, high, low, high),
        Markup('<path class="pin" d="M{} 14v14"/>').format(seen),
        Markup('<use href="#s-{}" x="{}" y="0" width="14" height="14" class="{}"/>').format(
            status, round(seen - 7, 1), status
        ),
        *(_text(tick) for tick in _ticks(axis, *allowed)),
    ]
    return _SVG.format("interval", _WIDTH, 54, label, Markup("").join(parts))


def _ticks(axis: Axis, low: float, high: float) -> list[Tick]:
    """Return the numbers at the ends of the allowed range and, if there is room, at those of the axis."""
    first, last = Tick.of(axis, low), Tick.of(axis, high)
    ticks = [Tick((first.at + last.at) / 2, f"{first.text} to {last.text}")] if first.hits(last) else [first, last]
    for end in (Tick.of(axis, axis.low), Tick.of(axis, axis.high)):
        if not any(map(end.hits, ticks)):
            ticks.append(end)
    return ticks


def _text(tick: Tick) -> Markup:
    anchor = "start" if tick.at < 30 else "end" if tick.at > _WIDTH - 30 else "middle"
    place = tick.at - _EDGE + 2 if anchor == "start" else tick.at + _EDGE - 2 if anchor == "end" else tick.at
    return Markup('<text x="{}" y="50" text-anchor="{}">{}</text>').format(round(place, 1), anchor, tick.text)


def _slopes(rows: Sequence[Moved]) -> Markup:
    """Draw each row as a line, the steepest fall first; of many rows an even choice."""
    ordered = sorted(rows, key=lambda row: (row.after or 0.0) - row.before)
    drawn = _evenly(ordered, _LINES)
    lines: Mapping[bool, list[str]] = defaultdict(list)
    for row in drawn:
        lines[bool(row.violates)].append(f"M{_SLOPE_LEFT} {_height(row.before)}L{_SLOPE_RIGHT} {_height(row.after)}")
    before, after = fmean(row.before for row in rows), fmean(row.after or 0.0 for row in rows)
    means = f"mean {figure(before)} before, {figure(after)} after"
    label = f"score before and after: {means}, {_counts(rows)}{_chosen(drawn, rows)}"
    parts = [
        Markup('<path class="axis" d="M{0} {2}V{3}M{1} {2}V{3}"/>').format(
            _SLOPE_LEFT, _SLOPE_RIGHT, _SLOPE_TOP, _SLOPE_BOTTOM
        ),
        *(_path("violating" if violating else "holding", lines[violating]) for violating in (False, True)),
        Markup('<path class="mean" d="M{} {}L{} {}"/>').format(
            _SLOPE_LEFT, _height(before), _SLOPE_RIGHT, _height(after)
        ),
        Markup('<text x="{}" y="16" text-anchor="end">1</text><text x="{}" y="146" text-anchor="end">0</text>').format(
            _SLOPE_LEFT - 6, _SLOPE_LEFT - 6
        ),
        Markup('<text x="{}" y="160" text-anchor="middle">before {}</text>').format(_SLOPE_LEFT, figure(before)),
        Markup('<text x="{}" y="160" text-anchor="middle">after {}</text>').format(_SLOPE_RIGHT, figure(after)),
    ]
    return _SVG.format("slopes", _WIDTH, 166, label, Markup("").join(parts))


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
    return _SVG.format("strip", _WIDTH, 102, label, Markup("").join(parts))


def _strip_labels(axis: Axis, mean: float) -> Iterable[tuple[float, str, str]]:
    """Yield the labels of the ends and of the mean, without the ends that the mean would overlap."""
    at = axis(mean)
    anchor = "start" if at < 60 else "end" if at > _WIDTH - 60 else "middle"
    yield at, anchor, f"mean {figure(mean)}"
    if at > 110:
        yield axis(0), "middle", "0"
    if at < _WIDTH - 110:
        yield axis(1), "middle", "1"


def _height(score: float | None) -> float:
    inside = min(max(score or 0.0, 0.0), 1.0)
    return round(_SLOPE_BOTTOM - (_SLOPE_BOTTOM - _SLOPE_TOP) * inside, 1)


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
