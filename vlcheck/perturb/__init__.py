"""Perturbations: pure, named and versioned edits of a case."""

from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.perturb.base import Labelled, OfThePicture, Perturbation
from vlcheck.perturb.color import Grayscale, RotateHue
from vlcheck.perturb.combine import Compose, Each, OtherImage
from vlcheck.perturb.image import Block, Mirror, Solid, UpsideDown
from vlcheck.perturb.noise import AsMuchNoise, LuminanceNoise
from vlcheck.perturb.place import CELLS, CutOut
from vlcheck.perturb.quality import Blur, Brightness, Crop, Jpeg
from vlcheck.perturb.regions import AblateRegions
from vlcheck.perturb.text import OPENINGS, Bare, Exchange, Opening, ShuffleWords, SwapSides, Untold, opposite

__all__ = [
    "CELLS",
    "OPENINGS",
    "OPPOSITES",
    "AblateRegions",
    "AsMuchNoise",
    "Bare",
    "Block",
    "Blur",
    "Brightness",
    "Compose",
    "Crop",
    "CutOut",
    "Each",
    "Exchange",
    "Grayscale",
    "Jpeg",
    "Labelled",
    "LuminanceNoise",
    "Mirror",
    "OfThePicture",
    "Opening",
    "OtherImage",
    "Perturbation",
    "RotateHue",
    "ShuffleWords",
    "Solid",
    "SwapSides",
    "Untold",
    "UpsideDown",
    "View",
    "opposite",
]
