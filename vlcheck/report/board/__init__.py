"""The board: many runs on one page, side by side where they can be compared."""

from vlcheck.report.board.document import BOARD_START, board_view, stream_board
from vlcheck.report.board.names import BoardNames
from vlcheck.report.board.page_links import PageLinks
from vlcheck.report.board.runs import BoardRuns, gather_runs

__all__ = ["BOARD_START", "BoardNames", "BoardRuns", "PageLinks", "board_view", "gather_runs", "stream_board"]
