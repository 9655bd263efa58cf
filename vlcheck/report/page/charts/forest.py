"""A line of the forest plot: the observed value of a verdict, its interval, what is allowed, and the release before."""

from __future__ import annotations

from markupsafe import Markup

from vlcheck._util.numbers import brief, share, signed
from vlcheck.report.page.charts.svg import EDGE, Axis, box, path, svg, words_at
from vlcheck.report.page.escaping import unbroken
from vlcheck.report.page.formatting import allowed, observed_in_words
from vlcheck.results.records import VerdictRecord

_WIDE = 240
_RATE, _MEAN = (Axis(low, 1.0, EDGE, _WIDE - EDGE) for low in (0.0, -1.0))
_TALL, _MIDDLE, _GLYPH = 22, 11, 13
_USE = Markup('<use href="#s-{}" x="{}" y="{}" width="{}" height="{}" class="{}"/>')
_BEFORE = Markup('<circle class="before" cx="{}" cy="{}" r="8.5"/>')


def forest_line(verdict: VerdictRecord, before: float | None) -> Markup | None:
    """Draw the observed value and its interval over the allowed range; None if nothing was measured.

    Args:
        verdict: the verdict.
        before: the value in the release before; None if there is none to compare with.
    """
    mean = verdict.claim == "mean"
    seen, (low, high) = verdict.observed, verdict.interval
    if seen is None or low is None or high is None:
        return None
    axis = _MEAN if mean else _RATE
    first, last = map(axis, (verdict.band or (-1.0, 1.0)) if mean else (0.0, verdict.allowed or 0.0))
    status = verdict.status.replace(" ", "-")
    parts = [
        box("zone", first, 0, last - first, _TALL),
        path("axis", [f"M{axis.first} {_MIDDLE}H{axis.last}"]),
        path("span", [f"M{axis(low)} {_MIDDLE}H{axis(high)}m0-4v8M{axis(low)} {_MIDDLE - 4}v8"]),
        Markup("") if before is None else _BEFORE.format(axis(before), _MIDDLE),
        _USE.format(status, round(axis(seen) - _GLYPH / 2, 1), _MIDDLE - _GLYPH / 2, _GLYPH, _GLYPH, status),
    ]
    return svg("line", _WIDE, _TALL, _label(verdict, before), parts)


def _label(verdict: VerdictRecord, before: float | None) -> str:
    """Return a line in words."""
    limit = f"{allowed(verdict)} {'without the picture' if verdict.claim == 'lead' else 'allowed'}"
    written = signed if verdict.claim == "mean" else share
    then = () if before is None else (f"{written(before)} in the release before",)
    return unbroken("; ".join([f"{verdict.status}: {observed_in_words(verdict)}", limit, *then]))


def forest_axis(mean: bool) -> Markup:
    """Draw the numbers over the lines, which have the same in words.

    Args:
        mean: True for lines of means, False for those of rates.
    """
    axis, written = (_MEAN, brief) if mean else (_RATE, share)
    ends = {axis.low: "start", (axis.low + axis.high) / 2: "middle", axis.high: "end"}
    words = [words_at(axis(end), 11, written(end), anchor) for end, anchor in ends.items()]
    return Markup('<svg class="line" viewBox="0 0 {} 15" aria-hidden="true">{}</svg>').format(
        _WIDE, Markup("").join(words)
    )
