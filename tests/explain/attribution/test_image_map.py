"""What a map over a picture tells: its highest place, the share inside boxes, its mirror image, its densities."""

from __future__ import annotations

import numpy as np
import pytest

from vlcheck.cases.box import Box
from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.image_map import ImageMap, Point
from vlcheck.models.differentiable import ImageLayout

GRID = ImageMap(np.array([0.0, 1, 2, -4, 5, 0]), ImageLayout.of_grid(2, 3))
REGIONS = ImageMap(np.array([3.0, 1]), ImageLayout((Box(0, 0, 0.5, 0.5), Box(0.25, 0, 0.5, 1))))


def test_the_peak_is_the_center_of_the_highest_unit():
    assert GRID.peak() == pytest.approx(Point(0.5, 0.75))
    assert REGIONS.peak() == Point(0.25, 0.25)


def test_the_peak_of_a_cropped_picture_lies_in_the_crop():
    layout = ImageLayout.of_grid(1, 2, Box(0.25, 0, 0.5, 1))
    assert ImageMap(np.array([0.0, 1]), layout).peak() == Point(0.625, 0.5)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(0, 0, 0, 0), "the map is not finite"),
        (Box(8, 8, 8, 8), "the map is 0 everywhere"),  # in pixels
        (Box(0, 0, 1, 1), ""),
    ],
)
def test_a_map_whose_boxes_lie_nowhere_says_so(box, reason):
    image = ImageMap(np.ones(1), ImageLayout((box,)))
    assert Attribution("saliency", image, ("red",), (False,), np.ones(1)).reason == reason


@pytest.mark.parametrize(
    ("boxes", "share"),
    [
        ([Box(0, 0, 1, 1)], 1),
        ([Box(0, 0.5, 1, 0.5)], 5 / 8),  # values below 0 do not count
        ([Box(0.5, 0.5, 0.5, 0.5)], 2.5 / 8),  # half of a unit
        ([Box(0.5, 0.5, 0.5, 0.5), Box(0.5, 0.5, 0.5, 0.5), Box(0.6, 0.6, 0.1, 0.1)], 2.5 / 8),  # once
        ([Box(2 / 3, 0, 1 / 3, 0.5), Box(1 / 3, 0.5, 1 / 3, 0.25)], 4.5 / 8),
        ([], 0),
    ],
)
def test_the_share_inside_boxes(boxes, share):
    assert GRID.share_inside(boxes) == pytest.approx(share)


def test_the_share_of_random_boxes_is_that_of_the_rendered_map():
    random = np.random.default_rng(3)
    for _ in range(20):
        boxes = [Box(*random.integers(0, 6, 2) / 12, *random.integers(1, 7, 2) / 12) for _ in range(3)]
        inside = np.zeros((12, 12), dtype=bool)
        for box in boxes:
            left, top, width, height = (round(12 * side) for side in box)
            inside[top : top + height, left : left + width] = True
        densities = ImageMap(GRID.values.clip(0), GRID.layout).render(12, 12)
        assert GRID.share_inside(boxes) == pytest.approx(densities[inside].sum() / densities.sum())


def test_a_map_without_positive_values_has_no_share():
    assert ImageMap(np.array([-1.0, 0]), ImageLayout.of_grid(1, 2)).share_inside([Box(0, 0, 1, 1)]) == 0


@pytest.mark.parametrize("one", [GRID, REGIONS])
def test_a_mirrored_map_is_rendered_mirrored(one):
    np.testing.assert_allclose(one.mirrored().render(12, 8), one.render(12, 8)[:, ::-1], atol=1e-12)


def test_a_mirrored_grid_is_row_by_row():
    mirrored = GRID.mirrored()
    assert mirrored.values.tolist() == [2, 1, 0, 0, 5, -4]
    np.testing.assert_allclose(mirrored.layout.boxes, GRID.layout.boxes, atol=1e-12)


def test_the_rendered_sum_is_that_of_the_units():
    assert GRID.render(7, 5).sum() == pytest.approx(GRID.values.sum())
