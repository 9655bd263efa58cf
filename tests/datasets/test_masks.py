"""The pixels of a drawn thing are known exactly."""

from dataclasses import replace

import numpy as np

from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.masks import mask_of
from vlcheck.datasets.scenes.scene import Scene, Thing

PLACE = Box(20, 30, 50, 50)
SCENE = Scene(7, things=(Thing("box", "red", PLACE),))


def test_a_mask_has_the_area_of_the_shape():
    """The drawn box is its square without two corners of 0.28 x 0.28 / 2 each."""
    assert abs(mask_of(SCENE, 0).sum() / PLACE.area - (1 - 0.28**2)) < 0.03


def test_the_picture_changes_nowhere_else():
    """All pixels of the mask change, and no pixel that is not beside it."""
    changed = (np.asarray(SCENE.open()) != np.asarray(replace(SCENE, things=()).open())).any(axis=2)
    mask = mask_of(SCENE, 0)
    steps = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    beside = np.any([np.roll(mask, step, axis=(0, 1)) for step in steps], axis=0)
    assert changed[mask].all()
    assert not changed[~beside].any()


def test_a_mirrored_thing_has_a_mirrored_mask():
    middle = Box(39, 30, 50, 50)
    fish, turned = (mask_of(replace(SCENE, things=(Thing("fish", "red", middle, one),)), 0) for one in (False, True))
    assert (fish[:, ::-1] == turned).mean() > 0.98
    assert (fish == turned).mean() < 0.97


def test_what_is_drawn_later_hides_what_is_under_it():
    both = replace(SCENE, things=(*SCENE.things, Thing("ball", "blue", Box(45, 30, 50, 50))))
    under, over = mask_of(both, 0), mask_of(both, 1)
    assert not (under & over).any()
    assert 0.3 < under.sum() / mask_of(SCENE, 0).sum() < 0.7
    assert over.sum() > 0.7 * 50 * 50
