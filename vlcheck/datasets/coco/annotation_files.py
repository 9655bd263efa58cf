"""Reading of COCO's annotation files piece by piece, since a file may be much larger than the part that is used."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from vlcheck._util.foreign_files import DECODER, Twice, demand_file
from vlcheck._util.json_pieces import JsonPieces
from vlcheck.cases.box import Box
from vlcheck.datasets.limits import LARGEST_NUMBER, is_number, is_text
from vlcheck.errors import UsageError, printable

Value = TypeVar("Value")
Form = TypeVar("Form")

LARGEST_ID = (1 << 63) - 1  # the largest signed integer of 64 bits
Id = Annotated[int, msgspec.Meta(ge=-LARGEST_ID, le=LARGEST_ID)]
OwnId = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)]
_FLAGS = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True)
class Entry:
    """An object of one of the file's lists.

    Attributes:
        path: the file.
        table: the name of the list.
        index: the object's index in the list.
        row: the parsed value.
    """

    path: Path
    table: str
    index: int
    row: object

    @property
    def fields(self) -> Mapping[str, Any]:
        """The object's fields. Raises UsageError if the list has something else in its place."""
        if not isinstance(self.row, dict):
            raise UsageError(f"{self.where} is not an object.")
        return self.row

    @property
    def where(self) -> str:
        """The entry's name in error messages."""
        return f"{self.path}: {self.table}[{self.index}]"

    @property
    def id(self) -> int:
        """Its own id, 0 or more."""
        number = self.number("id")
        if number < 0:
            raise UsageError(f"{self.where}: id is {number}; it has to be 0 or more.")
        return number

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that can be encoded.

        Args:
            key: the field.
            default: the text if the field is missing or null; None if it is required.

        Raises:
            UsageError: If the field is required and missing, or no such text.
        """
        value = self._value(key, default)
        if not isinstance(value, str) or not is_text(value):
            raise self._bad(key, "a text", value)
        return value

    def name(self, key: str) -> str:
        """Return a text that is not blank."""
        value = self.text(key)
        if not value.strip():
            raise self._bad(key, "a text that is not blank", value)
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number; 200.0 is one.

        Args:
            key: the field.
            default: the number if the field is missing or null; None if it is required.

        Raises:
            UsageError: If the field is required and missing, or no whole number.
        """
        value = self._value(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_ID:
            raise self._bad(key, "a whole number", value)
        return value

    def area(self, key: str, default: float) -> float:
        """Return a number, 0 or more.

        Args:
            key: the field.
            default: the number if the field is missing or null.

        Raises:
            UsageError: If the field is no such number.
        """
        value = self._value(key, default)
        if not is_number(value) or value < 0:
            raise self._bad(key, "a number, 0 or more", value)
        return float(value)

    def mention(self, key: str) -> str:
        """Return a text that is only used for attribution; "" if it is anything else."""
        value = self.fields.get(key)
        return value if isinstance(value, str) and is_text(value) else ""

    def flag(self, key: str) -> bool:
        """Return a flag, written as 0 or 1, or as false or true, possibly as text; 0 by default."""
        value = self._value(key, 0)
        flag = _FLAGS.get(value.lower() if isinstance(value, str) else value) if isinstance(value, Hashable) else None
        if flag is None:
            raise self._bad(key, "0 or 1", value)
        return flag

    def ids(self, key: str) -> frozenset[int] | None:
        """Return a list of ids; None if there is no such field."""
        if key not in self.fields:
            return None
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
            raise self._bad(key, "a list of ids", value)
        return frozenset(value)

    def reals(self, key: str, count: int) -> list[float]:
        """Return a list of numbers.

        Args:
            key: the field.
            count: the length of the list.

        Raises:
            UsageError: If the field is no such list.
        """
        value = self.fields.get(key)
        if not isinstance(value, list) or len(value) != count or not _are_real(value):
            length = f" of {len(value)}" if isinstance(value, list) else ""
            raise self._bad(key, f"a list of {count} numbers", f"{type(value).__name__}{length}")
        return value

    def box(self, key: str) -> Box:
        """Return a rectangle."""
        value = self.fields.get(key)
        if not isinstance(value, list) or len(value) != 4 or not all(map(is_number, value)) or min(value[2:]) < 0:
            raise self._bad(key, "[x, y, width, height]", value)
        return Box(*map(float, value))

    def _value(self, key: str, default: object) -> Any:
        value = self.fields.get(key, default)
        return default if value is None else value

    def _bad(self, key: str, wanted: str, value: object) -> UsageError:
        found = f"is {printable(repr(value))}" if key in self.fields else "is missing"
        return UsageError(f"{self.where}: {key} {found}; it has to be {wanted}.")


def _are_real(values: list[Any]) -> bool:
    whole = set(map(type, values)) == {int}  # nearly all are, and are checked much faster
    return max(map(abs, values)) < LARGEST_NUMBER if whole else all(map(is_number, values))


class Unusable(NamedTuple):
    """An entry that cannot be used.

    Attributes:
        image: the id of its image; None if it does not say.
        said: the place of the entry, and its fault.
    """

    image: int | None
    said: str


def spared(read: Callable[[Entry], Value], key: str) -> Callable[[Entry], Value | Unusable]:
    """Return a reader that returns an `Unusable` instead of raising an error.

    Args:
        read: the reader; it may raise UsageError.
        key: the field with the id of the entry's image.
    """

    def attempt(entry: Entry) -> Value | Unusable:
        try:
            return read(entry)
        except UsageError as error:
            image = entry.row.get(key) if isinstance(entry.row, dict) else None
            return Unusable(image if isinstance(image, int) else None, str(error))

    return attempt


def split_usable(entries: Sequence[Value | Unusable]) -> tuple[list[Value], list[Unusable]]:
    """Return the usable entries, and the others.

    Raises:
        UsageError: If there are entries and none is usable.
    """
    usable = [one for one in entries if not isinstance(one, Unusable)]
    unusable = [one for one in entries if isinstance(one, Unusable)]
    if unusable and not usable:
        raise UsageError(unusable[0].said)
    return usable, unusable


@dataclass(frozen=True)
class ManyAtOnce(Generic[Form, Value]):
    """A reader of a long list: entries of the usual form are decoded many at once, others one by one.

    Attributes:
        form: the record of an entry in the usual form; it accepts nothing that `read` would change or refuse.
        read: returns the form of another entry, or an `Unusable`.
        gather: makes one value of all of them, in the order of the list.
    """

    form: type[Form]
    read: Callable[[Entry], Form | Unusable]
    gather: Callable[[Iterator[Sequence[Form | Unusable]]], Value]

    def of_list(self, path: Path, table: str, text: JsonPieces) -> Value:
        """Read the list that begins here.

        Args:
            path: the file.
            table: the name of the list.
            text: the text of the file.
        """
        return self.gather(self._batches(path, table, text))

    def _batches(self, path: Path, table: str, text: JsonPieces) -> Iterator[Sequence[Form | Unusable]]:
        names = [field.encode_name for field in msgspec.structs.fields(cast(Any, self.form))]
        first = 0
        for batch in text.batches(msgspec.json.Decoder(list[self.form]), str, once=names):  # type: ignore[name-defined]
            yield [self._read(path, table, first + at, one) for at, one in enumerate(batch)]
            first += len(batch)

    def _read(self, path: Path, table: str, at: int, one: Form | str) -> Form | Unusable:
        if not isinstance(one, str):
            return one
        try:
            return self.read(Entry(path, table, at, DECODER.decode(one)))
        except Twice as error:
            raise UsageError(f"{path}: {table}[{at}]: {error}.") from error


def each_entry(
    batches: Iterator[Sequence[Form | Unusable]], *, make: Callable[[Form, int], Value | Unusable]
) -> list[Value | Unusable]:
    """Return what is made of each entry of a list.

    Args:
        batches: all entries, some at a time.
        make: makes a value of a form, given its index in the list.
    """
    entries = enumerate(chain.from_iterable(batches))
    return [one if isinstance(one, Unusable) else make(one, at) for at, one in entries]


Reader = Callable[[Entry], Any] | ManyAtOnce[Any, Any]


def read_tables(path: Path, readers: Mapping[str, Reader], *, optional: str = "") -> dict[str, Any]:
    """Read some lists of a file that contains one object.

    Only one piece of the file, and the entries that are being read, are in memory.

    Args:
        path: the file.
        readers: a reader for each list, by the list's name.
        optional: the name of a list that may be missing.

    Returns:
        For each list, by its name: the values of its entries; of a reader of many entries at once, what it gathered.

    Raises:
        UsageError: If a list or an entry is missing or not as it has to be; the message names it.
    """
    tables: dict[str, Any] = {optional: []} if optional else {}
    with _opened(path) as text:
        tables |= _kept(path, text, readers)
    for name in readers:
        if name not in tables:
            raise UsageError(f"{path}: has no list {name!r}.")
    return tables


def read_list(path: Path, table: str, reader: ManyAtOnce[Any, Value]) -> Value:
    """Read one list, and nothing after it.

    Args:
        path: the file.
        table: the list's name.
        reader: the reader of the list.

    Raises:
        UsageError: If the list is missing, or an entry is not as it has to be.
    """
    with _opened(path) as text:
        if text.next() == "{":
            for name in text.members():
                if name == table and text.next() == "[":
                    return reader.of_list(path, name, text)
                text.skip()
    raise UsageError(f"{path}: has no list {table!r}.")


@contextmanager
def _opened(path: Path) -> Iterator[JsonPieces]:
    demand_file(path)
    try:
        with path.open("rb") as binary:
            encoding = json.detect_encoding(binary.read(4))
        with path.open(encoding=encoding) as file:
            yield JsonPieces(file)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON ({printable(str(error), 120)}).") from error


def _entries(path: Path, table: str, text: JsonPieces) -> Iterator[Entry]:
    """Yield the entries of the list that begins here; raise UsageError for one that has a key twice."""
    rows = text.elements()
    for index in count():
        try:
            row = next(rows)
        except StopIteration:
            return
        except Twice as error:
            raise UsageError(f"{path}: {table}[{index}]: {error}.") from error
        yield Entry(path, table, index, row)


def _kept(path: Path, text: JsonPieces, readers: Mapping[str, Reader]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    if text.next() != "{":
        text.value()
        raise UsageError(f"{path}: has to hold an object with the lists {' and '.join(readers)}.")
    for name in text.members():
        keep = readers.get(name)
        if keep and text.next() == "[":
            tables[name] = _of_list(path, name, text, keep)
        else:
            text.skip()
    text.finish()
    return tables


def _of_list(path: Path, table: str, text: JsonPieces, keep: Reader) -> Any:
    if isinstance(keep, ManyAtOnce):
        return keep.of_list(path, table, text)
    return [keep(entry) for entry in _entries(path, table, text)]
