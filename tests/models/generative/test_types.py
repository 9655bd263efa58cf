"""Each type that transformers maps to image-text-to-text, on a small checkpoint with random weights.

All types are tried at night. Before a merge, a sample is: a language network with windows and one with linear
attention, an encoder-decoder, positions in space, and a codebook in the place of a vision tower.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models.generative.builders import BUILDERS, IN_FLOAT32, PROMPTED
from tests.models.hf.test_generative import TEXTS, ByHand
from vlcheck.cases import MASK
from vlcheck.metrics.probe import Probe
from vlcheck.models.contract import examine
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow

SAMPLE = {"cohere2_vision", "emu3", "florence2", "glm4v", "qwen3_5"}
FEW = 8  # probes
SAID = [
    (f"a red {MASK} on the street", ("bus", "dog", "cat")),
    (f"a {MASK}", ("dog", "ox", "zebra")),
    (f"the cat is {MASK} of the dog in the photo", ("left", "right")),
]


def each_type(*, without: frozenset[str] = frozenset()) -> list[object]:
    """Parameters of a test: all types, of which those beyond the sample are tried at night."""
    kinds = sorted(BUILDERS.keys() - without)
    return [kind if kind in SAMPLE else pytest.param(kind, marks=pytest.mark.nightly) for kind in kinds]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = BUILDERS[kind](tmp_path_factory.mktemp("type"))
        return made[kind]

    return folder


@pytest.mark.parametrize("kind", each_type())
def test_each_type_keeps_the_contract(
    kind: str, folder_of: Callable[[str], Path], real_photographs: list[Image.Image]
) -> None:
    model = load_model(str(folder_of(kind)))
    asked = zip(cycle(real_photographs), cycle(SAID), strict=False)
    outcomes = list(examine(model, [Probe(image, *said) for image, said in islice(asked, FEW)]))
    assert outcomes
    assert [f"{outcome.clause}: {outcome.found}" for outcome in outcomes if not outcome.kept] == []


class ByProcessor(ByHand):
    """A checkpoint asked with its processor and the text that its chat template writes: nothing is kept."""

    def __init__(self, folder: Path, dtype: str) -> None:
        self.network: Any = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=getattr(torch, dtype), experts_implementation="eager"
        ).eval()
        self.processor: Any = AutoProcessor.from_pretrained(folder)

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        user = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked}]}
        rendered = self.processor.apply_chat_template([user], add_generation_prompt=True, tokenize=False)
        takes = inspect.signature(self.network.forward).parameters
        told = {"return_mm_token_type_ids": True} if "mm_token_type_ids" in takes else {}
        if rendered.startswith(self.processor.tokenizer.bos_token or "no such token"):
            told["add_special_tokens"] = False  # the template has written them
        return self.processor(text=[rendered], images=[image], return_tensors="pt", **told).to(self.network.dtype)


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("kind", each_type(without=PROMPTED))
def test_each_type_matches_as_transformers_does_without_a_cache(
    kind: str, dtype: str, atol: float, folder_of: Callable[[str], Path], real_photographs: list[Image.Image]
) -> None:
    model, hand = load_model(str(folder_of(kind)), dtype=dtype), ByProcessor(folder_of(kind), dtype)
    found = model.itm(model.encode(real_photographs), TEXTS)
    theirs = [hand.match(image, text) for image, text in zip(real_photographs, TEXTS, strict=True)]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=max(atol, 1e-6) if kind in IN_FLOAT32 else atol)
    assert len(set(np.round(theirs, 6))) == len(theirs)
