from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import Box, Case, ImageFile
from vlcheck.cases.image_notes import ablation_of
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb import AblateRegions, Block
from vlcheck.scoring.render import render_all

REGION = (Box(1, 2, 3, 2), Box(5, 0, 2, 2))


@pytest.fixture
def view(tmp_path: Path) -> View:
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(path)
    return View.of(Case(id="one", image=ImageFile(path), caption="a ball", target="ball", region=REGION))


@pytest.mark.parametrize(("which", "where", "boxes"), [("overlapping", "region", REGION), ("all", "image", ())])
def test_a_model_of_pixels_sees_black_and_one_of_regions_is_told_what_was_there(
    view: View, which: str, where: str, boxes: tuple[Box, ...]
) -> None:
    ablated = AblateRegions(which)(view, ()).picture
    ((_, shown),) = render_all([ablated])
    assert isinstance(shown, Image.Image)
    blocked = Block(where=where, fill="black")(view, ()).picture.render()
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(blocked))
    ablation = ablation_of(shown)
    assert ablation is not None
    assert ablation.boxes == boxes
    np.testing.assert_array_equal(np.asarray(ablation.original), np.asarray(view.picture.render()))


def test_each_is_another_picture(view: View) -> None:
    ablated = {AblateRegions(which)(view, ()).picture.key for which in ("overlapping", "all")}
    assert len({*ablated, view.picture.key, Block(where="region")(view, ()).picture.key}) == 4


def test_without_a_region_nothing_overlaps_it(view: View) -> None:
    lacking = replace(view, region=())
    with pytest.raises(NotApplicable, match="the case has no region"):
        AblateRegions("overlapping")(lacking, ())
    assert AblateRegions("all")(lacking, ()).picture.key == AblateRegions("all")(view, ()).picture.key


def test_it_is_labelled_with_what_is_taken_out() -> None:
    assert AblateRegions().label == "ablate-regions(overlapping) v1"
    with pytest.raises(ValueError, match="'none' is none of overlapping, all"):
        AblateRegions("none")
