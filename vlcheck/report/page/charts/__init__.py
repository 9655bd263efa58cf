"""Charts in SVG, each with the same in words; `charts.css` sets colors and strokes."""

from vlcheck.report.page.charts.claims import charts_of
from vlcheck.report.page.charts.interval import interval
from vlcheck.report.page.charts.modalities import modality_bar
from vlcheck.report.page.charts.row_chart import ChartView
from vlcheck.report.page.charts.scale import curve
from vlcheck.report.page.charts.svg import Axis

__all__ = ["Axis", "ChartView", "charts_of", "curve", "interval", "modality_bar"]
