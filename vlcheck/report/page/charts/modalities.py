"""The shares of the words and of the picture in a match score."""

from __future__ import annotations

from markupsafe import Markup

from vlcheck._util.numbers import between, figure
from vlcheck.report.page.charts.svg import WIDTH, Axis, svg


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
    return svg("modalities", WIDTH, 38, label, parts)
