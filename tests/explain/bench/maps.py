"""Explanations made by hand."""

import numpy as np

from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.models.differentiable import ImageLayout

SIDE = 128


def image_map(values):
    """A map over a square grid of patches, row by row."""
    side = round(len(values) ** 0.5)
    return ImageMap(np.array(values, dtype=float), ImageLayout.of_grid(side, side))


def map_on(mask):
    """A map on the pixels of a mask, as 8 x 8 patches see them."""
    patches = mask.reshape(8, SIDE // 8, 8, SIDE // 8).mean(axis=(1, 3))
    return image_map(patches.ravel() / patches.sum())


def explanation(image, words=()):
    """An explanation of a text of CLS and words, each with its value."""
    return Attribution(
        method="by hand",
        image=image,
        tokens=("[CLS]", *(word for word, _ in words)),
        special=(True, *[False] * len(words)),
        token_values=np.array([0.0, *(value for _, value in words)]) if words else None,
    )
