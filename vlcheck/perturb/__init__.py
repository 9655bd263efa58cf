"""Pure, named and versioned edits of a case."""

from vlcheck.perturb.combine import Compose, OtherImage
from vlcheck.perturb.image import Block, Grayscale, Mirror, Solid
from vlcheck.perturb.text import OPPOSITES, Bare, SwapSides, opposite
from vlcheck.perturb.view import Perturbation, View

__all__ = [
    "OPPOSITES",
    "Bare",
    "Block",
    "Compose",
    "Grayscale",
    "Mirror",
    "OtherImage",
    "Perturbation",
    "Solid",
    "SwapSides",
    "View",
    "opposite",
]
