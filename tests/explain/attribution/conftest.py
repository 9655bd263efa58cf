from __future__ import annotations

from collections.abc import Sequence

import pytest
from PIL import Image

import vlcheck
from vlcheck.models.differentiable import Differentiable, differentiable

TEXTS = ("a red ball", "a small green box is left of a blue ring", "a box")
MASKED = ("a [MASK] ball", "a small green box is [MASK] of a blue ring", "a [MASK]")
WORDS = ("red", "left", "box")


@pytest.fixture(scope="session")
def tiny() -> Differentiable:
    """The embedded model in double precision, so that a batch can be told from single pairs."""
    return differentiable(vlcheck.load_model("tiny", dtype="float64"))


@pytest.fixture(scope="session")
def pictures() -> Sequence[Image.Image]:
    return [case.image.open() for case in vlcheck.open_cases("scenes:3").cases[:3]]
