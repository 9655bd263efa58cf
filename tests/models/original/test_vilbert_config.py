from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.original.vilbert.config import VilbertConfig, read_config

REFERENCE = ROOT / "tests" / "data" / "vilbert" / "config.json"
SAID = json.loads(REFERENCE.read_text())


def written(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(content))
    return path


def test_sizes_are_read_by_the_original_names() -> None:
    assert read_config(REFERENCE) == VilbertConfig(
        vocab_size=120,
        hidden_size=48,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=80,
        max_position_embeddings=40,
        type_vocab_size=2,
        v_feature_size=28,
        v_target_size=21,
        v_hidden_size=40,
        v_num_hidden_layers=3,
        v_num_attention_heads=5,
        v_intermediate_size=56,
        bi_hidden_size=36,
        bi_num_attention_heads=3,
        v_biattention_id=(0, 1, 2),
        t_biattention_id=(3, 4, 5),
    )


@pytest.mark.parametrize("option", ["v_num_attention_heads", "t_biattention_id", "hidden_act"])
def test_a_missing_option_is_named(option: str, tmp_path: Path) -> None:
    path = written(tmp_path, {name: value for name, value in SAID.items() if name != option})
    with pytest.raises(UsageError, match=rf"config\.json: lacks {option}\."):
        read_config(path)


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("fusion_method", "sum", "'mul'"),
        ("model", "roberta", "'bert'"),
        ("dynamic_attention", True, "False"),
        ("with_coattention", False, "True"),
        ("in_batch_pairs", True, "False"),
        ("task_specific_tokens", True, "False"),
    ],
)
def test_a_network_that_computes_otherwise_is_refused(
    option: str, value: object, accepted: str, tmp_path: Path
) -> None:
    path = written(tmp_path, SAID | {option: value})
    with pytest.raises(UsageError, match=rf"config\.json: {option} {value!r} is not supported; accepted: {accepted}"):
        read_config(path)


def test_options_that_say_what_is_so_are_accepted(tmp_path: Path) -> None:
    path = written(tmp_path, SAID | {"fusion_method": "mul", "model": "bert", "dynamic_attention": False})
    assert read_config(path) == read_config(REFERENCE)


@pytest.mark.parametrize(("content", "complaint"), [("{", "not JSON"), ("[]", "JSON object")])
def test_a_broken_file_is_named(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UsageError, match=rf"config\.json: .*{complaint}"):
        read_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"vocab_size": 0}, "vocab_size has to be a whole number from 1 up, not 0"),
        ({"hidden_size": "768"}, "hidden_size has to be a whole number from 1 up, not '768'"),
        ({"v_target_size": True}, "v_target_size has to be a whole number"),
        ({"num_attention_heads": 7}, "hidden_size 768 is no multiple of num_attention_heads 7"),
        ({"v_num_attention_heads": 3}, "v_hidden_size 1024 is no multiple of v_num_attention_heads 3"),
        ({"bi_num_attention_heads": 3}, "bi_hidden_size 1024 is no multiple of bi_num_attention_heads 3"),
        ({"hidden_act": "tanh"}, "hidden_act has to be one of gelu, relu, swish, not 'tanh'"),
        ({"v_hidden_act": None}, "v_hidden_act has to be one of"),
        ({"v_biattention_id": (0, 1)}, "have to be equally long"),
        ({"v_biattention_id": (1, 0, 2, 3, 4, 5)}, r"v_biattention_id \[1, 0, 2, 3, 4, 5\] has to rise"),
        ({"t_biattention_id": (6, 7, 8, 9, 10, 13)}, "t_biattention_id .* up to the 12 layers"),
        ({"t_biattention_id": (-1, 7, 8, 9, 10, 11)}, "t_biattention_id has to be a list of whole numbers"),
        ({"t_biattention_id": 6}, "t_biattention_id has to be a list of whole numbers, not 6"),
    ],
)
def test_sizes_that_contradict_one_another_are_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        replace(VilbertConfig(), **change)


def test_what_is_wrong_is_said_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json: hidden_size 48 is no multiple of num_attention_heads 5"):
        read_config(written(tmp_path, SAID | {"num_attention_heads": 5}))
