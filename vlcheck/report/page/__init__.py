"""The reviewer page: one HTML file, drawn from a results file alone."""

from vlcheck.report.page.document import draw

__all__ = ["draw"]
