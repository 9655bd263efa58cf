"""The page as a file: never in the place of what is none, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from vlcheck.drafts import begins, replacing, unwritable
from vlcheck.errors import UsageError
from vlcheck.report.page.document import START


def check_place(path: Path, others: dict[str, Path | None], option: str) -> None:
    """Make sure that a page can be written there, over an older page at most.

    Args:
        path: where it is to go.
        others: files that it must not replace, by the option that names them.
        option: that names the place.

    Raises:
        UsageError: naming the option.
    """
    try:
        wrong = _unfit(path, others)
    except OSError as error:
        wrong = f"cannot be looked at ({error.strerror})"
    if wrong:
        raise UsageError(f"{option} {path}: {wrong}.")


def write(path: Path, page: str, option: str) -> None:
    """Write the page; a link is followed. Raises UsageError naming the option."""
    try:
        with replacing(path.resolve()) as draft:
            draft.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}).") from error


def _unfit(path: Path, others: dict[str, Path | None]) -> str:
    """Why no page can be written there, or ""."""
    for name, other in others.items():
        if other and other.resolve() == path.resolve():
            return f"is what {name} names as well"
    wrong = unwritable(path, "a report")
    if wrong:
        return wrong
    return (
        ""
        if begins(path, START.encode())
        else "is there and is no report of vlcheck's; name another path, or delete it"
    )
