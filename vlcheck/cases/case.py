"""Cases: one image, a caption that is true of it, and the word of the caption that is tested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.encoded_image import ImageFile as ImageFile
from vlcheck.cases.foils import FOIL
from vlcheck.cases.words import words_of
from vlcheck.errors import UsageError

MASK = "[MASK]"


def filled(template: str, word: str) -> str:
    """Return a text with a word in the place of its mask.

    Args:
        template: the text, with "[MASK]".
        word: the word.
    """
    return template.replace(MASK, word)


class ImageSource(Protocol):
    """An image that is opened only when its pixels are needed."""

    @property
    def key(self) -> str:
        """A digest of the content: equal keys mean equal pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, known without decoding."""

    def open(self) -> Image.Image:
        """Decode to RGB."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image, a caption that is true of it, and the target word that is tested.

    Attributes:
        id: unique within its source, ASCII, usable as a pytest id.
        image: the source of the picture.
        caption: a true sentence about the picture, with its contextual hint; contains `target` exactly once as a word.
        target: the word that is masked.
        bare: a short text without the hint, with "[MASK]" in the target's place; None if it would not identify the
            target.
        candidates: words that could replace the target and would make the text false. P(target) is renormalised over
            the target and these words; without any it is used as it is.
        foils: whole sentences that are false of the picture, for what no other word says: plurals, existence, who does
            what to whom. A model that only compares texts compares the caption with them.
        about: words, in lower case, that must be true of a picture for the caption to be true; a picture that lacks one
            of them refutes the caption. By default the words of the target; of a case of foils, those of
            the whole caption.
        present: words, in lower case, that are true of the picture, or not known to be false.
        region: boxes of the thing that the target names, in pixels of the upright source image.
        other_region: boxes of the other thing of a relation, e.g. of the one that something is to the left of, in
            pixels of the upright source image. Pages draw them dashed; no verdict depends on them.
        tags: the target's kind ("object", "color", "side", "hand"...) and further tags that selections ask for.
        source: origin of the picture, for attribution.
        licence: licence under which the picture may be shown.
        masked: the caption with "[MASK]" in the target's place; computed.

    Example:
        >>> from pathlib import Path
        >>> picture = ImageFile(Path("cat.jpg"))  # opened only when its pixels are needed
        >>> Case(id="cat", image=picture, caption="A cat on a sofa", target="cat", tags=frozenset({"object"})).masked
        'A [MASK] on a sofa'
    """

    id: str
    image: ImageSource
    caption: str
    target: str
    bare: str | None = None
    candidates: tuple[str, ...] = ()
    foils: tuple[str, ...] = ()
    about: frozenset[str] = frozenset()
    present: Set[str] = frozenset()
    region: tuple[Box, ...] = ()
    other_region: tuple[Box, ...] = ()
    tags: frozenset[str] = frozenset()
    source: str = ""
    licence: str = ""
    masked: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = len(word_pattern(self.target).findall(self.caption))
        if found != 1:
            times = "is not a word of" if not found else f"is {found} times in"
            raise UsageError(
                f"case {self.id}: the target {self.target!r} {times} the caption {self.caption!r};"
                " it has to be there exactly once."
            )
        if self.bare is not None and self.bare.count(MASK) != 1:
            raise UsageError(f"case {self.id}: bare {self.bare!r} has to hold {MASK} exactly once.")
        if amiss := foil_fault(self.caption, self.foils):
            raise UsageError(f"case {self.id}: the foil {amiss}.")
        if not self.about:
            words = words_of(self.caption) if FOIL in self.tags else _words_of_target(self.target)
            object.__setattr__(self, "about", words)
        object.__setattr__(self, "masked", word_pattern(self.target).sub(MASK, self.caption))

    def refuted_by(self, other: Case) -> bool:
        """Return True if the caption is known to be false of the other case's picture."""
        return self.image.key != other.image.key and not self.about <= other.present


def foil_fault(caption: str, foils: Iterable[str]) -> str:
    """Return why some texts cannot be the foils of a caption; "" if they can.

    Args:
        caption: the caption.
        foils: the texts, compared without regard to case and spaces.
    """
    seen: dict[str, str] = {folded(caption): "is the caption itself; a foil has to be false of the picture"}
    for foil in foils:
        if not foil.strip():
            return f"{foil!r} is empty; it has to be a whole sentence"
        if MASK in foil:
            return f"{foil!r} holds {MASK}; it has to be a whole sentence"
        if why := seen.get(folded(foil)):
            return f"{foil!r} {why}"
        seen[folded(foil)] = "is there twice; each is compared with the caption once"
    return ""


def folded(text: str) -> str:
    """Return a text in the form in which words and foils are compared: without regard to case and spaces."""
    return " ".join(text.casefold().split())


@lru_cache(maxsize=1 << 12)
def _words_of_target(target: str) -> frozenset[str]:
    """Return the words of a target, as one object for all cases that have it."""
    return words_of(target)


@lru_cache(maxsize=1 << 12)
def word_pattern(word: str) -> re.Pattern[str]:
    """Return a case-insensitive pattern for a word that is not part of a longer one ("left" is not in "leftover")."""
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
