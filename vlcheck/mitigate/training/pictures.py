"""Filters of pairs: pictures that did not load, and captions that name what nobody annotated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from vlcheck._util.image_files import decoding, decoding_content
from vlcheck.cases.box import Box
from vlcheck.cases.tones import BLANK, is_blank
from vlcheck.cases.words import tokenize, words_of
from vlcheck.errors import UsageError

_AND = re.compile(r"\band\b", re.IGNORECASE)


def is_loaded(image: Any) -> bool:
    """Return True if a picture can be decoded and is not of one color all over, by the rule of the audit.

    A picture is blank if no channel has values that are further apart than 8 of 255, which is JPEG's noise. A loader
    that replaces a missing picture by a black one teaches that captions match without a picture. For
    `datasets.Dataset.filter`, over a column that is not decoded: a picture that cannot be decoded would stop it.

    Args:
        image: a PIL image, a tensor with values of 0 to 1 or of 0 to 255, its bytes, or a mapping with "bytes" or
            "path", as `datasets.Image(decode=False)` gives it; None stands for none.

    Raises:
        ValueError: If a tensor is normalised.

    Example:
        >>> is_loaded(Image.new("RGB", (4, 4))), is_loaded(b"cut off"), is_loaded(None)
        (False, False, False)
    """
    if isinstance(image, Tensor):
        return image.numel() > 0 and not _is_blank_tensor(image)
    try:
        with _decoding(image) as picture:
            return not is_blank(picture)
    except UsageError:
        return False


def _is_blank_tensor(image: Tensor) -> bool:
    low, high = image.flatten(-2).aminmax(dim=-1)
    if low.min() < 0:
        raise ValueError("is_loaded: the tensor has values below 0; ask before the picture is normalised.")
    level = 1 if not image.is_floating_point() or high.max() > 1 else 1 / 255
    return bool((high - low < (BLANK + 0.5) * level).all())  # between two levels, for the rounding of numbers


def _decoding(image: Any) -> AbstractContextManager[Image.Image]:
    """Open a picture in one of its forms. Raises UsageError if there is none."""
    if isinstance(image, Image.Image):
        return nullcontext(image)
    if isinstance(image, Mapping):
        image = image.get("bytes") or image.get("path")
    if isinstance(image, bytes):
        return decoding_content(image, "the picture")
    if not image:
        raise UsageError("there is no picture")
    return decoding(Path(image))


def names_only(caption: str, present: Collection[str], known: Collection[str]) -> bool:
    """Return True if each category that a caption names was annotated in its picture.

    Args:
        caption: the caption.
        present: the words for the categories that are annotated in the picture.
        known: the words for all categories that were annotated anywhere in the data.

    Example:
        >>> names_only("a red ball", present={"box"}, known={"ball", "box", "cup"})
        False
    """
    return not (words_of(caption) & frozenset(known)) - frozenset(present)


def names_one_of_several(caption: str, present: Collection[str], group: Collection[str]) -> bool:
    """Return True if a caption names one category, and nothing tells why not another one that its picture has, too.

    Such captions teach which of several things is worth naming: the one in the middle, if it is always that one.

    Args:
        caption: the caption.
        present: the words for the categories that are annotated in the picture.
        group: the words for categories that can stand for one another, e.g. those of a supercategory.

    Example:
        >>> seen, things = {"ball", "box"}, {"ball", "box", "cup"}
        >>> [names_one_of_several(caption, seen, things) for caption in ("a photo of a ball", "a ball on a box")]
        [True, False]
    """
    named = words_of(caption) & frozenset(present)
    return len(named) == 1 and named <= frozenset(group) and len(frozenset(present) & frozenset(group)) > 1


def joined_as_seen(caption: str, boxes: Sequence[tuple[str, Box]]) -> bool:
    """Return True if boxes show that what a caption names in one clause belongs together, for each clause of "and".

    A thing belongs to the clause whose other category is nearest to it: the woman who holds the ball is next to it.
    Each category may have one box, and each clause has to name two of them.

    Args:
        caption: the caption.
        boxes: each annotated category with its box, in pixels.

    Example:
        >>> people = [("woman", Box(0, 0, 9, 9)), ("man", Box(20, 0, 9, 9))]
        >>> seen = [*people, ("ball", Box(7, 3, 2, 2)), ("box", Box(20, 3, 3, 3))]
        >>> joined_as_seen("a woman holds a ball and a man holds a box", seen)
        True
        >>> joined_as_seen("a woman holds a box and a man holds a ball", seen)
        False
    """
    places = dict(boxes)
    clauses = [[token.word for token in tokenize(clause) if token.word in places] for clause in _AND.split(caption)]
    if len(places) < len(boxes) or len(clauses) < 2 or any(len(named) != 2 for named in clauses):
        return False
    firsts = [first for first, _ in clauses]
    return all(
        first == min(firsts, key=lambda other: places[other].distance(places[second])) for first, second in clauses
    )
