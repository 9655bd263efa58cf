"""Every type that is asked in words is asked in other words, too, and says something else then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.models.generative.builders import BUILDERS
from vlcheck.errors import UsageError
from vlcheck.models.adapters.yes_no import Answering
from vlcheck.models.loading.load import load_model

PICTURE = Image.effect_mandelbrot((64, 48), (-2, -1.5, 1, 1.5), 30).convert("RGB")
SAMPLE = {"git", "llava", "paligemma"}  # of the kinds of adapters, before a merge
CAPTIONS = {"blip", "vision-encoder-decoder"}  # write captions, and are asked no question


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind if kind in SAMPLE else pytest.param(kind, marks=pytest.mark.nightly) for kind in BUILDERS]
)
def test_another_wording_is_another_question(kind: str, tmp_path: Path) -> None:
    model: Any = load_model(str(BUILDERS[kind](tmp_path / kind)), dtype="float64")
    assert isinstance(model, Answering) == (kind not in CAPTIONS)
    if kind in CAPTIONS:
        return
    encoded = model.encode([PICTURE])
    found = [float(model.in_wording(wording).itm(encoded, ["a dog"])[0]) for wording in model.wordings]
    assert len({round(one, 9) for one in found}) == len(model.wordings) == 3
    assert found[0] == float(model.itm(encoded, ["a dog"])[0])
    with pytest.raises(UsageError, match="has no wording 'What is it'"):
        model.in_wording("What is it")
