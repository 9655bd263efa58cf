"""Lines of text that are kept outside of memory: a run may have a hundred thousand of them."""

from __future__ import annotations

import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast, overload

from vlcheck._util import temporary
from vlcheck.errors import UsageError

IN_MEMORY = 1 << 20  # bytes; a file takes what is more


class Spool:
    """A place for lines: a temporary file, which is deleted with the last of them, once they are many.

    Several threads may use it. A copy of it, and its pickle, have the lines at the same places.

    Args:
        content: the bytes of lines, one after the other, of another place.
    """

    def __init__(self, content: bytes = b"") -> None:
        self._file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115  # ends with this
        self._file.write(content)
        self._moving = threading.Lock()  # between moving to a place and what is done there

    def __del__(self) -> None:
        try:  # noqa: SIM105  # when the interpreter ends, this module has no names any more
            self._file.close()
        except OSError:  # a full disk, which was said when a line was added
            pass

    def __reduce__(self) -> tuple[type[Spool], tuple[bytes]]:
        return Spool, (self.read(0, -1),)

    def lines(self) -> SpooledLines:
        """Return an empty sequence, to which lines can be added."""
        return SpooledLines(self)

    def add(self, line: bytes) -> int:
        """Keep a line; return its place.

        Raises:
            UsageError: If there is no room for it.
        """
        with _room(), self._moving:
            place = self._file.seek(0, 2)
            self._file.write(line)
        return place

    def read(self, place: int, length: int) -> bytes:
        """Return the bytes of a line.

        Args:
            place: the line's place.
            length: the number of its bytes; -1 for all to the end.

        Raises:
            UsageError: If there was no room for the last lines.
        """
        with _room(), self._moving:
            self._file.seek(place)  # writes what is still in the buffer
            return self._file.read(length)


@contextmanager
def _room() -> Iterator[None]:
    """Raise UsageError in the place of an error of the disk."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{temporary.where()}: the evidence cannot be kept there ({error.strerror}).") from error


class SpooledLines(Sequence[str]):
    """Lines of a spool, each read when it is asked for.

    Args:
        spool: the spool.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._places, self._lengths = array("q"), array("q")

    def append(self, line: str) -> None:
        """Add a line. Raises UsageError if there is no room for it."""
        content = line.encode()
        self._places.append(self._spool.add(content))
        self._lengths.append(len(content))

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        return self._spool.read(self._places[at], self._lengths[at]).decode()

    def __iter__(self) -> Iterator[str]:
        return (self[at] for at in range(len(self)))

    def __len__(self) -> int:
        return len(self._places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list
