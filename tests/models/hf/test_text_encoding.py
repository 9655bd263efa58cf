"""Texts without a picture: each family's vectors, and BERT's words in a gap, against transformers called by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AlignModel,
    AltCLIPModel,
    AutoTokenizer,
    BertForMaskedLM,
    BlipForImageTextRetrieval,
    ChineseCLIPModel,
    CLIPModel,
    FlavaForPreTraining,
    MetaClip2Model,
    Siglip2Model,
    SiglipModel,
)

from tests.models import checkpoints
from vlcheck.cases.case import MASK
from vlcheck.models.loading.load import load_model
from vlcheck.models.text_encoding import GapFilling, TextEncoding

pytestmark = pytest.mark.slow  # networks are run many times

TEXTS = ["a red bus on the street", f"a {MASK} bus on the street", "the cat is left of the dog in the photo"]
ByHand = Callable[[Path, str], torch.Tensor]


def _read(cls: Any, folder: Path, text: str, blank: str, **more: Any) -> tuple[Any, Any]:
    network = cls.from_pretrained(folder, dtype=torch.float64, **more.pop("settings", {})).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return network, tokenizer(text.replace(MASK, blank), return_tensors="pt", **more)


def contrastive(cls: Any, *, lower: bool = False, **more: Any) -> ByHand:
    def by_hand(folder: Path, text: str) -> torch.Tensor:
        asked = text.replace(MASK, "MASK")
        network, tokens = _read(cls, folder, asked.lower() if lower else asked, "", **more)
        kept = {"input_ids": tokens["input_ids"]} if lower else tokens
        return network.get_text_features(**kept).pooler_output[0]

    return by_hand


def blip(folder: Path, text: str) -> torch.Tensor:
    network, tokens = _read(BlipForImageTextRetrieval, folder, text, "MASK", return_token_type_ids=False)
    return network.text_proj(network.text_encoder(**tokens).last_hidden_state[0, 0])


def flava(folder: Path, text: str) -> torch.Tensor:
    network, tokens = _read(FlavaForPreTraining, folder, text, "[MASK]", settings={"init_codebook": False})
    return network.flava.text_projection(network.flava.text_model(**tokens).last_hidden_state[0, 0])


def bert(folder: Path, text: str) -> torch.Tensor:
    network, tokens = _read(BertForMaskedLM, folder, text, "[MASK]")
    return network.bert(**tokens).last_hidden_state[0].mean(0)


_FULL = {"padding": "max_length", "max_length": checkpoints.POSITIONS}
FAMILIES: dict[str, ByHand] = {
    "clip": contrastive(CLIPModel),
    "metaclip2": contrastive(MetaClip2Model),
    "altclip": contrastive(AltCLIPModel),
    "chinese_clip": contrastive(ChineseCLIPModel),
    "align": contrastive(AlignModel),
    "siglip": contrastive(SiglipModel, lower=True, **_FULL),
    "siglip2": contrastive(Siglip2Model, lower=True, **_FULL),
    "blip_retrieval": blip,
    "flava": flava,
    "bert": bert,
}


@pytest.mark.parametrize("family", list(FAMILIES))
@torch.inference_mode()
def test_the_vector_of_a_text_has_the_direction_that_transformers_gives(family: str, tmp_path: Path) -> None:
    folder = getattr(checkpoints, family)(tmp_path)
    model = load_model(str(folder), dtype="float64")
    assert isinstance(model, TextEncoding)
    assert model.can_spell(TEXTS[0])
    found = model.embed_texts(TEXTS)
    theirs = np.array([FAMILIES[family](folder, text).numpy() for text in TEXTS])
    unit, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (found, theirs))
    np.testing.assert_allclose(unit, theirs, rtol=0, atol=1e-9)
    assert np.abs(unit[0] - unit[1]).max() > 1e-6


@torch.inference_mode()
def test_a_word_of_several_pieces_has_the_mean_of_their_log_probabilities(tmp_path: Path) -> None:
    folder = checkpoints.bert(tmp_path)
    model = load_model(str(folder), dtype="float64")
    assert isinstance(model, GapFilling)
    (found,) = model.gap_log_probs([f"a {MASK} bus"], [("red", "ox")])
    network = BertForMaskedLM.from_pretrained(folder, dtype=torch.float64).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for score, word in zip(found, ("red", "ox"), strict=True):
        pieces = tokenizer(word, add_special_tokens=False)["input_ids"]
        masked = tokenizer(f"a {'[MASK]' * len(pieces)} bus", return_tensors="pt")
        logs = network(**masked).logits[0, 2 : 2 + len(pieces)].log_softmax(-1)
        assert score == pytest.approx(float(logs[range(len(pieces)), pieces].mean()), abs=1e-9)
    assert len(tokenizer("ox", add_special_tokens=False)["input_ids"]) == 2


def test_a_sentence_with_a_word_that_no_pieces_spell_is_told(tmp_path: Path) -> None:
    model = load_model(str(checkpoints.bert(tmp_path)))
    assert isinstance(model, TextEncoding)
    assert [model.can_spell(text) for text in (f"a {MASK} bus", "a zebra", "a 7")] == [True, True, False]
