"""The observed value of a verdict and its interval over the allowed range."""

from __future__ import annotations

from markupsafe import Markup

from vlcheck._util.numbers import share, shares, signed, span
from vlcheck.report.page.charts.svg import EDGE, WIDTH, Axis, Tick, range_ticks, svg
from vlcheck.results.records import VerdictRecord


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
    limit = f"without the picture {share(allowed[1])}" if verdict.claim == "lead" else f"allowed {both(*allowed)}"
    label = f"observed {written(seen)}, interval {both(low, high)}, {limit}"
    return _interval(axis, allowed, (low, seen, high), verdict.status.replace(" ", "-"), label)


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
        *(_text(tick) for tick in range_ticks(axis, *allowed)),
    ]
    return svg("interval", WIDTH, 54, label, parts)


def _text(tick: Tick) -> Markup:
    anchor = "start" if tick.at < 30 else "end" if tick.at > WIDTH - 30 else "middle"
    place = tick.at - EDGE + 2 if anchor == "start" else tick.at + EDGE - 2 if anchor == "end" else tick.at
    return Markup('<text x="{}" y="50" text-anchor="{}">{}</text>').format(round(place, 1), anchor, tick.text)
