"""Fonts of a figure: one that has the characters of a text, and texts that are as wide as their place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from PIL import ImageFont

# If Pillow's own font lacks a character, the first installed font of these that has it is used.
_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "Nirmala.ttf",
    "arial.ttf",
)
_NO_CHARACTER = "\U0010ffff"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def wrapped(text: str, font: Font, width: int) -> Iterator[str]:
    """Yield a text in lines, broken between words, or within a word that is longer than a line.

    Args:
        text: the text.
        font: the font that it is written in.
        width: the largest width of a line in pixels.
    """
    line = ""
    for word in text.split():
        together = f"{line} {word}".lstrip()
        if font.getlength(together) <= width:
            line = together
            continue
        if line:
            yield line
        while font.getlength(word) > width and len(word) > 1:
            fits = len(_head(word, font, width))
            yield word[:fits]
            word = word[fits:]
        line = word
    yield line


def _head(text: str, font: Font, width: int) -> str:
    """Return as much of a text's beginning as fits into a width, at least one character."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    return text[:low]


def cut_to_width(text: str, font: Font, width: int) -> str:
    """Return a text that is at most so wide; what does not fit is replaced by three points.

    Args:
        text: the text.
        font: the font that it is written in.
        width: the largest width in pixels.
    """
    if font.getlength(text) <= width:
        return text
    return f"{_head(text, font, width - round(font.getlength('...')))}..."


def legible(text: str, size: int) -> tuple[str, Font]:
    """Return a text and a font that has its characters; a character that no font has is replaced by its number.

    Args:
        text: the text.
        size: font size in pixels.
    """
    fonts = [own_font(size), *_others(size)]
    font = min(fonts, key=lambda font: sum(not _has(font, one) for one in text))
    return "".join(one if _has(font, one) else one.encode("unicode_escape").decode() for one in text), font


@lru_cache
def own_font(size: int) -> Font:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


@lru_cache
def _others(size: int) -> tuple[Font, ...]:
    """Return the fonts of _FONTS that are installed."""
    found = []
    for name in _FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:  # not installed
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def _has(font: Font, character: str) -> bool:
    """Return True if a font has a character, that is if it draws another shape than for an unassigned one."""
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask(_NO_CHARACTER))
