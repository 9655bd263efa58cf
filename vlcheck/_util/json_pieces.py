"""JSON of any size, of which one piece at a time is in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TextIO, TypeVar

import msgspec

from vlcheck._util.foreign_files import DECODER, Twice

Element = TypeVar("Element")
Other = TypeVar("Other")

PIECE = 1 << 20  # characters
LONGEST_VALUE = 1 << 24  # characters
_OF_NUMBERS = "+-.eE0123456789"  # a number may continue in the next piece after one of these
_OTHER = re.compile(r"[^ \t\n\r]")  # anything but white space
_TRIED = 3  # closing brackets of a piece, from the last one back, after which an element of a list may end
_ANY_KEYS = json.JSONDecoder().raw_decode


def _nothing(text: str) -> Any:
    """Return None for an element that is not read."""


class JsonPieces:
    """The text of a JSON file, of which one piece at a time is in memory. Its errors are those of `json`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._decode = DECODER.raw_decode
        self._text, self._at, self._before = "", 0, 0

    def next(self) -> str:
        """Return the next character that is not white space, or "" at the end."""
        while True:
            found = _OTHER.search(self._text, self._at)
            self._at = found.start() if found else len(self._text)
            if found or not self._more(PIECE):
                return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """Read the value that begins here. Raises Twice for an object that has a key twice."""
        return self._value(self._decode)

    def _value(self, decode: Callable[[str, int], tuple[Any, int]]) -> Any:
        self.next()
        size = PIECE
        while True:
            try:
                value, end = decode(self._text, self._at)
            except json.JSONDecodeError as error:
                place = self._before + error.pos
                if len(self._text) - self._at > LONGEST_VALUE:
                    raise ValueError(f"a value of more than {LONGEST_VALUE} characters: char {place}") from error
                if not self._more(size):
                    raise ValueError(f"{error.msg}: char {place}") from error
            else:
                goes_on = end == len(self._text) or self._text[end] in _OF_NUMBERS
                if not goes_on or not self._more(size):
                    self._at = end
                    return value
            size *= 2

    def skip(self) -> None:
        """Skip the value that begins here; of a list, one element at a time."""
        if self.next() == "[":
            for _ in self.elements():
                pass
        else:
            self.value()

    def elements(self) -> Iterator[Any]:
        """Read the elements of the list that begins here, one by one."""
        self._expect("[")
        if self._ended("]"):
            return
        while True:
            yield self.value()
            if self._expect(",]") == "]":
                return

    def batches(
        self,
        decoder: msgspec.json.Decoder[list[Element]],
        otherwise: Callable[[str], Other] = _nothing,
        once: Sequence[str] = (),
    ) -> Iterator[list[Element | Other]]:
        """Read the elements of the list that begins here, many at once, which is several times faster than one by one.

        A piece of the list is decoded as a list of its own. If it does not end where an element ends, it is no JSON,
        and its elements are read one by one.

        Args:
            decoder: the decoder of a list of elements.
            otherwise: reads the text of an element that the decoder refuses, or that may have a name twice; None
                stands for such an element by default.
            once: the names that an element has at most once.

        Yields:
            Elements, about PIECE characters of them.
        """
        self._expect("[")
        if self._ended("]"):
            return
        names = [f'"{name}"' for name in once]
        while True:
            at_once = self._at_once(decoder, names)
            yield list[Element | Other](at_once or self._one_by_one(decoder, otherwise, names))
            if self._expect(",]") == "]":
                return

    def _at_once(self, decoder: msgspec.json.Decoder[list[Element]], names: Sequence[str]) -> list[Element]:
        """Decode the elements up to one of the last closing brackets of the piece; none if that is no list of them."""
        if len(self._text) - self._at < PIECE:
            self._more(PIECE)
        end = len(self._text)
        for _ in range(_TRIED):
            end = self._text.rfind("}", self._at, end)
            if end < 0:
                break
            try:
                elements = decoder.decode(f"[{self._text[self._at : end + 1]}]")
            except (msgspec.MsgspecError, UnicodeEncodeError):  # the latter for half a character
                continue
            if any(self._text.count(name, self._at, end) > len(elements) for name in names):
                break
            self._at = end + 1
            return elements
        return []

    def _one_by_one(
        self,
        decoder: msgspec.json.Decoder[list[Element]],
        otherwise: Callable[[str], Other],
        names: Sequence[str],
    ) -> Iterator[Element | Other]:
        """Read the elements that begin in the piece, or up to the end of the list."""
        stop = self._before + len(self._text)
        while True:
            self.next()
            begin = self._before + self._at
            self._value(_ANY_KEYS)
            text = self._text[begin - self._before : self._at]
            yield _read(text, decoder, otherwise, clear=all(text.count(name) <= 1 for name in names))
            if self.next() == "]" or self._before + self._at >= stop:
                return
            self._expect(",")

    def members(self) -> Iterator[str]:
        """Yield the names in the object that begins here; the caller reads each one's value. Raises Twice."""
        self._expect("{")
        if self._ended("}"):
            return
        names: set[str] = set()
        while True:
            name = str(self.value())
            if name in names:
                raise Twice(name)
            names.add(name)
            self._expect(":")
            yield name
            if self._expect(",}") == "}":
                return

    def finish(self) -> None:
        """Raise ValueError unless this is the end."""
        if self.next():
            raise ValueError(f"Extra data: char {self._before + self._at}")

    def _ended(self, bracket: str) -> bool:
        ended = self.next() == bracket
        self._at += ended
        return ended

    def _expect(self, among: str) -> str:
        found = self.next()
        if not found or found not in among:
            raise ValueError(f"Expecting {' or '.join(among)}: char {self._before + self._at}")
        self._at += 1
        return found

    def _more(self, size: int) -> bool:
        """Read the next piece, and drop the text before the current place; return False at the end."""
        piece = self._file.read(size)
        self._before += self._at
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)


def _read(
    text: str, decoder: msgspec.json.Decoder[list[Element]], otherwise: Callable[[str], Other], *, clear: bool
) -> Element | Other:
    """Read an element by the decoder if it has no name twice, and in the other way if the decoder refuses it."""
    if clear:
        with suppress(msgspec.MsgspecError, UnicodeEncodeError):
            return decoder.decode(f"[{text}]")[0]
    return otherwise(text)
