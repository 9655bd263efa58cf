"""Every family that transformers hosts against transformers' own forward, called by hand on one pair at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import (
    AlignModel,
    AltCLIPModel,
    AutoImageProcessor,
    AutoTokenizer,
    BertForMaskedLM,
    Blip2ForImageTextRetrieval,
    BlipForImageTextRetrieval,
    BridgeTowerForImageAndTextRetrieval,
    BridgeTowerForMaskedLM,
    ChineseCLIPModel,
    CLIPModel,
    FlavaForPreTraining,
    MetaClip2Model,
    PreTrainedModel,
    Siglip2Model,
    SiglipModel,
    ViltForImageAndTextRetrieval,
    ViltForMaskedLM,
)

from tests.models import checkpoints
from vlcheck.cases.case import MASK
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel

TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog in the photo"]
MASKED = [f"a red {MASK} on the street", f"a {MASK}", f"the cat is {MASK} of the dog in the photo"]
WORDS = [("bus", "dog", "zebra"), ("dog", "bus", "ox"), ("left", "right")]  # some of several pieces
FOILS = [["a cat on the street", "a photo"], ["a cat"], ["the dog is left of the cat", "a red bus", "the photo"]]
TOLERANCES = [("float64", 1e-10), ("float32", 5e-5)]


class ByHand:
    """A checkpoint as its own documentation says to use it: processor, forward, head."""

    def __init__(self, cls: type[PreTrainedModel], folder: Path, dtype: str, **settings: Any) -> None:
        self.network: Any = cls.from_pretrained(folder, dtype=getattr(torch, dtype), **settings).eval()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.images: Any = AutoImageProcessor.from_pretrained(folder) if cls is not BertForMaskedLM else None

    @torch.inference_mode()
    def __call__(self, image: Image.Image, text: str | list[str], *, rename: str = "", **more: Any) -> Any:
        texts = [text] if isinstance(text, str) else text
        tokens = self.tokenizer(texts, return_tensors="pt", **more.pop("padded", {"padding": True}))
        pixels = self.images([image.convert("RGB")], return_tensors="pt").to(self.network.dtype)
        asked = {(rename if name == "input_ids" and rename else name): ids for name, ids in tokens.items()}
        return self.network(**asked, **pixels, **more)

    def spelled(self, text: str, word: str) -> tuple[str, list[int]]:
        """The text with as many masks as the word has pieces after a space or none, and those pieces."""
        before, _, _ = text.partition(MASK)
        pieces = self.tokenizer((" " if before.endswith(" ") else "") + word, add_special_tokens=False)["input_ids"]
        return text.replace(MASK, self.tokenizer.mask_token * len(pieces)), pieces

    def product(self, logits: Tensor, text: str, pieces: list[int]) -> float:
        """The pieces' probabilities at the masks, multiplied; logits (tokens, vocab_size) of the text."""
        ids = torch.tensor(self.tokenizer(text)["input_ids"])
        at = (ids == self.tokenizer.mask_token_id).nonzero()[:, 0]
        probs = logits[: len(ids)][at].softmax(-1)
        return float(np.prod([probs[place, piece].item() for place, piece in enumerate(pieces)]))


Match = Callable[[Path, str, Image.Image, str, list[str]], float]
Fill = Callable[[Path, str, Image.Image, str, str], float]


def second_of_two(cls: type[PreTrainedModel], field: str, **more: Any) -> Match:
    """Softmax over two logits, of which the second is a match."""

    def match(folder: Path, dtype: str, image: Image.Image, text: str, foils: list[str]) -> float:
        settings = {"init_codebook": False} if cls is FlavaForPreTraining else {}
        return float(ByHand(cls, folder, dtype, **settings)(image, text, **more)[field].softmax(-1)[0, 1])

    return match


def against_foils(cls: type[PreTrainedModel]) -> Match:
    """Softmax over a picture's captions, as CLIP's documentation has it.

    All captions of the test are read in one call, as the adapter reads them: where attention's softmax is in float32 in
    any dtype, as ALIGN's is, the padding moves the eighth digit.
    """
    said = list(dict.fromkeys(caption for text, foils in zip(TEXTS, FOILS, strict=True) for caption in (text, *foils)))

    def match(folder: Path, dtype: str, image: Image.Image, text: str, foils: list[str]) -> float:
        logits = ByHand(cls, folder, dtype)(image, said).logits_per_image[0]
        return float(logits[[said.index(caption) for caption in (text, *foils)]].softmax(-1)[0])

    return match


