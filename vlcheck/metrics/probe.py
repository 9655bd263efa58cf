"""The pictures and texts with which the model contract tries a metric."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from vlcheck.cases.case import filled


class Probe(NamedTuple):
    """A picture, a text about it with a mask, and words for the mask.

    Attributes:
        image: an RGB image.
        template: the text, with "[MASK]" once.
        words: words that fit at the mask; the first is true of the picture.
    """

    image: Image.Image
    template: str
    words: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The text, once with each of the words in place of the mask."""
        return tuple(map(self.filled, self.words))

    def filled(self, word: str) -> str:
        """Return the text with a word in place of the mask."""
        return filled(self.template, word)
