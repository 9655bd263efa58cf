"""Each weight of a folder is a part of the network by its name, or harmless, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models import checkpoints
from tests.models.loading.changed_folders import QUERY, WHOLE, kept, write
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model


def test_weights_that_no_part_of_the_network_reads_are_refused(folder: Path) -> None:
    write(folder / WHOLE, kept(folder) | {"value_head.weight": torch.ones(2)})
    with pytest.raises(UsageError, match=r"the weights have, and CLIPModel does not read, value_head\.weight\.$"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("bert", ("bert.pooler.dense.weight", "cls.seq_relationship.weight", "bert.embeddings.position_ids")),
        ("clip", ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")),
        ("siglip", ("vision_model.embeddings.position_ids",)),
        ("bridgetower", ("itc_text_head.embed.weight", "itc_image_head.embed.weight", "logit_scale")),
        ("vilt_words", ("itm_score.fc.weight",)),
        ("vilt_retrieval", ("itm_score.fc.weight", "mlm_score.bias")),
        ("blip_retrieval", ("text_decoder.cls.predictions.bias",)),
        ("blip2_retrieval", ("language_model.lm_head.weight", "language_projection.weight")),
        ("flava", ("image_codebook.blocks.input.weight",)),  # beside the whole codebook, which the checkpoint has
    ],
)
def test_parts_of_published_checkpoints_that_no_score_reads_are_harmless(
    family: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    folder = getattr(checkpoints, family)(tmp_path)
    extra = {name: torch.arange(4) if name.endswith("ids") else torch.ones(4) for name in more}
    write(folder / WHOLE, kept(folder) | extra)
    load_model(str(folder))


@pytest.mark.parametrize(
    ("family", "part", "more"),
    [
        ("vilt_retrieval", "vilt.pooler.dense", "lora_A.weight"),
        ("vilt_retrieval", "pooler.dense", "weight_scale"),
        ("siglip", "vision_model.head.mlp.fc1", "base_layer.weight"),
        ("bert", "bert.pooler.dense", "lora_magnitude_vector"),
    ],
)
def test_what_would_change_a_part_that_some_networks_lack_is_refused(
    family: str, part: str, more: str, tmp_path: Path
) -> None:
    folder = getattr(checkpoints, family)(tmp_path)
    write(folder / WHOLE, kept(folder) | {f"{part}.{more}": torch.ones(2, 2)})
    with pytest.raises(UsageError, match=rf"does not read, {part}\.{more}\. \S+{more}: these belong to"):
        load_model(str(folder))


def test_a_stranger_in_a_part_that_the_network_has_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.vilt_retrieval(tmp_path)
    write(folder / WHOLE, kept(folder) | {"vilt.pooler.second.weight": torch.ones(2, 2)})
    with pytest.raises(UsageError, match=r"does not read, vilt\.pooler\.second\.weight"):
        load_model(str(folder))


def test_a_weight_that_a_class_says_may_be_absent_is_not_drawn_by_lot(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import CLIPModel

    monkeypatch.setattr(CLIPModel, "_keys_to_ignore_on_load_missing", [r"q_proj"])
    write(folder / WHOLE, {name: weight for name, weight in kept(folder).items() if name != QUERY})
    with pytest.raises(UsageError, match=rf"the weights lack {QUERY}"):
        load_model(str(folder))


@pytest.mark.parametrize("twin", ["clip.logit_scale", "text_model.LayerNorm.gamma"])
def test_one_weight_under_two_names_is_refused(folder: Path, twin: str) -> None:
    more = {twin: torch.zeros(()), twin.replace("gamma", "weight"): torch.ones(())}
    write(folder / WHOLE, kept(folder) | more)
    with pytest.raises(UsageError, match=r"the weights have under two names (logit_scale|\S+LayerNorm\.weight)"):
        load_model(str(folder))


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "base_model.model.", "model.", "student."]
)
def test_a_prefix_that_all_names_share_is_told(folder: Path, prefix: str) -> None:
    write(folder / WHOLE, {prefix + name: weight for name, weight in kept(folder).items()})
    cure = "merge_and_unload" if "base_model" in prefix else rf"save model\.{prefix}state_dict"
    with pytest.raises(UsageError, match=rf"the weights lack .* begin with '{prefix}', .*{cure}"):
        load_model(str(folder))


def test_a_prefix_beside_other_parts_of_a_run_is_told(folder: Path) -> None:
    held = {f"model.{name}": weight for name, weight in kept(folder).items()}
    write(folder / WHOLE, held | {"loss.weight": torch.ones(2)})
    with pytest.raises(UsageError, match=r"begin with 'model\.'"):
        load_model(str(folder))
