"""Files of kept answers: JSON lines, a head and then a line for each case, read one at a time.

Two versions of a package cannot be in one process: the answers under the first are kept in a file, and compared with
those under the second later, or on another machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from vlcheck._util.files import begins
from vlcheck._util.foreign_files import read_lines
from vlcheck.equivalence.questions import ASKS
from vlcheck.equivalence.records import KeptCase, KeptHead
from vlcheck.errors import UsageError, printable

FORM = 1
SUFFIX = ".parity"
_START = b'{"parity":'
_Line = TypeVar("_Line", bound=Struct)


def write_kept(path: Path, head: KeptHead, cases: Iterable[KeptCase]) -> None:
    """Write answers as they come.

    Args:
        path: the file.
        head: the first line.
        cases: the other lines.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as file:
        for line in chain([head], cases):
            file.write(msgspec.json.encode(line) + b"\n")


def is_kept(path: Path) -> bool:
    """Return True if a file was written by `write_kept`, or is empty."""
    return begins(path, _START)


@dataclass(frozen=True)
class Kept:
    """A file of kept answers.

    Attributes:
        path: the file.
        head: its first line.
    """

    path: Path
    head: KeptHead

    @classmethod
    def open(cls, path: Path) -> Kept:
        """Read the head of a file.

        Raises:
            UsageError: it is no file of kept answers, or one of another version.
        """
        line = next(read_lines(path), b"")
        if not line.startswith(_START):
            raise UsageError(f"{path}: is no file of `vlcheck parity --keep`.")
        head = _typed(path, 1, line, KeptHead)
        for name, found, known in (("form", head.parity, FORM), ("questions", head.asks, ASKS)):
            if found != known:
                raise UsageError(
                    f"{path}: has {name} of version {found}, and this vlcheck asks by version {known}: keep the answers"
                    " again, with the vlcheck that compares them."
                )
        return cls(path, head)

    def cases(self) -> Iterator[KeptCase]:
        """Yield the cases, one at a time.

        Raises:
            UsageError: a line is no case, or the file ends too early.
        """
        for number, line in enumerate(read_lines(self.path), start=1):
            if not line.endswith(b"\n"):
                raise UsageError(f"{self.path}:{number}: the file ends within a line: keep the answers again.")
            if number > 1:
                yield _typed(self.path, number, line, KeptCase)


def _typed(path: Path, number: int, line: bytes, kind: type[_Line]) -> _Line:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        said = printable(str(error), 120)
        raise UsageError(f"{path}:{number}: is no line of kept answers ({said}).") from error
