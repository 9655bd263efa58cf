"""The benchmarks' random checkpoints, on which the adapter's tests stand too."""

from __future__ import annotations

import pytest
import torch

from benchmarks.albef_checkpoint import random_state_dict, vocabulary
from tests.models.conftest import REFERENCE_CONFIG
from vlcheck.errors import UsageError


def test_names_and_shapes_are_those_of_the_original_layout(reference_weights: dict[str, torch.Tensor]) -> None:
    original = {
        name: tensor.shape for name, tensor in reference_weights.items() if "_m." not in name and "queue" not in name
    }
    assert {name: tensor.shape for name, tensor in random_state_dict(REFERENCE_CONFIG).items()} == original


def test_a_seed_gives_the_same_weights_and_another_gives_others() -> None:
    first, again, other = (random_state_dict(REFERENCE_CONFIG, seed)["itm_head.weight"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_vocabulary_is_laid_out_as_bert_base_uncased() -> None:
    entries = vocabulary(300, ["A red-hot bus!", "red"])
    assert len(entries) == len(set(entries)) == 300
    assert [entries[i] for i in (0, 100, 101, 102, 103)] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert {"red", "hot", "bus", "a", "##a", "7"} <= set(entries)


def test_a_vocabulary_too_small_for_its_words_is_refused() -> None:
    with pytest.raises(UsageError, match="vocab_size is 150"):
        vocabulary(150, ["a red bus"])
