"""A tokenizer's habits are of the program that saved it: no score may hang on them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.models import chats, checkpoints
from tests.models.hf.test_hosted import FOILS, MASKED, TEXTS, WORDS
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel

CUT = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
PAD = {"direction": "Left", "strategy": {"Fixed": 40}, "pad_to_multiple_of": 8, "pad_type_id": 0}
Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        make = getattr(checkpoints, family, None) or getattr(chats, family)
        if family not in made:
            made[family] = make(tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture
def pictures() -> list[Image.Image]:
    random = np.random.default_rng(1)
    return [Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8)) for _ in TEXTS]


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def scores(model: VisionLanguageModel, pictures: list[Image.Image]) -> list[np.ndarray]:
    encoded = model.encode(pictures)
    found = [model.itm(encoded, TEXTS, FOILS)] if "itm" in model.metrics else []
    return found + (model.mlm(encoded, MASKED, WORDS) if "mlm" in model.metrics else [])


@pytest.mark.parametrize("family", ["clip", "siglip2", "blip_retrieval", "flava", "bridgetower", "llava", "qwen2_vl"])
def test_padding_and_cutting_are_not_the_files_to_choose(
    family: str, folder_of: Folder, pictures: list[Image.Image], tmp_path: Path
) -> None:
    spoilt = Path(shutil.copytree(folder_of(family), tmp_path / family))
    said = json.loads((spoilt / "tokenizer_config.json").read_text())
    number = load_model(str(spoilt)).texts.tokenizer.pad_token_id if family in vars(checkpoints) else 2
    edit(spoilt / "tokenizer_config.json", padding_side="left", padding="max_length", max_length=40, truncation=True)
    edit(spoilt / "tokenizer.json", truncation=CUT, padding=PAD | {"pad_token": said["pad_token"], "pad_id": number})
    found, right = (scores(load_model(str(folder)), pictures) for folder in (spoilt, folder_of(family)))
    for one, other in zip(found, right, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-7)


@pytest.mark.parametrize("family", ["siglip", "siglip2"])
def test_siglip_reads_small_letters_whatever_its_tokenizer_does(
    family: str, folder_of: Folder, pictures: list[Image.Image], tmp_path: Path
) -> None:
    """SigLIP 2 of a fixed resolution is published as a SiglipModel with Gemma's tokenizer."""
    folder = Path(shutil.copytree(folder_of(family), tmp_path / family))
    for path in folder.glob("tokenizer*"):
        path.unlink()
    checkpoints.byte_level_tokenizer().save_pretrained(folder)  # knows no capital letter
    model = load_model(str(folder))
    encoded = model.encode(pictures[:1])
    assert model.itm(encoded, ["A Red DOG"]) == model.itm(encoded, ["a red dog"])
    assert model.itm(encoded, ["a red cat"]) != model.itm(encoded, ["a red dog"])


@pytest.mark.parametrize("single", ["<s> $A </s>", "<s> $A <|im_end|> </s>"])
def test_a_question_ends_where_its_template_ends(
    single: str, folder_of: Folder, pictures: list[Image.Image], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folder_of("llava"), tmp_path / "llava"))
    ended = chats.tokenizer(single, ends=("</s>", "<|im_end|>"))
    ended.save_pretrained(folder)
    assert ended("a dog")["input_ids"][-1] == chats.number("</s>")
    found, right = (scores(load_model(str(one)), pictures) for one in (folder, folder_of("llava")))
    for one, other in zip(found, right, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_beginning_that_the_template_writes_is_not_written_twice(
    folder_of: Folder, pictures: list[Image.Image], tmp_path: Path
) -> None:
    """Also where the tokenizer names no first token, but puts one before every text."""
    folder = Path(shutil.copytree(folder_of("llava"), tmp_path / "llava"))
    edit(folder / "tokenizer_config.json", bos_token=None)
    (folder / "chat_template.jinja").write_text("<s>" + chats.LLAVA)
    found, right = (scores(load_model(str(one)), pictures) for one in (folder, folder_of("llava")))
    for one, other in zip(found, right, strict=True):
        np.testing.assert_array_equal(one, other)
