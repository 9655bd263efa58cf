"""The stored list of types, from which the table of docs/reference/generative-types.md is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import transformers

from benchmarks.generative_types import CLASSES, RESULTS, checkpoint, kept_of, said
from benchmarks.types_page import types_passage
from tests.models.generative.builders import BUILDERS
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.refused import REFUSED

STORED: list[dict[str, Any]] = json.loads(RESULTS.read_text("utf-8"))["types"]
WORKING = {entry["type"] for entry in STORED if "kept" in entry}
REFUSED_TYPES = {entry["type"]: entry["refused"] for entry in STORED if "refused" in entry}
FEWEST = 60  # types that work
NAMED = {
    "aria", "aya_vision", "cohere2_vision", "deepseek_vl", "florence2", "gemma3n", "gemma4", "glm46v", "glm4v",
    "granite4_vision", "idefics2", "internvl", "janus", "kosmos-2", "llama4", "minicpmv4_6", "mistral3", "molmo2",
    "ovis2", "paligemma", "perception_lm", "qwen3_5",
}  # fmt: skip


def test_the_list_is_that_of_the_installed_transformers() -> None:
    assert json.loads(RESULTS.read_text("utf-8"))["transformers"] == transformers.__version__
    assert {entry["type"]: entry["class"] for entry in STORED} == CLASSES


def test_each_type_works_or_is_refused_and_no_type_is_both() -> None:
    assert WORKING | REFUSED_TYPES.keys() == CLASSES.keys()
    assert WORKING.isdisjoint(REFUSED_TYPES)
    assert BUILDERS.keys() >= WORKING


def test_the_types_that_users_ask_for_work() -> None:
    assert NAMED <= WORKING
    assert len(WORKING) >= FEWEST


def test_a_kept_prefix_changes_no_score() -> None:
    apart = {entry["type"]: entry["difference"] for entry in STORED if "difference" in entry}
    assert max(apart.values()) < 1e-5


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("kind", sorted(WORKING))
def test_a_type_reads_pictures_as_the_list_says(kind: str, tmp_path: Path) -> None:
    """Whether it keeps the contract is tried in test_types.py."""
    entry = next(entry for entry in STORED if entry["type"] == kind)
    model = load_model(str(checkpoint(kind, tmp_path)))
    assert sorted(model.metrics) == entry["metrics"]
    assert kept_of(model) == entry["kept"]


@pytest.mark.parametrize("kind", sorted(REFUSED.keys() & CLASSES.keys()))
def test_a_refused_type_is_refused_as_the_list_says(kind: str, tmp_path: Any) -> None:
    folder = checkpoint(kind, tmp_path)
    with pytest.raises(UsageError) as refusal:
        load_model(str(folder))
    assert said(str(refusal.value), folder) == REFUSED_TYPES[kind]
    assert REFUSED[kind] in REFUSED_TYPES[kind]


def test_the_table_counts_what_works() -> None:
    passage = types_passage(RESULTS.read_text("utf-8"))
    assert f"{len(WORKING)} work" in passage
    assert passage.count("| refused: ") == len(REFUSED_TYPES)
