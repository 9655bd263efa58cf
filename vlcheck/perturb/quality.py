"""Perturbations that must not change what a picture shows: JPEG, blur, brightness, crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

from PIL import Image, ImageEnhance, ImageFilter

from vlcheck._util.image_files import open_jpeg
from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.cases.view import View
from vlcheck.perturb.base import Labelled, OfThePicture


@dataclass(frozen=True)
class Jpeg(OfThePicture):
    """Compress the picture as JPEG.

    Attributes:
        quality: 1 to 95, as Pillow defines it.

    Example:
        >>> from PIL import Image
        >>> Jpeg(quality=40).edit(Image.new("RGB", (64, 48), (200, 0, 0))).size
        (64, 48)
    """

    quality: int = 50

    name: ClassVar[str] = "jpeg"
    version: ClassVar[int] = 1
    always_applies: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 95:
            raise ValueError(f"Jpeg: quality is {self.quality}; it has to be from 1 to 95")

    def edit(self, image: Image.Image) -> Image.Image:
        file = BytesIO()
        image.save(file, "JPEG", quality=self.quality)
        return open_jpeg(file.getvalue()).convert("RGB")


@dataclass(frozen=True)
class Blur(OfThePicture):
    """Put the picture slightly out of focus.

    Attributes:
        radius: standard deviation of the Gaussian, as a share of the picture's shorter side, between 0 and 1.

    Example:
        >>> Blur(radius=0.01).label
        'blur(0.01) v1'
    """

    radius: float = 0.004

    name: ClassVar[str] = "blur"
    version: ClassVar[int] = 1
    always_applies: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.radius < 1:
            raise ValueError(f"Blur: radius is {self.radius:g} of the picture's side; it has to be between 0 and 1")

    def edit(self, image: Image.Image) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(self.radius * min(image.size)))


@dataclass(frozen=True)
class Brightness(OfThePicture):
    """Multiply the brightness of the picture.

    Attributes:
        factor: 0 or more; 1 changes nothing.

    Example:
        >>> from PIL import Image
        >>> Brightness(0.5).edit(Image.new("RGB", (64, 48), (200, 0, 0))).getpixel((0, 0))
        (100, 0, 0)
    """

    factor: float

    name: ClassVar[str] = "brightness"
    version: ClassVar[int] = 1
    always_applies: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.factor < math.inf:
            raise ValueError(f"Brightness: factor is {self.factor:g}; it has to be 0 or more")

    def edit(self, image: Image.Image) -> Image.Image:
        return ImageEnhance.Brightness(image).enhance(self.factor)


@dataclass(frozen=True)
class Crop(Labelled):
    """Cut off a border, and scale the rest to the size of the original.

    Attributes:
        share: share of width and height that is cut off at each of the four edges, between 0 and 0.5.

    Example:
        >>> from PIL import Image
        >>> Crop(share=0.1).edit(Image.new("RGB", (64, 48), (200, 0, 0))).size
        (64, 48)
    """

    share: float = 0.02

    name: ClassVar[str] = "crop"
    version: ClassVar[int] = 1
    always_applies: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.share < 0.5:
            raise ValueError(f"Crop: share is {self.share:g} of each side; it has to be between 0 and 0.5")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        width, height = view.picture.source.size
        zoom = 1 / (1 - 2 * self.share)

        def move(box: Box) -> Box:
            left, top = (box.x - self.share * width) * zoom, (box.y - self.share * height) * zoom
            return Box(left, top, box.width * zoom, box.height * zoom)

        return view.moved(view.picture.then(self), move)

    def edit(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        rest = (self.share * width, self.share * height, (1 - self.share) * width, (1 - self.share) * height)
        return image.resize(image.size, Image.Resampling.BICUBIC, box=rest)
