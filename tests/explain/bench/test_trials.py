"""Trials show what their cause says, and nothing else."""

from random import Random

import numpy as np
import pytest
from PIL import ImageChops, ImageOps

from vlcheck.explain.bench.planted import CAUSES
from vlcheck.explain.bench.trials import make_trial

pytestmark = pytest.mark.slow  # networks are run many times

DRAWN = 12


def trials(cause):
    return [make_trial(cause, Random(f"{cause} {number}")) for number in range(DRAWN)]


def apart(one, other):
    """The share of a picture that differs between two pictures."""
    return float((np.asarray(ImageChops.difference(one, other)).max(axis=2) > 0).mean())


@pytest.mark.parametrize("cause", CAUSES)
def test_the_three_pairs_have_one_text_and_three_pictures(cause):
    for trial in trials(cause):
        assert len({pair.text for pair in trial.pairs}) == 1
        assert min(apart(trial.doubtful.image, other.image) for other in (trial.sound, trial.biased)) > 0.005


def test_the_doubtful_picture_is_black():
    assert all(trial.doubtful.image.getextrema() == ((0, 0),) * 3 for trial in trials("modality"))


def test_the_doubtful_picture_differs_by_color_from_the_one_and_by_shape_from_the_other():
    """Only the thing changes: at most a quarter of the picture."""
    for trial in trials("color"):
        assert apart(trial.doubtful.image, trial.sound.image) < 0.25
        assert apart(trial.doubtful.image, trial.biased.image) < 0.25


def test_the_doubtful_picture_is_mirrored():
    for trial in trials("position"):
        assert apart(ImageOps.mirror(trial.doubtful.image), trial.biased.image) == 0
        assert {"left", "right"} & set(trial.doubtful.text.split())


def test_both_kinds_of_sides_are_asked_about():
    texts = [trial.doubtful.text for trial in trials("position")]
    assert any("hand" in text for text in texts)
    assert any("to the" in text for text in texts)


def test_the_named_thing_is_moved_off_the_middle():
    """Around the middle of the doubtful picture there is ground alone, as in the picture of another thing."""
    for trial in trials("place"):
        doubtful, sound, biased = (np.asarray(pair.image)[44:84, 44:84] for pair in trial.pairs)
        assert np.array_equal(doubtful, biased)
        assert (doubtful != sound).any(axis=2).mean() > 0.2
