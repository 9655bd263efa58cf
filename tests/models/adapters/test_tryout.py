"""A picture and a question go through the network at load: parts that do not fit are told before any score."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AltCLIPConfig, AltCLIPModel, AutoConfig, BlipImageProcessor

from benchmarks.albef_checkpoint import random_albef
from tests.models import chats, checkpoints
from tests.models.conftest import CAPTION, TINY
from tests.models.families import write_regions
from vlcheck.cases import ImageFile
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.tryout import PLAIN
from vlcheck.models.loading.load import load_model

Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    families = ("blip_retrieval", "blip2_retrieval", "clip", "flava", "llava", "bert")
    makers = {name: getattr(checkpoints, name, None) or getattr(chats, name) for name in families}
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in makers.items()}


@pytest.fixture
def copy_of(made: dict[str, Path], tmp_path: Path) -> Folder:
    return lambda family: Path(shutil.copytree(made[family], tmp_path / family))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("side", [16, 64])
@pytest.mark.parametrize("family", ["blip_retrieval", "blip2_retrieval", "clip", "flava"])
def test_pictures_of_another_size_than_the_networks_are_refused(family: str, side: int, copy_of: Folder) -> None:
    folder, square = copy_of(family), {"height": side, "width": side}
    edit(folder / "preprocessor_config.json", size=square, crop_size=square)
    with pytest.raises(
        UsageError, match=rf"{family}: the image processor makes pictures {side} pixels high .*image_size"
    ):
        load_model(str(folder))


def test_pictures_that_are_not_cut_to_a_square_are_refused(copy_of: Folder) -> None:
    folder = copy_of("blip_retrieval")
    BlipImageProcessor(size={"height": 32, "width": 24}).save_pretrained(folder)
    with pytest.raises(UsageError, match=r"32 pixels high and 24 wide .* positions for 32 x 32"):
        load_model(str(folder))


@pytest.mark.parametrize(("family", "added"), [("clip", 3), ("bert", 3), ("llava", 100)])
def test_words_that_the_network_was_not_resized_for_are_refused(family: str, added: int, copy_of: Folder) -> None:
    folder = copy_of(family)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    first = 1 + max([*content["model"]["vocab"].values(), *(one["id"] for one in content["added_tokens"])])
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    words = [{"id": first + number, "content": f"zorblax{number}", **plain} for number in range(added)]
    edit(path, added_tokens=content["added_tokens"] + words)
    with pytest.raises(
        UsageError, match=rf"{family}: the tokenizer \(tokenizer.json.*zorblax.*vocab_size.*not resized"
    ):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (2, "takes the highest token of a text for its end .*has to be 3"),
        (49407, "at token 49407 .* ends a text with 3"),
    ],
)
def test_a_text_that_is_read_at_its_end_has_one(end: int, said: str, copy_of: Folder) -> None:
    folder = copy_of("clip")
    config = json.loads((folder / "config.json").read_text())
    edit(folder / "config.json", text_config=config["text_config"] | {"eos_token_id": end})
    with pytest.raises(UsageError, match=f"clip: the network .*{said}"):
        load_model(str(folder))


def test_more_rows_than_tokens_are_harmless(copy_of: Folder) -> None:
    model: Any = load_model(str(copy_of("llava")))
    assert model.network.get_input_embeddings().num_embeddings > len(model.chat.tokenizer)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("config.json", {"image_token_index": 5, "image_token_id": 5}, "without the token 5, .* image_token_id"),
        ("processor_config.json", {"patch_size": 16}, "do not go through the network: ValueError: .*tokens"),
    ],
    ids=["another token", "another count"],
)
def test_a_picture_has_to_fill_its_tokens(file: str, change: dict[str, int], said: str, copy_of: Folder) -> None:
    folder = copy_of("llava")
    edit(folder / file, **change)
    with pytest.raises(UsageError, match=f"llava: .*{said}"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("family", "part", "value"),
    [
        ("clip", "logit_scale", "nan"),
        ("clip", "visual_projection.weight", "inf"),
        ("llava", "language_model.lm_head.weight", "nan"),
        ("bert", "cls.predictions.bias", "nan"),
        ("flava", "mmm_text_head.transform.dense.bias", "nan"),
    ],
)
def test_weights_of_which_no_number_comes_are_refused(family: str, part: str, value: str, copy_of: Folder) -> None:
    folder = copy_of(family)
    weights = load_file(folder / "model.safetensors")
    assert part in weights
    weights[part].fill_(float(value))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        UsageError, match=rf"{family}: the scores of a plain picture and a question are not finite numbers"
    ):
        load_model(str(folder))


@pytest.mark.parametrize("pad", [0, 1])
def test_the_longest_text_of_a_roberta_is_as_long_as_its_positions(pad: int, tmp_path: Path) -> None:
    """They begin after the number of the padding."""
    sizes = checkpoints.text_sizes(project_dim=32, max_position_embeddings=40, pad_token_id=pad)
    config = AltCLIPConfig(text_config=sizes, vision_config=checkpoints.VISION, projection_dim=16)
    images = BlipImageProcessor(size=checkpoints.SQUARE)
    model: Any = load_model(str(checkpoints.save(tmp_path, AltCLIPModel(config), checkpoints.bert_tokenizer(), images)))
    assert model.texts.limit == 39 - pad
    encoded = model.encode([Image.new("RGB", (64, 48))])
    assert 0 < model.itm(encoded, ["a" + " a" * (36 - pad)], [["a dog"]])[0] < 1
    with pytest.raises(NotApplicable, match=f"more than the {39 - pad} tokens"):
        model.itm(encoded, ["a" + " a" * (37 - pad)], [["a dog"]])


def test_the_longest_text_is_found(made: dict[str, Path]) -> None:
    model: Any = load_model(str(made["bert"]))
    for word in ("a", "[MASK]", "zebra"):
        assert len(model.texts.batch([model.texts.longest(word)])["input_ids"][0]) == checkpoints.POSITIONS


@pytest.mark.parametrize(
    ("family", "wrong"), [("lxmert", {"visual_pos_dim": 5}), ("visual_bert", {"type_vocab_size": 1})]
)
def test_a_region_goes_through_at_load(family: str, wrong: dict[str, int], tmp_path: Path) -> None:
    folder = getattr(checkpoints, family)(tmp_path / "right")
    PLAIN.save(tmp_path / "a.jpg")
    write_regions(tmp_path, ImageFile(tmp_path / "a.jpg"), 2, np.random.default_rng(0))
    load_model(f"{folder},regions={tmp_path}")
    config = AutoConfig.from_pretrained(folder, **wrong)
    checkpoints.save(folder, getattr(transformers, config.architectures[0])(config))
    with pytest.raises(UsageError, match=r"right: a plain picture and a question do not go through the network"):
        load_model(f"{folder},regions={tmp_path}")


def test_a_picture_goes_through_the_original_code_s_networks_at_load(tmp_path: Path) -> None:
    random_albef(tmp_path, dataclasses.replace(TINY, max_positions=2), [CAPTION])
    with pytest.raises(UsageError, match="has 3 tokens; the model reads 2 at most"):
        load_model(f"albef:{tmp_path / 'checkpoint.pth'}")
