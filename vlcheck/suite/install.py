"""The copy of the suite in a team's repository: it is read, and written without overwriting a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from vlcheck._util.files import replace_all
from vlcheck.errors import UsageError
from vlcheck.suite.diff import RECORD, SuiteCopy, compare_files, read_record
from vlcheck.suite.shipped import suite_files, suite_folder

_FOLDERS = ("behavior_tests", "fixtures")
_IGNORE = ".gitignore"
# Files that runs write, as docs/ci.md and the README name them, each with its lines of a .gitignore.
_WRITTEN: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "results, of parts and unfinished ones too": ("vlcheck-results*.jsonl",),
        "pages": ("vlcheck-results*.html", "report.html"),
        "JUnit's report": ("junit.xml",),
        "kept scores": (".vlcheck/", "scores.sqlite*"),
        "drafts of all of these": (".*.draft",),
    }
)


def read_copy(folder: Path) -> SuiteCopy:
    """Compare a repository with the shipped suite; a folder that does not exist has none of it.

    Raises:
        UsageError: the folder cannot be used; the message names the obstacle.
    """
    _demand_place(folder)
    shipped = suite_files()
    found = {path: _content(folder / path) for path in (*shipped, RECORD)}
    own = {path: content for path, content in found.items() if content is not None}
    recorded = own.pop(RECORD, None)
    record = {} if recorded is None else read_record(recorded, str(folder / RECORD))
    return compare_files(version("vlcheck"), shipped, own, _others(folder), record)


def write_copy(folder: Path, copy: SuiteCopy) -> None:
    """Write the files that the repository lacks, and the record of their versions.

    Args:
        folder: the repository's folder.
        copy: the comparison that `read` returned.

    Raises:
        UsageError: a file cannot be written; the message names it.
    """
    files = {folder / file.path: file.shipped for file in copy.missing}
    if copy.recorded() != _content(folder / RECORD):
        files[folder / RECORD] = copy.recorded()
    if not os.path.lexists(folder / _IGNORE):
        files[folder / _IGNORE] = "".join(_ignored()).encode()
    for path in files:
        _demand_inside(folder, path)
    try:
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
        replace_all(files)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). Nothing that was there has changed;"
            " once that is mended, say the same again."
        ) from error


def unignored(folder: Path) -> list[str]:
    """Return the lines that a user's own .gitignore lacks to keep the files of runs out of version control."""
    try:
        own = (folder / _IGNORE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    there = [line.strip().strip("/") for line in own.splitlines()]
    wanted = chain.from_iterable(_WRITTEN.values())
    return [line for line in wanted if not any(fnmatch(line.strip("/"), pattern) for pattern in there)]


def _ignored() -> Iterator[str]:
    """Yield the lines of a new .gitignore."""
    for what, lines in _WRITTEN.items():
        yield f"# vlcheck: {what}\n"
        yield from (f"{line}\n" for line in lines)


def _demand_place(folder: Path) -> None:
    """Raise UsageError if the suite cannot be written to a folder."""
    try:
        _demand_fit(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be looked at ({error.strerror}).") from error


def _demand_fit(folder: Path) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; name one, or one that is to be made.")
    if folder.resolve() == suite_folder().resolve():
        raise UsageError(f"{folder}: is where vlcheck itself keeps the suite; name the folder of your repository.")
    if (folder / "fixtures.py").exists():
        raise UsageError(
            f"{folder / 'fixtures.py'}: a folder fixtures/ beside it would hide this module from your imports. Rename"
            " it, or name another folder, e.g. one for these tests alone."
        )


def _demand_inside(folder: Path, path: Path) -> None:
    """Raise UsageError if a link would lead a file out of the folder."""
    place, root = os.path.realpath(path.parent), os.path.realpath(folder)
    if os.path.commonpath([place, root]) != root:
        raise UsageError(
            f"{path.parent}: is a link that leads out of {folder}, to {place}; nothing is written there. Name that"
            " folder itself, or put a folder in place of the link."
        )


def _content(path: Path) -> bytes | None:
    """Return a file's bytes; None if there is none. Raises UsageError if it is not a regular file."""
    if not os.path.lexists(path):
        return None
    if not path.is_file():
        what = f"a link to {os.path.realpath(path)}, where no file is" if path.is_symlink() else "no file"
        raise UsageError(f"{path}: is {what}; vlcheck has a file of that name. Move it out of the way.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def _others(folder: Path) -> list[str]:
    """Return all files in the suite's folders, without hidden and compiled ones."""
    below = (path.relative_to(folder) for part in _FOLDERS for path in (folder / part).rglob("*") if path.is_file())
    return [path.as_posix() for path in below if not any(part.startswith((".", "__pyc")) for part in path.parts)]
