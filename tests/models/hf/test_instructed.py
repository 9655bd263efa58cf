"""Families with prompts of their own against transformers' own forward, by hand on one pair at a time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.models.generative import prompted
from tests.models.generative.pieces import T5
from tests.models.generative.pieces import text as language
from tests.models.hf.test_generative import MASKED, PAIRS, TEXTS, TOLERANCES, WORDS, ByHand
from vlcheck.errors import NotApplicable
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow


class ByProcessor(ByHand):
    """A network that continues a prompt, which its processor writes around the picture."""

    ask, describe = "Question: {} Answer:", "An image of"

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        prompt = self.describe if asked.startswith("Describe") else self.ask.format(asked)
        return self.prepared(image, prompt if answer is None else f"{prompt} {answer}")

    def prepared(self, image: Image.Image, prompt: str) -> Any:
        return self.processor(text=[prompt], images=[image], return_tensors="pt").to(self.network.dtype)


class ByKosmos(ByProcessor):
    def __init__(self, folder: Path, dtype: str) -> None:
        super().__init__(folder, dtype)
        # Its masks are made in torch's default dtype, which overflows for a network in float64.
        self.network.register_forward_pre_hook(lambda *_: torch.set_default_dtype(getattr(torch, dtype)))
        self.network.register_forward_hook(lambda *_: torch.set_default_dtype(torch.float32))

    def prepared(self, image: Image.Image, prompt: str) -> Any:
        read = self.processor(text=prompt, images=image, num_image_tokens=4, return_tensors="pt")
        return read.to(self.network.dtype)


class ByIdefics(ByProcessor):
    describe = "A picture of"

    def prepared(self, image: Image.Image, prompt: str) -> Any:
        return self.processor(text=[[image, prompt]], return_tensors="pt").to(self.network.dtype)


class ByEncoder(ByProcessor):
    """A network whose encoder reads the prompt, and whose decoder writes the answer."""

    start: int

    @torch.inference_mode()
    def match(self, image: Image.Image, text: str) -> float:
        self.decoder = {"decoder_input_ids": torch.tensor([[self.start]])}
        return super().match(image, text)

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        prompt = self.describe if asked.startswith("Describe") else self.ask.format(asked)
        return {**self.prepared(image, prompt), **self.decoder}

    @torch.inference_mode()
    def likelihood(self, image: Image.Image, text: str) -> float:
        ids = [self.start, *self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]]
        self.decoder = {"decoder_input_ids": torch.tensor([ids])}
        log_probs = self.network(**self.inputs(image, "Describe")).logits[0].double().log_softmax(-1)
        return sum(float(log_probs[place - 1, ids[place]]) for place in range(1, len(ids)))


class ByT5Gemma2(ByEncoder):
    ask, describe, start = "<start_of_image> {}", "<start_of_image> in this image, there is", 0


class ByInstructBlip(ByEncoder):
    ask, describe, start = "Question: {} Short answer:", "A short image description:", 2


class ByVicuna(ByHand):
    """InstructBLIP with a language network that continues the prompt."""

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        prompt = ByInstructBlip.describe if asked.startswith("Describe") else ByInstructBlip.ask.format(asked)
        inputs = self.processor(text=[prompt], images=[image], return_tensors="pt").to(self.network.dtype)
        if answer is not None:
            more = self.processor.tokenizer(answer, add_special_tokens=False, return_tensors="pt")
            for name in ("input_ids", "attention_mask"):
                inputs[name] = torch.cat([inputs[name], more[name]], dim=1)
        return inputs


def instructblip_vicuna(folder: Path) -> Path:
    return prompted.instructblip(folder, language("llama"))


class ByFlorence2(ByEncoder):
    """The processor writes what the task <CAPTION> stands for; the decoder begins every answer with <s>."""

    ask, describe, start = "{}", "<CAPTION>", 1

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        inputs = super().inputs(image, asked, answer)
        ids = inputs["decoder_input_ids"]
        return {**inputs, "decoder_input_ids": torch.cat([ids[:, :1], ids.new_zeros(1, 1), ids[:, 1:]], dim=1)}

    @torch.inference_mode()
    def likelihood(self, image: Image.Image, text: str) -> float:
        answer = self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        self.decoder = {"decoder_input_ids": torch.tensor([[self.start, *answer]])}
        log_probs = self.network(**self.inputs(image, "Describe")).logits[0].double().log_softmax(-1)
        return sum(float(log_probs[place + 1, token]) for place, token in enumerate(answer))


class ByBlip2(ByHand):
    """BLIP-2 with OPT, which continues the prompt; the processor puts the queries' tokens before it."""

    ask, describe = "Question: {} Answer:", "a photo of"

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        prompt = self.describe if asked.startswith("Describe") else self.ask.format(asked)
        inputs = self.processor(text=[prompt], images=[image], return_tensors="pt").to(self.network.dtype)
        if answer is not None:
            more = self.processor.tokenizer(answer, add_special_tokens=False, return_tensors="pt")["input_ids"]
            inputs["input_ids"] = torch.cat([inputs["input_ids"], more], dim=1)
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        return inputs


class ByBlip2WithT5(ByEncoder):
    ask, describe, start = ByBlip2.ask, ByBlip2.describe, 2


class ByChameleon(ByHand):
    """Chameleon, whose processor ends a prompt with the token that the answer follows."""

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        ended, how = (asked, {}) if answer is None else (f"{asked}<reserved08706>{answer}", {_COMPLETED: True})
        read = self.processor(text=[f"<image>{ended}"], images=[image], return_tensors="pt", **how)
        return read.to(self.network.dtype)


