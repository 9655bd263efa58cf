"""The pixels of a scene that show a thing."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from vlcheck.datasets.scenes.rendering import OBJECTS, SCALE, SHADES, SIDE, Pen
from vlcheck.datasets.scenes.scene import Scene, Thing


def mask_of(scene: Scene, at: int) -> np.ndarray:
    """Return the pixels of a scene of which more than half shows a thing: (SIDE, SIDE), bool.

    A thing includes its outline. Things that are drawn later hide what is under them.

    Args:
        scene: the scene.
        at: index of the thing among the scene's things.
    """
    covered = _drawn(scene.things[at])
    for later in scene.things[at + 1 :]:
        covered &= ~_drawn(later)
    mask: np.ndarray = covered.reshape(SIDE, SCALE, SIDE, SCALE).mean(axis=(1, 3)) > 0.5
    return mask


def _drawn(thing: Thing) -> np.ndarray:
    """Return the pixels, before scaling down, that a thing covers: those that do not depend on the ground."""
    on_black, on_white = (_on(ground, thing) for ground in ("black", "white"))
    same: np.ndarray = (on_black == on_white).all(axis=2)
    return same


def _on(ground: str, thing: Thing) -> np.ndarray:
    image = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), ground)
    OBJECTS[thing.word](Pen(ImageDraw.Draw(image), thing.box, thing.flipped), SHADES[thing.color])
    return np.asarray(image)
