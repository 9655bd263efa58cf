"""The random map: noise that depends on the pair alone."""

import numpy as np
from PIL import ImageOps

from vlcheck import load_model, open_cases
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.random_map import Random
from vlcheck.models.differentiable import differentiable


def test_a_mirrored_picture_has_another_map_and_the_same_picture_the_same():
    """Otherwise noise would look blind to the mirror: both pictures have the same pixels, at other places."""
    image, model = open_cases("scenes:1").cases[0].image.open(), differentiable(load_model("tiny"))
    maps = attribute(model, Random(), [image, ImageOps.mirror(image), image], ["a ball"] * 3, batch_size=2)
    one, mirrored, again = (found.image.values for found in maps)
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one, mirrored)[0, 1]) < 0.5
