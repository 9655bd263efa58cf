"""A caption of a corpus, and the record of what was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import msgspec
from PIL import Image

from vlcheck.errors import printable

LONGEST = 100_000  # characters of a caption; the text of a whole page has a few thousand

EMPTY = "the caption is empty"

NamedBox = tuple[str, float, float, float, float]
"""The name of a thing, and its box in shares of the picture's width and height: x, y, width, height."""


class Caption(msgspec.Struct, frozen=True, gc=False):
    """A caption of a corpus.

    Attributes:
        text: the caption, without white space at its ends.
        image: the name of its picture; "" if none is known.
        boxes: the objects that are annotated in its picture.
        picture: a function that decodes its picture to RGB, and raises UsageError if it does not load; None if the
            corpus has no pictures.

    Example:
        >>> Caption("a red bus", "1.jpg").text
        'a red bus'
    """

    text: str
    image: str = ""
    boxes: tuple[NamedBox, ...] = ()
    picture: Callable[[], Image.Image] | None = None


@dataclass
class Unread:
    """The record of everything in a corpus that was not read; it grows while the corpus is read.

    Attributes:
        skipped: number of captions that were left out, by reason.
        places: the place of the first one of each reason, e.g. "captions.txt:17".
        unfinished: files that end too early or are damaged, each with the last thing that could be read; if there is
            one, the corpus is not complete.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    places: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)

    def skip(self, reason: str, place: Callable[[], str]) -> None:
        """Count something that is left out.

        Args:
            reason: why.
            place: names its file and line, or row; it is called for the first one of each reason.
        """
        self.skipped[reason] += 1
        if reason not in self.places:
            self.places[reason] = place()

    def lines(self) -> Iterator[str]:
        """Describe what was not read, a line each."""
        for reason, times in self.skipped.most_common():
            yield f"{times} left out: {reason}, first {printable(self.places[reason])}"
        yield from self.unfinished

    def clear(self) -> None:
        """Forget everything, since the corpus is read once more."""
        self.skipped.clear()
        self.places.clear()
        self.unfinished.clear()


class Found(NamedTuple):
    """The captions of a picture as a corpus has them, before they are checked.

    Attributes:
        said: its caption, or a list of them.
        image: the name of the picture.
        boxes: the objects that are annotated in it.
        picture: a function that decodes the picture, as that of a `Caption`.
    """

    said: object
    image: str = ""
    boxes: tuple[NamedBox, ...] = ()
    picture: Callable[[], Image.Image] | None = None


def usable(found: Iterable[Found | None], place: Callable[[int], str], unread: Unread) -> list[Caption]:
    """Return the captions that can be used, and count the others.

    Args:
        found: the captions by picture, in the order of the corpus; None for one that is counted already.
        place: names the place of the one with an index, e.g. file and line.
        unread: the record in which the others are counted.
    """
    captions = []
    for at, one in enumerate(found):
        if one is None:
            continue
        for text in one.said if isinstance(one.said, list | tuple) else (one.said,):
            if why := fault_of(text):
                unread.skip(why, partial(place, at))
            else:
                captions.append(Caption(text.strip(), one.image, one.boxes, one.picture))
    return captions


def fault_of(text: object) -> str:
    """Return why a value is no caption, or ""."""
    if isinstance(text, str) and len(text) <= LONGEST and "\0" not in text and text and not text.isspace():
        return ""
    if text is None:
        return "the caption is missing"
    if not isinstance(text, str):
        return "the caption is not UTF-8" if isinstance(text, bytes) else "the caption is no text"
    if "\0" in text:
        return "the caption holds a NUL character"
    return f"the caption has more than {LONGEST} characters" if len(text) > LONGEST else EMPTY