def of_a_pair(cls: type[PreTrainedModel], length: int) -> Match:
    """Sigmoid of the pair's logit; texts padded, and the padding read, as in training."""

    def match(folder: Path, dtype: str, image: Image.Image, text: str, foils: list[str]) -> float:
        padded = {"padding": "max_length", "max_length": length, "return_attention_mask": False}
        return float(ByHand(cls, folder, dtype)(image, text, padded=padded).logits_per_image.sigmoid()[0, 0])

    return match


def ranked(folder: Path, dtype: str, image: Image.Image, text: str, foils: list[str]) -> float:
    hand = ByHand(ViltForImageAndTextRetrieval, folder, dtype)
    return float(torch.stack([hand(image, one).logits[0, 0] for one in (text, *foils)]).softmax(0)[0])


def at_the_masks(cls: type[PreTrainedModel], field: str = "logits", **more: Any) -> Fill:
    """P(word): the product over its pieces, from one forward with as many masks."""

    def fill(folder: Path, dtype: str, image: Image.Image, text: str, word: str) -> float:
        settings = {"init_codebook": False} if cls is FlavaForPreTraining else {}
        hand = ByHand(cls, folder, dtype, **settings)
        masked, pieces = hand.spelled(text, word)
        return hand.product(hand(image, masked, **more)[field][0], masked, pieces)

    return fill


def without_a_picture(folder: Path, dtype: str, image: Image.Image, text: str, word: str) -> float:
    hand = ByHand(BertForMaskedLM, folder, dtype)
    masked, pieces = hand.spelled(text, word)
    return hand.product(hand.network(**hand.tokenizer(masked, return_tensors="pt")).logits[0], masked, pieces)


FLAVA = {"rename": "input_ids_masked", "skip_unmasked_multimodal_encoder": True, "return_loss": False}
MATCHES: dict[str, Match] = {
    "blip_retrieval": second_of_two(BlipForImageTextRetrieval, "itm_score"),
    "blip2_retrieval": second_of_two(Blip2ForImageTextRetrieval, "logits_per_image", use_image_text_matching_head=True),
    "flava": second_of_two(FlavaForPreTraining, "itm_logits", **FLAVA),
    "bridgetower": second_of_two(BridgeTowerForImageAndTextRetrieval, "logits"),
    "vilt_retrieval": ranked,
    "clip": against_foils(CLIPModel),
    "metaclip2": against_foils(MetaClip2Model),
    "altclip": against_foils(AltCLIPModel),
    "chinese_clip": against_foils(ChineseCLIPModel),
    "align": against_foils(AlignModel),
    "siglip": of_a_pair(SiglipModel, checkpoints.POSITIONS),
    "siglip2": of_a_pair(Siglip2Model, checkpoints.POSITIONS),
}
FILLS: dict[str, Fill] = {
    "bert": without_a_picture,
    "vilt_words": at_the_masks(ViltForMaskedLM),
    "flava": at_the_masks(FlavaForPreTraining, "mmm_text_logits", **FLAVA),
    "bridgetower": at_the_masks(BridgeTowerForMaskedLM),
}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = getattr(checkpoints, family)(tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture
def photographs(real_photographs: list[Image.Image]) -> list[Image.Image]:
    return real_photographs


@pytest.fixture
def loaded(folder_of: Callable[[str], Path]) -> Callable[[str, str], VisionLanguageModel]:
    return lambda family, dtype="float32": load_model(str(folder_of(family)), dtype=dtype)


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", list(MATCHES))
def test_a_match_is_what_transformers_says(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[[str, str], VisionLanguageModel],
    photographs: list[Image.Image],
) -> None:
    model, folder = loaded(family, dtype), folder_of(family)
    images = photographs
    found = model.itm(model.encode(images), TEXTS, FOILS)
    theirs = [MATCHES[family](folder, dtype, *asked) for asked in zip(images, TEXTS, FOILS, strict=True)]
    np.testing.assert_allclose(found, theirs, rtol=0, atol=atol)
    assert len(set(np.round(theirs, 6))) == 3


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", list(FILLS))
def test_a_word_at_the_mask_is_what_transformers_says(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    loaded: Callable[[str, str], VisionLanguageModel],
    photographs: list[Image.Image],
) -> None:
    model, folder = loaded(family, dtype), folder_of(family)
    images = photographs
    found = model.mlm(model.encode(images), MASKED, WORDS)
    for probs, image, text, words in zip(found, images, MASKED, WORDS, strict=True):
        theirs = [FILLS[family](folder, dtype, image, text, word) for word in words]
        np.testing.assert_allclose(probs, theirs, rtol=0, atol=atol)
        assert len(set(theirs)) == len(words)
