"""Removal of a detector's regions, for models that read regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.cases.image_notes import Ablation, note_ablation
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled
from vlcheck.perturb.image import Paint

Which = Literal["overlapping", "all"]


@dataclass(frozen=True)
class AblateRegions(Labelled):
    """Remove regions, to measure how much language relies on vision (Frank et al. 2021, arXiv:2109.04448).

    A region model keeps the regions of the whole picture, and loses those that overlap the target: more than half of
    one of its boxes lies in them; or it loses all regions. `Block` is another test: the detector then finds regions in
    a painted picture. A pixel model has no regions, and is shown the target, or the whole picture, painted black.

    Attributes:
        which: "overlapping" the target, or "all".

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import AblateRegions, Solid, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> AblateRegions("all")(view, ()).picture.render().getpixel((0, 0))
        (0, 0, 0)
    """

    which: Which = "overlapping"

    name: ClassVar[str] = "ablate-regions"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise ValueError(f"AblateRegions: {self.which!r} is none of {', '.join(get_args(Which))}")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if self.which == "all":
            return replace(view, picture=view.picture.then(TakeOut()))
        if not view.region:
            raise NotApplicable("the case has no region")
        return replace(view, picture=view.picture.then(TakeOut(view.region)))


@dataclass(frozen=True)
class TakeOut:
    """Paint boxes black, and note the removed regions for models that read regions.

    Attributes:
        boxes: boxes in pixels of the picture as edited so far; none for the whole picture.
    """

    boxes: tuple[Box, ...] = ()

    name: ClassVar[str] = "take-out"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        painted = Paint(self.boxes or (Box(0, 0, *image.size),), "black").edit(image)
        note_ablation(painted, Ablation(image, self.boxes))
        return painted
