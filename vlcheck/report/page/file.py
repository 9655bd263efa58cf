"""The page as a file: never in the place of what is none, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck.report.page.document import START


def check_place(path: Path, others: Others, option: str) -> None:
    """Make sure that a page can be written there, over an older page at most.

    Args:
        path: where it is to go.
        others: files that it must not replace, by the option that names them.
        option: that names the place.

    Raises:
        UsageError: naming the option.
    """
    demand_place(path, option, "report", is_ours=lambda there: begins(there, START.encode()), others=others)


def write(path: Path, page: str, option: str) -> None:
    """Write the page. Raises UsageError naming the option."""
    with placing(path, option) as draft:
        draft.write_text(page, encoding="utf-8")
