"""The reviewer page: one HTML file that is drawn from a results file alone."""

from vlcheck.report.page.document import draw, stream
from vlcheck.report.page.file import PAGE_SUFFIXES, check_page_path, demand_page_suffix, write_page

__all__ = ["PAGE_SUFFIXES", "check_page_path", "demand_page_suffix", "draw", "stream", "write_page"]
