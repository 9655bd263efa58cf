"""The user's own Python files, which nodes need to load a model of the user."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self

from vlcheck._util.foreign_code import importable
from vlcheck._util.foreign_files import fault, read_bytes
from vlcheck._util.temporary import Scratch
from vlcheck.errors import UsageError

MOST_FILES, MOST_BYTES = 1_000, 20_000_000
MOST_ENTRIES = 50_000  # of folders that are looked through
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # in the folder of a virtual environment, and of one of conda
_GIT_SECONDS = 10.0


class _TooMuch(Exception):
    """The folder has more than is sent; the message says what."""


@dataclass(frozen=True)
class Code:
    """The folder of a run, and the Python files in it.

    Attributes:
        place: the folder; a node that sees it uses the files that are there.
        files: the contents of the Python files by their path in the folder, for other nodes.
        unsent: the reason why no files are sent; "" if they are.
    """

    place: str
    files: dict[str, bytes] = field(default_factory=dict)
    unsent: str = ""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the Python files of a folder and of those below.

        Left out are hidden files, files that git ignores, and those in hidden folders, virtual environments and caches.
        """
        try:
            found = list(islice(_python_files(folder), MOST_FILES + 1))
            if len(found) > MOST_FILES:
                raise _TooMuch(f"it has more than {MOST_FILES:,} Python files")
            return cls(str(folder), _contents(folder, _heeded(folder, found)))
        except _TooMuch as error:
            return cls(str(folder), unsent=str(error))

    @property
    def lacking(self) -> str:
        """A sentence if neither the folder nor its files are on this node; else ""."""
        if not self.unsent or Path(self.place).is_dir():
            return ""
        return f"This node does not see the run's folder {self.place}, whose files were not sent: {self.unsent}."

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Make the folder, or a copy of its Python files, the current one, and import modules from it."""
        with Scratch() as scratch:
            place = Path(self.place)
            if not place.is_dir():
                place = scratch / "code"
                self._unpack(place)
            os.chdir(place)
            importable(place)
            yield

    def _unpack(self, place: Path) -> None:
        place.mkdir()
        for name, content in self.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _python_files(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > MOST_ENTRIES:
            raise _TooMuch(f"it has more than {MOST_ENTRIES:,} files and folders")
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(place, name)))
        named = (Path(place, name) for name in sorted(files) if name.endswith(".py") and not name.startswith("."))
        yield from (path for path in named if not fault(path))  # no broken links, no pipes


def _is_skipped(folder: Path) -> bool:
    is_environment = any((folder / name).exists() for name in _ENVIRONMENTS)
    return folder.name.startswith(".") or folder.name in _SKIPPED or is_environment


def _heeded(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """Return those of some files that git does not ignore; all of them without git, or outside of its folders."""
    asked = b"\0".join(os.fsencode(path) for path in paths)
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["git", "-C", str(folder), "check-ignore", "-z", "--stdin"]
        said = subprocess.run(command, input=asked, capture_output=True, check=False, timeout=_GIT_SECONDS)  # noqa: S603
        ignored = {*map(os.fsdecode, said.stdout.split(b"\0"))}
        return [path for path in paths if str(path) not in ignored]
    return [*paths]


def _contents(folder: Path, paths: Sequence[Path]) -> dict[str, bytes]:
    """Return the contents of files by their path in a folder, without files that cannot be read."""
    contents: dict[str, bytes] = {}
    left = MOST_BYTES
    for path in paths:
        with suppress(OSError):
            left -= path.stat().st_size
        if left < 0:
            raise _TooMuch(f"its Python files have more than {MOST_BYTES:,} bytes")
        with suppress(UsageError):  # it went away meanwhile, or nobody may read it
            contents[path.relative_to(folder).as_posix()] = read_bytes(path)
    return contents
