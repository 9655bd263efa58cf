"""Removal of what the target's regions show: for models that read a detector's regions, and for all others."""

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
from vlcheck.perturb.combine import first_refuting, refuting_cases
from vlcheck.perturb.patches import hide

Which = Literal["overlapping", "all"]
GRID = 16  # patches along each side of a picture, as ALBEF's pre-training has them


@dataclass(frozen=True)
class AblateRegions(Labelled):
    """Remove regions, to measure how much language relies on vision (Frank et al. 2021, arXiv:2109.04448).

    A region model keeps the regions of the whole picture, and loses those that overlap the target: more than half of
    one of its boxes lies in them; or it loses all regions. `Block` is another test: the detector then finds regions in
    a painted picture.

    A pixel model has no regions. It loses the patches that the target's boxes touch, of a grid over the picture; or the
    whole picture, which turns black. Lost patches get the mean color of the patches around them, so that the hole is no
    thing of its own: a black rectangle on a light ground looks like a box, and its color says nothing. The edges of the
    hole follow the grid, so that they do not tell the shape of the target's box.

    Attributes:
        which: "overlapping" the target, or "all".
        grid: number of patches along each side of the picture, for pixel models.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import AblateRegions, Box, Solid, View
        >>> region = (Box(10, 10, 20, 20),)
        >>> case = Case(id="1", image=Solid((64, 64), (200, 0, 0)), caption="a ball", target="ball", region=region)
        >>> AblateRegions()(View.of(case), ()).picture.render().getpixel((15, 15))
        (200, 0, 0)
        >>> AblateRegions("all")(View.of(case), ()).picture.render().getpixel((15, 15))
        (0, 0, 0)
    """

    which: Which = "overlapping"
    grid: int = GRID

    name: ClassVar[str] = "ablate-regions"
    version: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise ValueError(f"AblateRegions: {self.which!r} is none of {', '.join(get_args(Which))}")
        if not isinstance(self.grid, int) or self.grid < 1:
            raise ValueError(f"AblateRegions: grid is {self.grid!r}; it has to be a whole number of 1 or more")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if self.which == "all":
            return replace(view, picture=view.picture.then(TakeOut()))
        if not view.region:
            raise NotApplicable("the case has no region")
        return replace(view, picture=view.picture.then(TakeOut(view.region, self.grid)))


@dataclass(frozen=True)
class AblateOther(Labelled):
    """Show another case's picture, of which the caption is false, without that case's own target.

    Against it stands the picture of the case without its target: the difference of both scores is what the rest of the
    picture tells of the target. A model that takes every hole for the same thing says that thing of both.

    Attributes:
        grid: number of patches along each side of the picture, for pixel models, as in `AblateRegions`.

    Example:
        >>> import vlcheck
        >>> from vlcheck.perturb import View
        >>> cases = vlcheck.open_cases("scenes:5").select(vlcheck.with_target("object"))
        >>> AblateOther()(View.of(cases[0]), cases).picture.edits[0].name
        'take-out'
    """

    grid: int = GRID

    name: ClassVar[str] = "ablate-other"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        AblateRegions(grid=self.grid)  # refuses what is no grid

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        other = first_refuting(case for case in refuting_cases(view.case, others) if case.region)
        ablated = AblateRegions(grid=self.grid)(View.of(other), others)
        return replace(view, picture=ablated.picture, region=(), other_region=())


@dataclass(frozen=True)
class TakeOut:
    """Hide boxes, or turn the whole picture black, and note the removed regions for models that read regions.

    Attributes:
        boxes: boxes in pixels of the picture as edited so far; none for the whole picture.
        grid: number of patches along each side of the picture; a patch that a box touches is hidden.
    """

    boxes: tuple[Box, ...] = ()
    grid: int = GRID

    name: ClassVar[str] = "take-out"
    version: ClassVar[int] = 2

    def edit(self, image: Image.Image) -> Image.Image:
        taken = hide(image, self.boxes, self.grid) if self.boxes else Image.new("RGB", image.size)
        note_ablation(taken, Ablation(image, self.boxes))
        return taken
