"""What a processor refuses is not applicable, in every family, and takes nothing from the pictures beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.models import chats, checkpoints
from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.loading.load import load_model


def picture(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    random = np.random.default_rng(seed)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("family", "size"), [("vilt_words", (300, 2)), ("bridgetower", (2, 300)), ("qwen2_vl", (300, 1))]
)
def test_a_strip_is_not_applicable(family: str, size: tuple[int, int], tmp_path: Path) -> None:
    make = getattr(checkpoints, family, None) or getattr(chats, family)
    model = load_model(str(make(tmp_path)))
    with pytest.raises(NotApplicable, match=r"processor refuses the picture: .*\w"):
        model.encode([picture(1), picture(2, size)])
    assert len(model.encode([picture(1)])) == 1


@pytest.mark.parametrize("family", ["clip", "llava"])
def test_a_transparent_picture_stands_on_white(family: str, tmp_path: Path) -> None:
    make = getattr(checkpoints, family, None) or getattr(chats, family)
    model = load_model(str(make(tmp_path)))
    red = Image.new("RGBA", (64, 48), (200, 30, 30, 255))
    red.paste((0, 0, 0, 0), (0, 0, 32, 48))
    on_white = Image.new("RGB", (64, 48), (200, 30, 30))
    on_white.paste((255, 255, 255), (0, 0, 32, 48))
    one, other = (model.itm(model.encode([shown]), ["a dog"], [["a cat"]]) for shown in (red, on_white))
    np.testing.assert_array_equal(one, other)


def test_an_error_without_words_is_named() -> None:
    with pytest.raises(NotApplicable, match="refuses the picture: ZeroDivisionError"), errors_as_refusals():
        raise ZeroDivisionError


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_machine_that_is_too_small_is_no_refusal(error: Exception) -> None:
    with pytest.raises(type(error)), errors_as_refusals():
        raise error
