"""Foreign text as a page shows it.

Captions, names and reasons are foreign. Templates escape them; the functions here make them visible and short.
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

LONGEST = 280  # characters of a text before it is cut
_FULLEST = 20_000  # characters that are kept of the whole text, beside the cut one
_MASK = "[MASK]"
_TOKEN = re.compile(rf"{re.escape(_MASK)}|\w+|\s+|[^\w\s]")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # categories of Unicode that show nothing, or steer what is shown
_WRITTEN = "\u200c\u200d"  # the joiners, which Persian, Hindi and some emoji need
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


@dataclass(frozen=True)
class ShownText:
    """A foreign text.

    Attributes:
        text: the text with control characters made visible, cut if it is long.
        full: the whole text if it was cut; else "".
    """

    text: str
    full: str = ""


def unbroken(figure: str) -> str:
    """Return a figure with a no-break space before its unit: 20 %."""
    return figure.replace(" %", "\N{NO-BREAK SPACE}%")


class Piece(NamedTuple):
    """A stretch of a text, marked or not."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class Marked:
    """A text with its changed words and its mask marked.

    Attributes:
        pieces: the text, cut if it is long.
        full: the whole text if it was cut; else "".
    """

    pieces: tuple[Piece, ...]
    full: str = ""


def shown_text(text: object, most: int = LONGEST) -> ShownText:
    """Return text from outside, with invisible characters shown, cut to `most` characters.

    Args:
        text: any value; its `str` is shown.
        most: the most characters to show.
    """
    shown = visible(str(text))
    if len(shown) <= most:
        return ShownText(shown)
    return ShownText(f"{shown[: most - 2]} …", _cut(shown))


def visible(text: str) -> str:
    """Return the text with invisible characters spelled out: a bidi mark as ⟨U+202E⟩, a line break as its picture."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def mark_changes(texts: Sequence[str]) -> list[Marked]:
    """Return a text, or one before and one after an edit, with the words marked that the other text lacks."""
    cut = [shown_text(text) for text in texts]
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
    """Return, for each of two texts, the indices of the tokens that the other one lacks."""
    gone: set[int] = set()
    new: set[int] = set()
    for what, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            gone.update(range(i, i_end))
            new.update(range(j, j_end))
    return [_without_edges(before, gone), _without_edges(after, new)]


def _without_edges(tokens: Sequence[str], places: set[int]) -> set[int]:
    """Return the indices without spaces at the edges: a space is marked only between marked words."""
    return {place for place in places if not tokens[place].isspace() or {place - 1, place + 1} <= places}


def _pieces(tokens: Sequence[str], changed: set[int]) -> Iterator[Piece]:
    """Yield pieces: neighbours with the same mark are joined."""
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
