"""The weights on the shelf come out of the recipe: its first steps, taken again, lose what the log says."""

import numpy as np
import pytest

from tests.tiers import NIGHTLY
from vlcheck.zoo import pretrained
from vlcheck.zoo.export import read_losses
from vlcheck.zoo.recipe import RECIPES
from vlcheck.zoo.training import train

pytestmark = pytest.mark.power
STEPS, WINDOW = (200, 20) if NIGHTLY else (40, 10)
CLOSE = 0.02  # nats, of means over WINDOW steps: another machine adds up in another order


def test_the_controls_first_steps_again(tmp_path):
    logged = read_losses(pretrained.WEIGHTS / "tiny.losses.csv")[:STEPS]
    again = train(RECIPES["tiny"], tmp_path, steps=STEPS).losses
    assert [one.step for one in logged] == [one.step for one in again] == list(range(1, STEPS + 1))
    for head in ("mlm", "itm"):
        was, now = (
            np.array([getattr(one, head) for one in losses]).reshape(-1, WINDOW).mean(axis=1)
            for losses in (logged, again)
        )
        assert np.abs(was - now).max() < CLOSE
        assert was[0] - was[-1] > 0.02  # and there was something to learn
