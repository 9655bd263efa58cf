"""What stands in for photographs is read as they are, and has cases enough to decide."""

import numpy as np
import pytest

from tests.drawn_coco import SHAPES, draw_coco
from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source

ENOUGH = 40  # images: a pass needs 29


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return open_source(f"coco:{draw_coco(tmp_path_factory.mktemp('coco'))}")


@pytest.mark.parametrize("tag", ["object", "single", "color", "side"])
def test_there_are_cases_enough(source, tag):
    assert len(source.select(with_target(tag))) >= ENOUGH  # which looks at each picture's file


def test_pictures_have_every_shape(source):
    assert {case.image.size for case in source.cases} == set(SHAPES)


def test_things_lie_within_their_pictures(source):
    for case in source.select(with_target("object", "side")):
        width, height = case.image.size
        assert case.region
        assert all(box.x >= 0 and box.x + box.width <= width for box in case.region)
        assert all(box.y >= 0 and box.y + box.height <= height for box in case.region)


def test_what_has_a_color_has_it_within_its_box(source):
    """Boxes are stretched as pictures are."""
    colored = [case for case in source.select(with_target("chromatic")) if case.region]
    for case in colored:
        saturation = np.asarray(case.image.open().convert("HSV"), dtype=float)[..., 1]
        (box,) = case.region
        within = np.zeros_like(saturation, dtype=bool)
        within[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)] = True
        assert saturation[within].mean() > 1.5 * saturation[~within].mean(), case.id
    assert len(colored) >= ENOUGH / 2
