"""Cases: an image with a caption and what is known about both, and how cases are selected."""

from typing import TYPE_CHECKING

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case, ImageFile, ImageSource, word_pattern
from vlcheck.cases.offer import Offer
from vlcheck.cases.selection import Selection, with_target
from vlcheck.cases.source import CaseSource

__all__ = [
    "MASK",
    "Box",
    "Case",
    "CaseSource",
    "ImageFile",
    "ImageSource",
    "Offer",
    "Selection",
    "with_target",
    "word_pattern",
]

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
