"""Checks that a picture fits its case; cases that do not fit are left out and counted."""

from __future__ import annotations

from vlcheck.cases.case import Case
from vlcheck.cases.encoded_image import EncodedImage
from vlcheck.cases.words import tokenize, words_of
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.tags import PLACES, THINGS
from vlcheck.errors import NotApplicable, UsageError

MOVED = "photograph is stored mirrored or turned (EXIF): its boxes and sides may be those of the stored pixels"
COLORLESS = "photograph has no color, and the caption names one"


def check_color(case: Case, lexicons: Lexicons) -> None:
    """Raise NotApplicable if the caption names a color that a gray picture cannot have.

    Args:
        case: the case.
        lexicons: the words for colors.
    """
    chromatic = "chromatic" in case.tags or {"binding", "names-chromatic"} <= case.tags
    if not chromatic and not _names_chromatic(case, lexicons):
        return
    if isinstance(case.image, EncodedImage) and case.image.colorless:
        raise NotApplicable(COLORLESS) from UsageError(case.image.place)


def _names_chromatic(case: Case, lexicons: Lexicons) -> bool:
    """Return True if the caption names a chromatic color; a target that is a thing, e.g. an orange, is not a color."""
    text = case.caption if case.tags.isdisjoint(THINGS) else case.masked
    names = (found.meaning for found in lexicons.color_names.find(tokenize(text)))
    return any(lexicons.colors[name].kind == "chromatic" for name in names if name)


def check_upright(case: Case, lexicons: Lexicons) -> None:
    """Raise NotApplicable if boxes or sides refer to a picture whose stored pixels are turned or mirrored.

    Args:
        case: the case.
        lexicons: the words for sides.
    """
    tagged = not case.tags.isdisjoint({"side", "vertical", "hand", "names-side", "own-side"})
    said = case.target.lower() in PLACES or not words_of(case.caption).isdisjoint(lexicons.sides.words)
    placed = bool(case.region) or tagged or said
    if placed and isinstance(case.image, EncodedImage) and case.image.moved:
        raise NotApplicable(MOVED) from UsageError(case.image.place)
