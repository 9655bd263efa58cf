"""Photographs of every depth are read in the levels that models are shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases import ImageFile
from vlcheck.errors import UsageError


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    levels = np.linspace(0, 65_535, 600, dtype=np.uint16).reshape(20, 30)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    shown = np.asarray(ImageFile(tmp_path / "deep.png").open())
    assert np.array_equal(shown, np.repeat(levels[:, :, None] // 256, 3, axis=2))


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_levels_without_a_white_are_refused(dtype: type, tmp_path: Path) -> None:
    Image.fromarray(np.ones((20, 30), dtype)).save(tmp_path / "deep.tiff")
    with pytest.raises(UsageError, match=r"deep\.tiff: pixels of mode [IF], whose white is not known"):
        ImageFile(tmp_path / "deep.tiff").open()
