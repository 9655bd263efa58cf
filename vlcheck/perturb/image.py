"""Edits of the whole picture: mirrored, turned upside down, painted over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import ClassVar, Literal, get_args

import numpy as np
from PIL import Image, ImageOps

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.cases.picture import Picture
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled

Where = Literal["image", "region"]
Filling = Literal["black", "mean", "noise"]


@dataclass(frozen=True)
class Mirror(Labelled):
    """Exchange left and right, in the picture and in the boxes.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Mirror, Solid, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> Mirror()(view, ()).picture.edits
        (Mirror(),)
    """

    name: ClassVar[str] = "mirror"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        width, _ = view.picture.source.size
        return view.moved(view.picture.then(self), lambda box: box.mirrored(width))

    def edit(self, image: Image.Image) -> Image.Image:
        return ImageOps.mirror(image)


@dataclass(frozen=True)
class UpsideDown(Labelled):
    """Exchange top and bottom, in the picture and in the boxes.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, UpsideDown, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> UpsideDown()(view, ()).picture.edits
        (UpsideDown(),)
    """

    name: ClassVar[str] = "upside-down"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        _, height = view.picture.source.size
        return view.moved(view.picture.then(self), lambda box: box._replace(y=height - box.y - box.height))

    def edit(self, image: Image.Image) -> Image.Image:
        return ImageOps.flip(image)


@dataclass(frozen=True, kw_only=True)
class Block(Labelled):
    """Paint over the whole picture, or over the target's boxes, to remove the evidence.

    Attributes:
        where: "image" or "region", the target's boxes.
        fill: "black", "mean" for the picture's mean color, or "noise" for uniform noise, the same in every run.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Block, Solid, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> Block(fill="black")(view, ()).picture.render().getpixel((0, 0))
        (0, 0, 0)
    """

    where: Where = "image"
    fill: Filling = "black"

    name: ClassVar[str] = "block"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for value, known in ((self.where, get_args(Where)), (self.fill, get_args(Filling))):
            if value not in known:
                raise ValueError(f"Block: {value!r} is none of {', '.join(known)}")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        size = view.picture.source.size
        if self.where == "region":
            if not view.region:
                raise NotApplicable("the case has no region")
            return replace(view, picture=view.picture.then(Paint(view.region, self.fill)))
        if self.fill == "black":
            # All photographs of one size share one black picture, so that the model is asked once.
            return replace(view, picture=Picture(Solid(size, (0, 0, 0))))
        return replace(view, picture=view.picture.then(Paint((Box(0, 0, *size),), self.fill)))


@dataclass(frozen=True)
class Paint:
    """Paint over some boxes; a box that ends inside a pixel covers the whole pixel.

    Attributes:
        boxes: boxes in pixels of the picture as edited so far.
        fill: the paint, as in `Block`.
    """

    boxes: tuple[Box, ...]
    fill: Filling

    name: ClassVar[str] = "paint"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        pixels = np.array(image)
        for rows, columns in (span_of(box) for box in self.boxes):
            pixels[rows, columns] = self._paint(image, pixels[rows, columns].shape)
        return Image.fromarray(pixels)

    def _paint(self, image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
        if self.fill == "noise":
            seed = int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "big")
            return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        return np.broadcast_to(mean_color(image) if self.fill == "mean" else np.zeros(3, dtype=np.uint8), shape)


@dataclass(frozen=True)
class Solid:
    """A picture of one color.

    Attributes:
        size: width and height in pixels.
        color: red, green and blue, 0 to 255.

    Example:
        >>> Solid((64, 48), (200, 0, 0)).open().getpixel((0, 0))
        (200, 0, 0)
    """

    size: tuple[int, int]
    color: tuple[int, int, int]

    @property
    def key(self) -> str:
        return f"solid {self.size} {self.color}"

    def open(self) -> Image.Image:
        return Image.new("RGB", self.size, self.color)


def mean_color(image: Image.Image) -> np.ndarray:
    """Return the mean red, green and blue: (3,), uint8."""
    color: np.ndarray = np.asarray(image).mean(axis=(0, 1)).round().astype(np.uint8)
    return color


def span_of(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels that a box covers, wholly or in part."""
    top, bottom = max(0, floor(box.y)), max(0, ceil(box.y + box.height))
    left, right = max(0, floor(box.x)), max(0, ceil(box.x + box.width))
    return slice(top, bottom), slice(left, right)
