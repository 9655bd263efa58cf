"""Perturbations: pure, named and versioned edits of a case.

Example:
    A perturbation of your own that edits pixels and moves nothing, and one that edits the text:

    >>> from dataclasses import dataclass, replace
    >>> from PIL import ImageOps
    >>> from vlcheck import Case
    >>> @dataclass(frozen=True)
    ... class Posterize(OfThePicture):
    ...     name = "posterize"
    ...     version = 1
    ...     def edit(self, image):
    ...         return ImageOps.posterize(image, 3)
    >>> @dataclass(frozen=True)
    ... class EndWithADot(Labelled):
    ...     name = "dot"
    ...     version = 1
    ...     def __call__(self, view, others):
    ...         return replace(view, template=f"{view.template}.")
    >>> both: Perturbation = Compose(Posterize(), EndWithADot())
    >>> case = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a red ball", target="red")
    >>> view = both(View.of(case), ())
    >>> view.text, view.picture.render().getpixel((0, 0))
    ('a red ball.', (192, 0, 0))

    The parameters of `CutOut` and `Opening`, and the words that have an opposite:

    >>> CELLS[0], OPENINGS[5], OPPOSITES["left"]
    ('top left', 'what this picture shows :', 'right')
"""

from vlcheck.cases.box import Box
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.perturb.base import Labelled, OfThePicture, Perturbation
from vlcheck.perturb.color import Grayscale, RotateHue
from vlcheck.perturb.combine import Compose, Each, OtherCaption, OtherImage
from vlcheck.perturb.image import Block, Mirror, Solid, UpsideDown
from vlcheck.perturb.noise import AsMuchNoise, LuminanceNoise
from vlcheck.perturb.phrase import AfterCaption, MaskPhrase
from vlcheck.perturb.place import CELLS, Collage, CutOut
from vlcheck.perturb.quality import Blur, Brightness, Crop, Jpeg
from vlcheck.perturb.regions import AblateOther, AblateRegions
from vlcheck.perturb.text import (
    OPENINGS,
    Bare,
    Exchange,
    Opening,
    Sentences,
    ShuffleWords,
    SwapSides,
    Untold,
    opposite,
)

__all__ = [
    "CELLS",
    "OPENINGS",
    "OPPOSITES",
    "AblateOther",
    "AblateRegions",
    "AfterCaption",
    "AsMuchNoise",
    "Bare",
    "Block",
    "Blur",
    "Box",
    "Brightness",
    "Collage",
    "Compose",
    "Crop",
    "CutOut",
    "Each",
    "Exchange",
    "Grayscale",
    "Jpeg",
    "Labelled",
    "LuminanceNoise",
    "MaskPhrase",
    "Mirror",
    "OfThePicture",
    "Opening",
    "OtherCaption",
    "OtherImage",
    "Perturbation",
    "RotateHue",
    "Sentences",
    "ShuffleWords",
    "Solid",
    "SwapSides",
    "Untold",
    "UpsideDown",
    "View",
    "opposite",
]
