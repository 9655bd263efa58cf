"""The page as a file: it is written atomically, and never replaces a file that is not a page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck.errors import UsageError
from vlcheck.report.page.document import START

PAGE_SUFFIXES = (".html", ".htm")


def check_page_path(path: Path, others: Others, option: str) -> None:
    """Check that a page can be written to a path, where at most an older page may be.

    Args:
        path: the path.
        others: files that it must not replace, by the option that names them.
        option: the option that names the path, for the message.

    Raises:
        UsageError: the page cannot be written there; the message names the option.
    """
    demand_place(path, option, "report", is_ours=lambda there: begins(there, START.encode()), others=others)
    demand_page_suffix(path, option)


def demand_page_suffix(path: Path, option: str) -> None:
    """Check that a browser takes a file of this name for a page.

    Args:
        path: the path.
        option: the option that names the path, for the message.

    Raises:
        UsageError: the name has another ending.
    """
    if path.suffix.lower() not in PAGE_SUFFIXES:
        raise UsageError(f"{option} {path}: has to end in {' or '.join(PAGE_SUFFIXES)}.")


def write_page(path: Path, page: Iterable[str], option: str) -> None:
    """Write the page, whole or not at all.

    Args:
        path: the file to write.
        page: its HTML in pieces.
        option: the option that names the path, for the message.

    Raises:
        UsageError: it cannot be written; the message names the option.
    """
    with placing(path, option) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(page)
