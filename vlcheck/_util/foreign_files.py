"""Safe reading of files that others wrote: functions return the content or raise UsageError."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vlcheck.errors import UsageError, printable

LARGEST = 1 << 26  # bytes of a file that is read at once
LONGEST_LINE = 1 << 24  # bytes
DEEPEST = 100  # lists and objects, one in another
_KINDS = (
    (stat.S_ISDIR, os.strerror(errno.EISDIR)),
    (stat.S_ISFIFO, "it is a pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)


class Twice(ValueError):
    """A key that occurs twice in a JSON object; parsers of other programs take the first or the last."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{printable(repr(key), 80)} is there twice")
        self.key = key


def fault(path: Path) -> str:
    """Return why a path cannot be read as a file, or "".

    Pipes and devices are refused, since reading them may never end.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return str(error.strerror)
    except ValueError as error:  # of a null byte
        return str(error)
    return next((said for holds, said in _KINDS if holds(mode)), "")


def demand_file(path: Path) -> None:
    """Raise UsageError unless a path leads to a readable file."""
    if why := fault(path):
        raise UsageError(f"{path}: cannot be read ({why}).")


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Read a file.

    Args:
        path: the file.
        largest: the largest accepted size, in bytes.

    Raises:
        UsageError: If it is no file, cannot be read, or is larger.
    """
    demand_file(path)
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    if len(content) > largest:
        raise UsageError(f"{path}: has more than {largest} bytes; no file of its kind has.")
    return content


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Read a file of text in UTF-8.

    Args:
        path: the file.
        largest: the largest accepted size, in bytes.

    Raises:
        UsageError: If it is no file, cannot be read, is larger, or is not UTF-8.
    """
    try:
        return read_bytes(path, largest).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read ({error}).") from error


def read_json(path: Path) -> Any:
    """Read a file that contains one JSON value.

    Raises:
        UsageError: If the file cannot be read as text, or is not JSON.
    """
    text = read_text(path)
    try:
        return parse_json(text)
    except Twice as error:
        raise UsageError(f"{path}{_line_of(error.key, text)}: not JSON ({error}).") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON ({printable(str(error), 120)}).") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file of TOML.

    Raises:
        UsageError: If the file cannot be read as text, or is not TOML.
    """
    text = read_text(path)
    try:
        _demand_short_keys(text)
        content = tomllib.loads(text)
        _demand_shallow(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not TOML ({printable(str(error), 120)}).") from error
    return content


def _demand_short_keys(text: str) -> None:
    """Raise ValueError if a TOML key has too many parts; the time of tomllib grows with the square of their number."""
    if any(part.count(".") > DEEPEST for line in text.splitlines() for part in line.split("=")):
        raise ValueError("nested too deeply")


def read_lines(path: Path, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Read a file line by line, without a byte order mark.

    Args:
        path: the file.
        longest: the largest length of a line, in bytes; of a longer line only the first `longest` + 1 bytes are
            returned.

    Yields:
        Lines, with their line ends.

    Raises:
        UsageError: If the file cannot be read.
    """
    demand_file(path)
    try:
        with path.open("rb") as file:
            first = True
            while text := file.readline(longest + 1):
                rest = text
                while len(rest) > longest and not rest.endswith(b"\n"):
                    rest = file.readline(longest + 1)
                yield text.removeprefix(b"\xef\xbb\xbf") if first else text
                first = False
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def parse_json(text: str) -> Any:
    """Parse a JSON value.

    Raises:
        ValueError: If the text is not JSON, has a key twice in an object, or is nested deeper than DEEPEST.
    """
    try:
        value = DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > DEEPEST:  # else it cannot be
        _demand_shallow(value)
    return value


def _demand_shallow(value: Any) -> None:
    """Raise ValueError if a value is nested so deeply that recursion over it may fail."""
    level = [value]
    for _ in range(DEEPEST):
        held = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        if not held:
            return
        level = [inner for one in held for inner in one]
    raise ValueError("nested too deeply")


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dictionary of an object's fields; raise Twice if a key repeats."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise Twice(next(name for name, count in counts.items() if count > 1))
    return fields


DECODER = json.JSONDecoder(object_pairs_hook=_once)  # made once: json.loads would make one a call


def _line_of(key: str, text: str) -> str:
    """Return the line of a repeated key as `:LINE`; "" if several objects have the key."""
    places = [found.start() for found in re.finditer(rf"{re.escape(json.dumps(key))}\s*:", text)]
    return f":{text.count(chr(10), 0, places[1]) + 1}" if len(places) == 2 else ""