_COMPLETED = "return_for_text_completion"


class ByGit(ByHand):
    """GIT continues [CLS] and a question by the answer, and [CLS] alone by a caption."""

    def inputs(self, image: Image.Image, asked: str, answer: str | None = None) -> Any:
        said = "" if asked.startswith("Describe") else asked
        ids = self.processor.tokenizer(f"{said}{answer or ''}", return_tensors="pt")["input_ids"][:, :-1]
        pixels = self.processor(images=[image], return_tensors="pt")["pixel_values"].to(self.network.dtype)
        return {"input_ids": ids, "pixel_values": pixels}

    @torch.inference_mode()
    def likelihood(self, image: Image.Image, text: str) -> float:
        inputs = self.inputs(image, "Describe", text)
        (ids,) = inputs["input_ids"]
        log_probs = self.network(**inputs).logits[0, -len(ids) :].double().log_softmax(-1)  # the patches come first
        return sum(float(log_probs[place - 1, ids[place]]) for place in range(1, len(ids)))


def blip2_with_t5(folder: Path) -> Path:
    return prompted.blip2(folder, T5)


HANDS: dict[str, tuple[Callable[[Path], Path], type[ByHand]]] = {
    "blip2": (prompted.blip2, ByBlip2),
    "blip2_with_t5": (blip2_with_t5, ByBlip2WithT5),
    "chameleon": (prompted.chameleon, ByChameleon),
    "florence2": (prompted.florence2, ByFlorence2),
    "git": (prompted.git, ByGit),
    "idefics": (prompted.idefics, ByIdefics),
    "instructblip": (prompted.instructblip, ByInstructBlip),
    "instructblip_vicuna": (instructblip_vicuna, ByVicuna),
    "kosmos2": (prompted.kosmos2, ByKosmos),
    "t5gemma2": (prompted.t5gemma2, ByT5Gemma2),
}
OWN_SPECIAL = {"git": "[SEP]"}  # a special token of a family that has no token for a picture
SAMPLE = ("instructblip", "kosmos2")


def each_family() -> list[object]:
    """Parameters of a test: an encoder-decoder and a decoder alone; the others are tried at night."""
    return [family if family in SAMPLE else pytest.param(family, marks=pytest.mark.nightly) for family in HANDS]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = HANDS[family][0](tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.mark.parametrize(("dtype", "atol"), TOLERANCES)
@pytest.mark.parametrize("family", each_family())
def test_a_family_with_prompts_says_what_transformers_says(
    family: str,
    dtype: str,
    atol: float,
    folder_of: Callable[[str], Path],
    real_photographs: list[Image.Image],
) -> None:
    folder, (_, by_hand) = folder_of(family), HANDS[family]
    model, hand, (images, texts) = (
        load_model(str(folder), dtype=dtype),
        by_hand(folder, dtype),
        zip(*PAIRS, strict=True),
    )
    encoded = model.encode(real_photographs)[images]
    match = model.itm(encoded, [TEXTS[text] for text in texts])
    fills = model.mlm(encoded, [MASKED[text] for text in texts], [WORDS[text] for text in texts])
    theirs = [hand.match(real_photographs[image], TEXTS[text]) for image, text in PAIRS]
    np.testing.assert_allclose(match, theirs, rtol=0, atol=atol)
    for (image, text), probs in zip(PAIRS, fills, strict=True):
        np.testing.assert_allclose(
            probs, hand.fill(real_photographs[image], MASKED[text], WORDS[text]), rtol=0, atol=atol
        )
    assert len(set(np.round(theirs, 6))) == len(PAIRS)


@pytest.mark.parametrize("family", each_family())
def test_a_score_does_not_depend_on_what_is_read_with_it(
    family: str, folder_of: Callable[[str], Path], real_photographs: list[Image.Image]
) -> None:
    model: Any = load_model(str(folder_of(family)), dtype="float64")
    images, texts = zip(*PAIRS, strict=True)
    encoded, found = model.encode(real_photographs)[images], []
    for model.max_pairs in (1, 16):
        fills = model.mlm(encoded, [MASKED[text] for text in texts], [WORDS[text] for text in texts])
        encoded.last.of = ()  # nothing is remembered
        found.append(np.concatenate([*fills, model.itm(encoded, [TEXTS[text] for text in texts])]))
    np.testing.assert_allclose(*found, rtol=0, atol=1e-10)


@pytest.mark.parametrize("family", each_family())
def test_what_a_family_with_prompts_cannot_read_is_no_question(
    family: str, folder_of: Callable[[str], Path], real_photographs: list[Image.Image]
) -> None:
    model = load_model(str(folder_of(family)))
    encoded = model.encode(real_photographs[:1])
    with pytest.raises(NotApplicable, match=r"more than the [0-9]+ tokens that the model reads"):
        model.itm(encoded, ["dog " * 2048])
    special = OWN_SPECIAL.get(family, "<image>")
    with pytest.raises(NotApplicable, match=f"contains '{re.escape(special)}', which is a special token"):
        model.itm(encoded, [f"an {special} of a dog"])


def test_the_tokenizer_of_the_q_former_decides_scores(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder_of("instructblip"), tmp_path / "mine"))
    before = load_model(str(folder)).fingerprint
    path = folder / "qformer_tokenizer" / "tokenizer.json"
    path.write_text(path.read_text() + "\n")
    assert load_model(str(folder)).fingerprint != before
