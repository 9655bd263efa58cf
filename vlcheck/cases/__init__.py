"""Cases: an image with a caption and what is known about both, and how cases are selected."""

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case, ImageFile, ImageSource, word_pattern
from vlcheck.cases.selection import Selection, with_target
from vlcheck.cases.source import CaseSource

__all__ = [
    "MASK",
    "Box",
    "Case",
    "CaseSource",
    "ImageFile",
    "ImageSource",
    "Selection",
    "with_target",
    "word_pattern",
]
