"""The entries of a foil suite's files, with their places for messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlcheck._util.foreign_files import LONGEST_LINE, parse_json, read_json, read_lines
from vlcheck.datasets.limits import is_number
from vlcheck.errors import UsageError, printable

LONGEST_NAME = 200


@dataclass(frozen=True)
class FoilRow:
    """An entry of a file.

    Attributes:
        path: the file.
        key: the entry's key or index.
        value: the parsed value.
        line: the entry's line, from 1; None in a file that is one JSON value.
    """

    path: Path
    key: str
    value: object
    line: int | None = None

    @property
    def where(self) -> str:
        """The entry's name in messages."""
        return f"{self.path}:{self.line}" if self.line else f"{self.path}: [{printable(self.key, 80)}]"

    def text(self, key: str | int) -> str:
        """Return a text; raise UsageError if it is missing or something else."""
        value = self._field(key)
        if not isinstance(value, str):
            raise self.bad(key, "a text", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; raise UsageError if it is missing or something else."""
        value = self._field(key)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.bad(key, "a list of texts", value)
        return tuple(value)

    def number(self, key: str | int) -> float:
        """Return a number; raise UsageError if it is missing or something else."""
        value = self._field(key)
        if not is_number(value):
            raise self.bad(key, "a number", value)
        return float(value)

    def label(self, key: str | int) -> str:
        """Return a name that is a text or a whole number; raise UsageError if it is missing or something else."""
        value = self._field(key)
        if not isinstance(value, int | str) or isinstance(value, bool) or len(str(value)) > LONGEST_NAME:
            raise self.bad(key, f"a whole number or a text of at most {LONGEST_NAME} characters", value)
        return str(value)

    def inner(self, key: str) -> FoilRow:
        """Return the object of a field, whose fields are checked in turn."""
        return FoilRow(self.path, self.key, self._field(key), self.line)

    def bad(self, key: str | int, wanted: str, value: object) -> UsageError:
        """Return the error of a field.

        Args:
            key: the field.
            wanted: its type, in words.
            value: the value that is there.
        """
        return UsageError(f"{self.where}: {key} is {printable(repr(value), 80)}; it has to be {wanted}.")

    def _field(self, key: str | int) -> Any:
        holder: type = dict if isinstance(key, str) else list
        if not isinstance(self.value, holder):
            raise UsageError(f"{self.where} is {type(self.value).__name__}; it has to be a {holder.__name__}.")
        try:
            return self.value[key]  # type: ignore[index]  # a dict or a list, as was just checked
        except (KeyError, IndexError):
            raise UsageError(f"{self.where}: {key} is missing.") from None


def rows_of_object(path: Path) -> Iterator[FoilRow]:
    """Yield the members of a file that holds one object; raise UsageError if it holds something else."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: is {type(content).__name__}; it has to hold an object with a pair a key.")
    yield from (FoilRow(path, key, value) for key, value in content.items())


def rows_of_list(path: Path) -> Iterator[FoilRow]:
    """Yield the elements of a file that holds one list; raise UsageError if it holds something else."""
    content = read_json(path)
    if not isinstance(content, list):
        raise UsageError(f"{path}: is {type(content).__name__}; it has to hold a list of pairs.")
    yield from (FoilRow(path, str(index), value) for index, value in enumerate(content))


def rows_of_lines(path: Path) -> Iterator[FoilRow]:
    """Yield the lines of a file of JSON lines; raise UsageError for the first that is not JSON."""
    for number, text in enumerate(read_lines(path, LONGEST_LINE), start=1):
        if text.strip():
            try:
                value = parse_json(text.decode("utf-8"))
            except ValueError as error:
                raise UsageError(f"{path}:{number}: is not JSON ({printable(str(error), 120)}).") from error
            yield FoilRow(path, str(number), value, number)
