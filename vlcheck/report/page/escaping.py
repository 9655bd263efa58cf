"""Foreign text as a page shows it.

Captions, names and reasons come from anywhere. Templates escape them; here they are made visible and short.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from vlcheck.errors import BLANKS

Mark = Literal["", "changed", "mask"]

LONGEST = 280  # of a text before it is cut
_FULLEST = 20_000  # of what is kept of it beside the cut one
_MASK = "[MASK]"
_TOKEN = re.compile(rf"{re.escape(_MASK)}|\w+|\s+|[^\w\s]")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # categories of Unicode that show nothing, or steer what is shown
_WRITTEN = "\u200c\u200d"  # the joiners, without which Persian, Hindi and families of emoji fall apart
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


@dataclass(frozen=True)
class Said:
    """Foreign text.

    Attributes:
        text: with control characters made visible, and cut where it is long.
        full: all of it, where it was cut; else "".
    """

    text: str
    full: str = ""


def unbroken(figure: str) -> str:
    """Return a figure with its unit on the same line: 20 %."""
    return figure.replace(" %", "\N{NO-BREAK SPACE}%")


class Piece(NamedTuple):
    """A stretch of a text that is marked, or is not."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Marked:
    """A text with its changed words and its mask marked.

    Attributes:
        pieces: the text, cut where it is long.
        full: all of it, where it was cut; else "".
    """

    pieces: tuple[Piece, ...]
    full: str = ""


def said(text: object, most: int = LONGEST) -> Said:
    """Foreign text, at most so many characters of it."""
    shown = visible(str(text))
    if len(shown) <= most:
        return Said(shown)
    return Said(f"{shown[: most - 2]} …", _cut(shown))


def visible(text: str) -> str:
    """The same with what would be invisible spelled out: a bidi mark as ⟨U+202E⟩, a line break as its picture."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def marked(texts: Sequence[str]) -> list[Marked]:
    """A text, or one before and one after with the words marked that are not in the other."""
    cut = [said(text) for text in texts]
    tokens: list[list[str]] = [_TOKEN.findall(one.text) for one in cut]
    changed = _changed(tokens[0], tokens[1]) if len(tokens) == 2 else [set[int]()] * len(tokens)
    pieces = (tuple(_pieces(words, places)) for words, places in zip(tokens, changed, strict=True))
    return [Marked(its, one.full) for its, one in zip(pieces, cut, strict=True)]


def _visible(one: str) -> str:
    if one in _WRITTEN or (unicodedata.category(one) not in _HIDDEN and one not in BLANKS):
        return one
    return chr(_PICTURES[ord(one)]) if ord(one) in _PICTURES else f"⟨U+{ord(one):04X}⟩"


def _cut(text: str) -> str:
    return text if len(text) <= _FULLEST else f"{text[:_FULLEST]} … (the rest is in the results file)"


def _changed(before: Sequence[str], after: Sequence[str]) -> list[set[int]]:
    """The places of the tokens that one text has and the other one has not."""
    gone: set[int] = set()
    new: set[int] = set()
    for what, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            gone.update(range(i, i_end))
            new.update(range(j, j_end))
    return [_without_edges(before, gone), _without_edges(after, new)]


def _without_edges(tokens: Sequence[str], places: set[int]) -> set[int]:
    """A space is marked between marked words alone."""
    return {place for place in places if not tokens[place].isspace() or {place - 1, place + 1} <= places}


def _pieces(tokens: Sequence[str], changed: set[int]) -> Iterator[Piece]:
    """Neighbours that are marked alike make one piece."""
    text = ""
    mark: Mark = ""
    for place, token in enumerate(tokens):
        its: Mark = "mask" if token == _MASK else "changed" if place in changed else ""
        if its != mark and text:
            yield Piece(text, mark)
            text = ""
        text, mark = text + token, its
    if text:
        yield Piece(text, mark)
