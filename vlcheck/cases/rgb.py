"""Pictures of every mode as models and reviewers see them: three channels of 8 bits, on white."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vlcheck.errors import UsageError


class UnknownWhite(UsageError):
    """Levels of a picture whose highest is not known."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a picture in RGB: what is transparent stands on white, as a page shows it, and 16 bits are scaled to 8.

    One that is in RGB already is returned itself, since a copy may take hundreds of megabytes.

    Raises:
        UnknownWhite: its levels are of 32 bits.
    """
    image = _eight_bits(image)
    if image.has_transparency_data:
        return _on_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """The same in levels of 0 to 255: Pillow would cut off what is above."""
    if image.mode in ("I", "F"):
        raise UnknownWhite(f"pixels of mode {image.mode}, whose white is not known; 8 or 16 bits are accepted.")
    if not image.mode.startswith("I;16"):
        return image
    levels = np.asarray(image)
    scaled = Image.fromarray((levels // 256).astype(np.uint8))
    if (clear := image.info.get("transparency")) is not None:  # one level of all
        scaled.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
    return scaled


def _on_white(image: Image.Image) -> Image.Image:
    """Pillow would show the colors that a picture keeps under what is transparent: black, as a rule."""
    white = Image.new("RGBA", image.size, "white")
    shown = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    shown.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return shown
