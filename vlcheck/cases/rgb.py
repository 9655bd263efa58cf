"""Conversion of pictures of every mode to three channels of 8 bits, on white."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vlcheck.errors import UsageError


class UnknownWhite(UsageError):
    """A picture whose highest possible level is not known."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a picture in RGB: transparent pixels are shown on white, as on a page, and 16 bits are scaled to 8.

    An RGB picture is returned itself, since a copy may take hundreds of megabytes.

    Raises:
        UnknownWhite: If its levels have 32 bits.
    """
    image = _eight_bits(image)
    if image.has_transparency_data:
        return _on_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale levels to 0 to 255; Pillow would clip larger ones."""
    if image.mode in ("I", "F"):
        raise UnknownWhite(f"pixels of mode {image.mode}, whose white is not known; 8 or 16 bits are accepted.")
    if not image.mode.startswith("I;16"):
        return image
    levels = np.asarray(image)
    scaled = Image.fromarray((levels // 256).astype(np.uint8))
    if (clear := image.info.get("transparency")) is not None:  # one level is transparent
        scaled.putalpha(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
    return scaled


def _on_white(image: Image.Image) -> Image.Image:
    """Compose a picture with white; Pillow would show the colors under transparent pixels, usually black."""
    white = Image.new("RGBA", image.size, "white")
    shown = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    shown.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return shown
