"""Charts in SVG, each with the same in words; the style sheet sets colors, strokes and both themes."""

from vlcheck.report.page.charts.interval import interval
from vlcheck.report.page.charts.modalities import modality_bar
from vlcheck.report.page.charts.movement import Moved, movement
from vlcheck.report.page.charts.scale import curve
from vlcheck.report.page.charts.svg import Axis

__all__ = ["Axis", "Moved", "curve", "interval", "modality_bar", "movement"]
