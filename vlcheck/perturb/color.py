"""Edits of the picture's colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.cases.image_notes import strips
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled, OfThePicture
from vlcheck.perturb.image import span_of

GREY_SPREAD = 8  # 8-bit levels between a pixel's channels that JPEG leaves in a grey photograph
GREY_SHARE = 0.99  # least share of a grey photograph's pixels that are within GREY_SPREAD
COLORFUL = 48  # least difference in levels between the channels of a colorful pixel
COLORED = 0.1  # least share of colorful pixels in the target's boxes
_SAMPLE = 512  # longest side, in pixels, of the sample that greyness is judged by


@dataclass(frozen=True)
class Grayscale(OfThePicture):
    """Replace color by luma (ITU-R BT.601), in three equal channels.

    Example:
        >>> from PIL import Image
        >>> Grayscale().edit(Image.new("RGB", (64, 48), (200, 0, 0))).getpixel((0, 0))
        (60, 60, 60)
    """

    name: ClassVar[str] = "grayscale"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        if is_grey(image):
            raise NotApplicable("the photograph is grey already")
        return image.convert("L").convert("RGB")


@dataclass(frozen=True)
class RotateHue(Labelled):
    """Rotate every hue in the target's boxes by an angle; brightness, white, black and grey stay.

    Attributes:
        degrees: angle on the color circle, between 0 and 360; 180 is the complement.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.cases import Box
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="a ball", target="ball", region=(Box(8, 8, 16, 16),))
        >>> RotateHue(180)(View.of(case), ()).picture.render().getpixel((16, 16))
        (0, 198, 200)
    """

    degrees: int = 180

    name: ClassVar[str] = "rotate-hue"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 0 < self.degrees < 360:
            raise ValueError(f"RotateHue: degrees is {self.degrees}; it has to be between 0 and 360")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if not view.region:
            raise NotApplicable("the case has no region")
        return replace(view, picture=view.picture.then(Tint(view.region, self.degrees)))


@dataclass(frozen=True)
class Tint:
    """Rotate the hues in some boxes by an angle.

    Attributes:
        boxes: boxes in pixels of the picture as edited so far; overlapping boxes are rotated once.
        degrees: angle on the color circle, as in `RotateHue`.
    """

    boxes: tuple[Box, ...]
    degrees: int

    name: ClassVar[str] = "tint"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        pixels = np.array(image)
        inside = np.zeros(pixels.shape[:2], dtype=bool)
        for box in self.boxes:
            inside[span_of(box)] = True
        colorful = 0
        for left, top, right, bottom in strips(image.size):
            part, within = pixels[top:bottom, left:right], inside[top:bottom, left:right]
            colorful += int(np.count_nonzero(_spread(part[within]) >= COLORFUL))
            part[within] = np.asarray(turn_hues(Image.fromarray(part), self.degrees))[within]
        named = int(np.count_nonzero(inside))
        if named and colorful / named < COLORED:
            raise NotApplicable("what the target names has no color that could be another")
        return Image.fromarray(pixels)


def turn_hues(image: Image.Image, degrees: int) -> Image.Image:
    """Rotate every hue of an RGB picture by an angle; value and saturation stay.

    Args:
        image: an RGB picture.
        degrees: angle on the color circle.
    """
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point([round(level + degrees / 360 * 256) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def is_grey(image: Image.Image) -> bool:
    """Return True if hardly any pixel's channels differ, in a sample of at most about 512 x 512 pixels."""
    step = max(1, max(image.size) // _SAMPLE)
    return bool((_spread(np.asarray(image)[::step, ::step]) <= GREY_SPREAD).mean() >= GREY_SHARE)


def _spread(pixels: np.ndarray) -> np.ndarray:
    """Return the levels between the channels of each pixel of (..., 3), uint8."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    spread: np.ndarray = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return spread
