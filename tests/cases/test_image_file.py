"""Photographs of every depth and mode are read in the levels that models are shown."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import ImageFile
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import UsageError

RED = (200, 30, 30)


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    levels = np.linspace(0, 65_535, 600, dtype=np.uint16).reshape(20, 30)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    (tmp_path / "deep.tif").write_bytes(big_endian_tiff(levels))
    for name in ("deep.png", "deep.tif"):
        shown = np.asarray(ImageFile(tmp_path / name).open())
        assert np.array_equal(shown, np.repeat(levels[:, :, None] // 256, 3, axis=2))


def big_endian_tiff(levels: np.ndarray) -> bytes:
    """Sixteen bits a pixel, which Pillow reads and does not write."""
    data = levels.astype(">u2").tobytes()
    height, width = levels.shape
    shorts = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in shorts.items())
    directory = struct.pack(">H", len(shorts)) + entries + bytes(4)
    return b"MM\0*" + struct.pack(">I", 8 + len(data)) + data + directory


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "L", "RGB", "I;16"])
def test_what_is_transparent_stands_on_white(mode: str, tmp_path: Path) -> None:
    """Whatever color is kept under it: black where a program cut something out, as a rule."""
    picture, clear = transparent(mode)
    picture.save(tmp_path / "cut_out.png", **({} if clear is None else {"transparency": clear}))
    opened = ImageFile(tmp_path / "cut_out.png").open()
    assert opened.mode == "RGB"
    assert opened.getpixel((0, 0)) == (255, 255, 255)
    assert opened.getpixel((5, 0)) == (RED if mode in ("RGBA", "P", "PA", "RGB") else (100, 100, 100))
    assert not opened.has_transparency_data  # it is not made white again after an edit


def transparent(mode: str) -> tuple[Image.Image, object]:
    """A picture whose left half is clear, and which of its colors is, where that is how the mode says so."""
    color, under = (RED, (0, 0, 0)) if mode in ("RGBA", "P", "PA", "RGB") else (100, 0)
    plain = Image.new("RGB" if isinstance(color, tuple) else "L", (6, 4), color)
    plain.paste(under, (0, 0, 3, 4))
    alpha = Image.new("L", (6, 4), 255)
    alpha.paste(0, (0, 0, 3, 4))
    if mode == "I;16":
        return Image.fromarray(np.asarray(plain).astype(np.uint16) * 256), 0
    if mode in ("L", "RGB"):
        return plain, under
    if mode == "P":
        palette = plain.convert("P", palette=Image.Palette.ADAPTIVE)
        return palette, palette.getpixel((0, 0))
    plain.putalpha(alpha)
    return (plain.quantize() if mode == "PA" else plain), None


def test_half_of_a_color_and_half_of_white(tmp_path: Path) -> None:
    assert to_rgb(Image.new("RGBA", (2, 2), (*RED, 128))).getpixel((0, 0)) == (227, 142, 142)


def test_a_picture_keeps_what_is_noted_of_it() -> None:
    picture = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    picture.info["vlcheck file"] = Path("a.png")
    assert to_rgb(picture).info == {"vlcheck file": Path("a.png")}


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_levels_without_a_white_are_refused(dtype: type, tmp_path: Path) -> None:
    Image.fromarray(np.ones((20, 30), dtype)).save(tmp_path / "deep.tiff")
    with pytest.raises(UsageError, match=r"deep\.tiff: pixels of mode [IF], whose white is not known"):
        ImageFile(tmp_path / "deep.tiff").open()
