"""The user's own Python files, which nodes need to load a model of the user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from vlcheck._util.foreign_code import importable
from vlcheck._util.temporary import Scratch

MOST_FILES, MOST_BYTES = 1_000, 20_000_000
_MOST_ENTRIES = 50_000  # of folders that are looked through
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True)
class Code:
    """The folder of a run, and the Python files in it.

    Attributes:
        place: the folder; a node that sees it uses the files that are there.
        files: the contents of the Python files by their path in the folder, for other nodes; None if they are too many.
    """

    place: str
    files: dict[str, bytes] | None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the Python files of a folder and of those below, but for hidden ones and virtual environments."""
        found = list(islice(_python_files(folder), MOST_FILES + 1))
        if len(found) > MOST_FILES or sum(path.stat().st_size for path in found) > MOST_BYTES:
            return cls(str(folder), None)
        return cls(str(folder), {path.relative_to(folder).as_posix(): path.read_bytes() for path in found})

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
        for name, content in (self.files or {}).items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _python_files(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > _MOST_ENTRIES:
            return
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(place, name)))
        yield from (Path(place, name) for name in sorted(files) if name.endswith(".py"))


def _is_skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _SKIPPED or (folder / "pyvenv.cfg").exists()
