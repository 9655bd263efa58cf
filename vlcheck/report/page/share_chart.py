"""A chart in SVG of one share of a whole: a bar, its interval, and the limit that it is held to.

A small share would be invisible on an axis up to 100 %: the axis ends at the next round share above all of its figures,
and says where.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from vlcheck._util.numbers import share, shares
from vlcheck.report.page.charts import Axis

_ENDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
_WIDTH = 320
_TOP, _BOTTOM = 8, 24
_NEAR = 70  # pixels within which two numbers under the axis would overlap


def share_chart(seen: float, interval: tuple[float, float], limit: float | None = None) -> Markup:
    """Draw a share as a bar from 0, with its interval as a line and its limit as a mark.

    Args:
        seen: the share, in [0, 1].
        interval: lower and upper end of its interval.
        limit: the share that it is compared with; None if there is none.
    """
    top = next(end for end in _ENDS if end >= min(max(seen, interval[1], limit or 0.0), 1.0))
    axis = Axis(0.0, top)
    first, last = axis(0.0), axis(seen)
    low, high = map(axis, interval)
    middle = (_TOP + _BOTTOM) / 2
    parts = [
        Markup('<path class="axis" d="M{} {}H{}"/>').format(first, _BOTTOM, axis(top)),
        Markup('<rect class="of-text" x="{}" y="{}" width="{}" height="{}"/>').format(
            first, _TOP, round(last - first, 1), _BOTTOM - _TOP
        ),
        Markup('<path class="span" d="M{0} {2}H{1}M{0} {3}v8M{1} {3}v8"/>').format(low, high, middle, middle - 4),
        *([] if limit is None else [Markup('<path class="pin" d="M{} {}V{}"/>').format(axis(limit), 2, _BOTTOM + 4)]),
        *_numbers(axis, limit),
    ]
    said = f"{share(seen)}, interval {shares(*interval)}{'' if limit is None else f', limit {share(limit)}'}"
    label = f"{said}, on an axis from 0 to {share(top)}"
    return Markup('<svg class="share" viewBox="0 0 {} 42" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, label, Markup("").join(parts)
    )


def _numbers(axis: Axis, limit: float | None) -> Iterator[Markup]:
    """Yield the numbers under the ends of the axis, and under the limit if there is room."""
    text = Markup('<text x="{}" y="38" text-anchor="{}">{}</text>')
    yield text.format(axis(0.0), "start", "0")
    yield text.format(axis(axis.high), "end", share(axis.high))
    if limit is not None and _NEAR < axis(limit) < _WIDTH - _NEAR:
        yield text.format(axis(limit), "middle", f"limit {share(limit)}")
