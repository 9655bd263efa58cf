"""Edits of the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import ClassVar, Literal, get_args

import numpy as np
from PIL import Image, ImageOps

from vlcheck.cases.case import Box, Case
from vlcheck.errors import NotApplicable
from vlcheck.perturb.view import View
from vlcheck.query import Picture

Where = Literal["image", "region"]
Filling = Literal["black", "mean", "noise"]

GREY_SPREAD = 8  # 8-bit levels between a pixel's channels that JPEG leaves in a grey photograph
GREY_SHARE = 0.99  # of the pixels have to be within it
_SAMPLE = 512  # longest side, in pixels, of what greyness is looked for in


@dataclass(frozen=True)
class Grayscale:
    """Luma in place of colour (ITU-R BT.601), in three equal channels."""

    name: ClassVar[str] = "grayscale"
    version: ClassVar[int] = 1

    @property
    def label(self) -> str:
        return f"{self.name} v{self.version}"

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, picture=view.picture.then(self))

    def edit(self, image: Image.Image) -> Image.Image:
        if is_grey(image):
            raise NotApplicable("the photograph is grey already")
        return image.convert("L").convert("RGB")


@dataclass(frozen=True)
class Mirror:
    """Left and right changed places, in the picture and in the boxes."""

    name: ClassVar[str] = "mirror"
    version: ClassVar[int] = 1

    @property
    def label(self) -> str:
        return f"{self.name} v{self.version}"

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        width, _ = view.picture.source.size
        region = tuple(box._replace(x=width - box.x - box.width) for box in view.region)
        return replace(view, picture=view.picture.then(self), region=region)

    def edit(self, image: Image.Image) -> Image.Image:
        return ImageOps.mirror(image)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Takes the evidence away: the whole picture, or what the target names, is painted over.

    Attributes:
        where: "image" or "region", the target's boxes.
        fill: "black", the picture's own "mean" colour, or "noise", uniform and the same in every run.
    """

    where: Where = "image"
    fill: Filling = "black"

    name: ClassVar[str] = "block"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for value, known in ((self.where, get_args(Where)), (self.fill, get_args(Filling))):
            if value not in known:
                raise ValueError(f"Block: {value!r} is none of {', '.join(known)}")

    @property
    def label(self) -> str:
        return f"{self.name}({self.where}, {self.fill}) v{self.version}"

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        size = view.picture.source.size
        if self.where == "region":
            if not view.region:
                raise NotApplicable("the case has no region")
            return replace(view, picture=view.picture.then(Paint(view.region, self.fill)))
        if self.fill == "black":
            # One picture for all photographs of a size: it is asked once.
            return replace(view, picture=Picture(Solid(size, (0, 0, 0))))
        return replace(view, picture=view.picture.then(Paint((Box(0, 0, *size),), self.fill)))


@dataclass(frozen=True)
class Paint:
    """Boxes painted over; a box that ends inside a pixel takes all of it.

    Attributes:
        boxes: in pixels of the picture as edited so far.
        fill: see `Block`.
    """

    boxes: tuple[Box, ...]
    fill: Filling

    name: ClassVar[str] = "paint"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        pixels = np.array(image)
        for rows, columns in (_span(box) for box in self.boxes):
            pixels[rows, columns] = self._paint(image, pixels[rows, columns].shape)
        return Image.fromarray(pixels)

    def _paint(self, image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
        if self.fill == "noise":
            seed = int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "big")
            return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        color = np.asarray(image).mean(axis=(0, 1)).round() if self.fill == "mean" else np.zeros(3)
        return np.broadcast_to(color.astype(np.uint8), shape)


@dataclass(frozen=True)
class Solid:
    """A picture of one colour.

    Attributes:
        size: width and height in pixels.
        color: red, green and blue, 0 to 255.
    """

    size: tuple[int, int]
    color: tuple[int, int, int]

    @property
    def key(self) -> str:
        return f"solid {self.size} {self.color}"

    def open(self) -> Image.Image:
        return Image.new("RGB", self.size, self.color)


def is_grey(image: Image.Image) -> bool:
    """Whether hardly a pixel's channels differ; looked for in at most 512 x 512 pixels of it."""
    step = max(1, max(image.size) // _SAMPLE)
    red, green, blue = np.moveaxis(np.asarray(image)[::step, ::step], 2, 0)
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return bool((spread <= GREY_SPREAD).mean() >= GREY_SHARE)


def _span(box: Box) -> tuple[slice, slice]:
    top, bottom = max(0, floor(box.y)), max(0, ceil(box.y + box.height))
    left, right = max(0, floor(box.x)), max(0, ceil(box.x + box.width))
    return slice(top, bottom), slice(left, right)
