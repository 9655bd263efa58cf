from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import Box, Case, ImageFile
from vlcheck.cases.image_notes import ablation_of
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb import AblateOther, AblateRegions, Block, Mirror
from vlcheck.perturb.patches import hide
from vlcheck.scoring.render import render_all

REGION = (Box(1, 2, 3, 2), Box(5, 0, 2, 2))


@pytest.fixture
def view(tmp_path: Path) -> View:
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(path)
    return View.of(Case(id="one", image=ImageFile(path), caption="a ball", target="ball", region=REGION))


def shown(view: View) -> Image.Image:
    ((_, image),) = render_all([view.picture])
    assert isinstance(image, Image.Image)
    return image


@pytest.mark.parametrize("grid", [1, 4, 16])
def test_a_model_of_pixels_sees_no_patch_of_the_target(view: View, grid: int) -> None:
    ablated = shown(AblateRegions(grid=grid)(view, ()))
    assert np.array_equal(ablated, hide(view.picture.render(), REGION, grid))


def test_a_model_of_pixels_sees_black_without_regions(view: View) -> None:
    assert not np.array(shown(AblateRegions("all")(view, ()))).any()


@pytest.mark.parametrize(("which", "boxes"), [("overlapping", REGION), ("all", ())])
def test_a_model_of_regions_is_told_what_was_there(view: View, which: str, boxes: tuple[Box, ...]) -> None:
    ablation = ablation_of(shown(AblateRegions(which)(view, ())))
    assert ablation is not None
    assert ablation.boxes == boxes
    assert np.array_equal(ablation.original, view.picture.render())


def test_the_target_is_hidden_where_another_edit_has_moved_it(view: View) -> None:
    mirrored = Mirror()(view, ())
    moved = tuple(box._replace(x=8 - box.x - box.width) for box in REGION)
    assert np.array_equal(shown(AblateRegions()(mirrored, ())), hide(mirrored.picture.render(), moved, 16))


def test_each_is_another_picture(view: View) -> None:
    ablated = {AblateRegions(which)(view, ()).picture.key for which in ("overlapping", "all")}
    ablated.add(AblateRegions(grid=4)(view, ()).picture.key)
    assert len({*ablated, view.picture.key, Block(where="region")(view, ()).picture.key}) == 5


def test_without_a_region_nothing_overlaps_it(view: View) -> None:
    lacking = replace(view, region=())
    with pytest.raises(NotApplicable, match="the case has no region"):
        AblateRegions("overlapping")(lacking, ())
    assert AblateRegions("all")(lacking, ()).picture.key == AblateRegions("all")(view, ()).picture.key


def test_a_region_outside_of_the_picture_is_a_reason(view: View) -> None:
    outside = replace(view, region=(Box(20, 0, 3, 3),))
    ((_, answer),) = render_all([AblateRegions()(outside, ()).picture])
    assert answer.unasked == "the region lies outside the picture"


def test_it_is_labelled_with_what_is_taken_out() -> None:
    assert AblateRegions().label == "ablate-regions(overlapping, 16) v2"
    with pytest.raises(ValueError, match="'none' is none of overlapping, all"):
        AblateRegions("none")


@pytest.mark.parametrize("grid", [0, -3, 2.5, "16"])
@pytest.mark.parametrize("kind", [AblateRegions, AblateOther])
def test_a_grid_has_whole_patches(kind: type[AblateRegions] | type[AblateOther], grid: Any) -> None:
    with pytest.raises(ValueError, match=rf"grid is {grid!r}; it has to be a whole number of 1 or more"):
        kind(grid=grid)
