"""The reviewer page: one HTML file that is drawn from a results file alone."""

from vlcheck.report.page.document import draw, stream
from vlcheck.report.page.file import check_page_path, write_page

__all__ = ["check_page_path", "draw", "stream", "write_page"]
