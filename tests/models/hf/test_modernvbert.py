"""Masked language models with pictures against transformers' own forward, by hand on one pair at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForMaskedLM, AutoProcessor

from tests.models import chats
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow

FAMILIES = ("modernvbert", "ultravbert")
TEXTS = (f"a {MASK} on the street", f"the dog is {MASK} of the cat", f"{MASK} bus")
WORDS = (("bus", "dog", "xylophone"), ("left", "right"), ("red", "a"))
PICTURES = [
    Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 30).convert("RGB") for size in ((64, 48), (30, 90), (32, 32))
]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = getattr(chats, family)(tmp_path_factory.mktemp(family))
        return made[family]

    return folder


class ByHand:
    """transformers' processor, its chat template and its network, for one picture and one text."""

    def __init__(self, folder: Path) -> None:
        self.network = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float64).eval()
        self.processor = AutoProcessor.from_pretrained(folder)

    @torch.inference_mode()
    def fill(self, image: Image.Image, text: str, word: str) -> float:
        words = self.processor.tokenizer
        before, _, _ = text.partition(MASK)
        pieces = words((" " if before.endswith(" ") else "") + word, add_special_tokens=False)["input_ids"]
        said = text.replace(MASK, words.mask_token * len(pieces))
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": said}]}]
        prompt = self.processor.apply_chat_template(asked)
        inputs = self.processor(text=prompt, images=[image], return_tensors="pt").to(torch.float64)
        inputs.pop("mm_token_type_ids", None)
        log_probs = self.network(**inputs).logits[0].log_softmax(-1)
        (places,) = torch.where(inputs["input_ids"][0] == words.mask_token_id)
        return float(np.exp(sum(float(log_probs[place, piece]) for place, piece in zip(places, pieces, strict=True))))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_word_at_the_mask_is_what_transformers_says(family: str, folder_of: Callable[[str], Path]) -> None:
    model, hand = load_model(str(folder_of(family)), dtype="float64"), ByHand(folder_of(family))
    assert (model.kinds, model.metrics) == ({"mlm": "masked-lm"}, {"mlm"})
    rows = [0, 1, 2, 1, 0]
    texts, words = ([each[row % 3] for row in (0, 1, 2, 0, 2)] for each in (TEXTS, WORDS))
    found = model.mlm(model.encode(PICTURES)[rows], texts, words)
    for row, text, asked, probs in zip(rows, texts, words, found, strict=True):
        theirs = [hand.fill(PICTURES[row], text, word) for word in asked]
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=1e-10)
        np.testing.assert_allclose(np.log(probs), np.log(theirs), rtol=0, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_score_depends_on_the_picture_and_not_on_the_batch(family: str, folder_of: Callable[[str], Path]) -> None:
    model: Any = load_model(str(folder_of(family)), dtype="float64")
    encoded, found = model.encode(PICTURES), []
    for model.max_pairs in (1, 2, 16):
        found.append(np.concatenate(model.mlm(encoded[[0, 1, 2] * 3], TEXTS * 3, WORDS * 3)))
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-12)
    same = [model.mlm(encoded[[row]], TEXTS[:1], WORDS[:1])[0][0] for row in range(3)]
    assert len(set(np.round(same, 9))) == 3


def test_a_text_may_stand_right_behind_the_picture(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    model: Any = load_model(str(folder_of("modernvbert")))
    assert model._written("a [MASK]").startswith("<|im_start|>User:<image>a [MASK]<end_of_utterance>")
    model.images.chat_template = None
    assert model._written("a [MASK]") == "<image>a [MASK]"


def test_what_cannot_be_asked_is_said(folder_of: Callable[[str], Path]) -> None:
    model: Any = load_model(str(folder_of("modernvbert")))
    encoded = model.encode(PICTURES[:1])
    with pytest.raises(NotApplicable, match="'<image>', which is a special token of the model"):
        model.top(encoded, [f"an <image> of {MASK}"], 1)
    with pytest.raises(NotApplicable, match="more than the 2048 tokens"):
        model.top(encoded, ["dog " * 2100 + MASK], 1)
    with pytest.raises(UsageError, match="has no itm: it predicts words alone"):
        model.itm(encoded, ["a dog"])


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ messages[0].content[1].text }}", "its chat template writes no picture before a text"),
        ("<image>{{ messages[0].content[1].text | upper }}x", "changes or omits a text"),
        ("{{ messages[0].__class__ }}", "writes no text about one picture: SecurityError|changes or omits a text"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(
    template: str, said: str, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folder_of("modernvbert"), tmp_path / "mine"))
    (folder / "chat_template.jinja").write_text(template.replace("upper }}x", "upper | replace('MASK', 'mask') }}"))
    with pytest.raises(UsageError, match=f"mine: .*({said})"):
        load_model(str(folder))
