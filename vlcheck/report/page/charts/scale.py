"""The operating scale of a model over its raw scores."""

from __future__ import annotations

from markupsafe import Markup

from vlcheck._util.numbers import figure
from vlcheck.report.page.charts.svg import SLOPE_BOTTOM, SLOPE_LEFT, SLOPE_RIGHT, SLOPE_TOP, WIDTH, height_of, svg
from vlcheck.stats.operating_scale import Scale

_CURVE = 200  # line segments of a curve


def curve(scale: Scale) -> Markup:
    """Draw the operating scale over the raw score, with its middle marked: the raw score whose level is 0.5."""
    at = [step / _CURVE for step in range(_CURVE + 1)]
    across = [SLOPE_LEFT + (SLOPE_RIGHT - SLOPE_LEFT) * raw for raw in at]
    places = [f"{x:.1f} {height_of(scale.level(raw))}" for x, raw in zip(across, at, strict=True)]
    middle = next((raw for raw in at if scale.level(raw) >= 0.5), 1.0)
    label = f"operating scale over the raw score: 0.5 at a raw score of {figure(middle, 2)}"
    parts = [
        Markup('<path class="axis" d="M{0} {2}V{3}H{1}M{0} {4}H{1}"/>').format(
            SLOPE_LEFT, SLOPE_RIGHT, SLOPE_TOP, SLOPE_BOTTOM, height_of(0.5)
        ),
        Markup('<path class="mean" d="M{}"/>').format("L".join(places)),
        Markup('<text x="{}" y="16" text-anchor="end">1</text><text x="{}" y="146" text-anchor="end">0</text>').format(
            SLOPE_LEFT - 6, SLOPE_LEFT - 6
        ),
        *(
            Markup('<text x="{}" y="160" text-anchor="middle">{}</text>').format(x, text)
            for x, text in ((SLOPE_LEFT, "raw 0"), (SLOPE_RIGHT, "raw 1"))
        ),
    ]
    return svg("slopes", WIDTH, 166, label, parts)
