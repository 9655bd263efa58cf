"""Pictures whose states are kept give the scores of whole conversations, whatever states a network keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import DynamicCache, LlavaConfig, PreTrainedConfig

from tests.models.generative.builders import BUILDERS, IN_FLOAT32
from vlcheck.cases import MASK
from vlcheck.models.hf.fitting_prefix import fitting_reading
from vlcheck.models.hf.forward import Forward
from vlcheck.models.hf.prefixes import KeptPrefix, UnkeptPrefix, keeps_plain_states
from vlcheck.models.loading.load import load_model

# the kind of states -> types that keep them; those not at the beginning of a row are tried at night
KEPT = {
    "keys and values": ("llava", "granite4_vision"),
    "positions in space": ("qwen2_vl", "glm4v", "hunyuan_vl"),
    "sliding windows": ("gemma3",),
    "chunks": ("llama4",),
    "states shared by layers": ("gemma4", "gemma3n", "gemma4_unified"),
    "convolutions beside windows": ("lfm3_vl", "lfm2_vl"),
    "linear attention": ("qwen3_5", "qwen3_5_moe"),
    "selective state spaces": ("nemotron_h_omni",),
    "several states in a layer": ("inkling2",),
    "latent keys": ("kimi_k25",),
    "cross attention": ("mllama",),
}
DAILY = {"gemma4", "lfm3_vl", "llama4", "mistral_large4", "qwen3_5"}
# an indexer picks the keys that are attended to, and a rounding may pick another one
PICKING = {"dots3_note", "glm5_next", "hy_v4_vl", "minimax_m3_vl", "mistral_large4", "qwen4_exp"}
WINDOW = {"gemma3": 16, "gemma3n": 16, "gemma4": 16, "gemma4_unified": 16, "lfm3_vl": 16, "llama4": 16}
TEXTS = ["a dog", "a red bus on the street, and the dog beside it is left of the cat", "a cat"]
WORDS = ["dog", "red bus", "ox"]
STATES = {
    "full_attention": {},
    "sliding_attention": {"sliding_window": 4},
    "chunked_attention": {"attention_chunk_size": 4},
    "indexed_attention": {},
    "conv": {},
    "linear_attention": {},
    "hybrid": {"number_of_conv_states": 2},
    "hybrid_sliding": {"sliding_window": 4, "number_of_conv_states": 2},
}


def _rounding(kind: str) -> float:
    return 1e-5 if kind in IN_FLOAT32 else 1e-10


def _each_type() -> list[object]:
    return [_tried(kind) for kind in sorted({kind for kinds in KEPT.values() for kind in kinds})]


def _tried(kind: str) -> object:
    return pytest.param(kind, marks=[pytest.mark.slow] if kind in DAILY else [pytest.mark.slow, pytest.mark.nightly])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    made: dict[str, Path] = {}

    def load(kind: str, dtype: str = "float64") -> Any:
        if kind not in made:
            made[kind] = BUILDERS[kind](tmp_path_factory.mktemp("type"))
        return load_model(str(made[kind]), dtype=dtype)

    return load


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Pictures of different shapes, of which the first has the most tokens."""
    random = np.random.default_rng(0)
    sizes = ((96, 96), (40, 90), (64, 48))
    return [Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


def _scores(model: Any, pictures: list[Image.Image], *, reading: type) -> np.ndarray:
    """Return the scores of all texts about all pictures in mixed order, (pictures, texts, a match and some words)."""
    model.read_with(reading)
    order = [(picture, text) for text in range(len(TEXTS)) for picture in range(len(pictures))]
    encoded = model.encode(pictures)[[picture for picture, _ in order]]
    match = model.itm(encoded, [TEXTS[text] for _, text in order])
    fill = model.mlm(encoded, [f"{TEXTS[text]} and a {MASK}" for _, text in order], [WORDS] * len(order))
    both = np.column_stack([match, np.stack(fill)])
    return both.reshape(len(TEXTS), len(pictures), -1).transpose(1, 0, 2)


@pytest.mark.parametrize("kind", _each_type())
def test_kept_states_give_the_scores_of_whole_conversations(
    kind: str, loaded: Callable[..., Any], pictures: list[Image.Image]
) -> None:
    model = loaded(kind)
    assert model.reading is KeptPrefix
    kept, whole = (_scores(model, pictures, reading=reading) for reading in (KeptPrefix, UnkeptPrefix))
    np.testing.assert_allclose(kept, whole, rtol=0, atol=_rounding(kind))
    for text in range(len(TEXTS)):
        apart = [np.abs(kept[one, text] - kept[other, text]).max() for one, other in ((0, 1), (0, 2), (1, 2))]
        assert min(apart) > 1e-4, "pictures that cannot be told apart could be mixed up"


@pytest.mark.parametrize("kind", _each_type())
def test_a_score_does_not_depend_on_what_is_read_with_it(
    kind: str, loaded: Callable[..., Any], pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(kind)
    found = []
    for at_once in (1, 16):
        monkeypatch.setattr(type(model), "max_pairs", at_once)
        found.append(_scores(model, pictures, reading=KeptPrefix))
    np.testing.assert_allclose(*found, rtol=0, atol=_rounding(kind))
    alone = _scores(model, pictures[1:2], reading=KeptPrefix)
    np.testing.assert_allclose(alone[0], found[0][1], rtol=0, atol=_rounding(kind))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.nightly)])
def test_a_wrong_prefix_is_found_in_half_precision(dtype: str, loaded: Callable[..., Any]) -> None:
    model, whole = loaded("llava", dtype), loaded("minicpmv4_7", dtype)
    assert (fitting_reading(model), whole.reading) == (KeptPrefix, UnkeptPrefix)
    for one in (model, whole):
        assert {str(weight.dtype) for weight in one.network.parameters()} == {f"torch.{dtype}"}
        assert not any(weight.is_inference() for weight in one.network.parameters())


@pytest.mark.parametrize("kind", [_tried(kind) for kind in sorted(PICKING)])
def test_a_network_that_picks_what_it_attends_to_reads_each_text_whole_and_says_so(
    kind: str, loaded: Callable[..., Any], pictures: list[Image.Image]
) -> None:
    model = loaded(kind, "float32")
    assert (model.reading, model.max_pairs) == (UnkeptPrefix, 1)
    assert "each text is read with its picture anew: a kept prefix would change scores" in model.setup().texts
    together = _scores(model, pictures, reading=UnkeptPrefix)
    np.testing.assert_array_equal(_scores(model, pictures[1:2], reading=UnkeptPrefix)[0], together[1])


@pytest.mark.parametrize(
    "kind", [kind if kind in DAILY else pytest.param(kind, marks=pytest.mark.nightly) for kind in WINDOW]
)
@pytest.mark.slow
def test_a_picture_is_longer_than_the_window(
    kind: str, loaded: Callable[..., Any], pictures: list[Image.Image]
) -> None:
    (prefix,) = loaded(kind).encode(pictures[:1]).prefixes
    assert prefix.length > WINDOW[kind]
    windows = [layer for layer in prefix.cache.layers if getattr(layer, "is_sliding", False)]
    assert windows
    assert all(layer.keys.shape[-2] == WINDOW[kind] - 1 for layer in windows if layer.keys is not None)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["another place", "another picture", "no states", "padding"])
def test_states_that_change_a_score_are_not_kept(
    fault: str, loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded("llava", "float32")
    assert fitting_reading(model) is KeptPrefix
    restored, placed, alone = KeptPrefix.restored, KeptPrefix.placed, UnkeptPrefix.logits

    def elsewhere(self: KeptPrefix, *args: Any) -> Any:
        return placed(self, *args, after=1)

    def mixed_up(self: KeptPrefix, texts: int) -> DynamicCache:
        cache = restored(self, texts)
        cache.layers[0].keys = cache.layers[0].keys.roll(1, dims=2)
        return cache

    def none(self: KeptPrefix, texts: int) -> DynamicCache:
        raise IndexError

    def padded(self: UnkeptPrefix, forward: Forward, ids: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        return alone(self, forward, ids, keep) * (1 if len(ids) == 1 else 0.99)

    faulty = {
        "another place": (KeptPrefix, "placed", elsewhere),
        "another picture": (KeptPrefix, "restored", mixed_up),
        "no states": (KeptPrefix, "restored", none),
        "padding": (UnkeptPrefix, "logits", padded),
    }
    monkeypatch.setattr(*faulty[fault])
    assert fitting_reading(model) is UnkeptPrefix


def test_want_of_memory_says_nothing_of_the_states(loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> KeptPrefix:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")

    model = loaded("qwen3_5")
    monkeypatch.setattr(KeptPrefix, "read", read)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        fitting_reading(model)


@pytest.mark.parametrize(
    ("language", "plain"), [("llama", True), ("gemma3_text", True), ("qwen3_next", False), ("bamba", False)]
)
def test_the_trial_is_left_out_for_plain_states_alone(language: str, plain: bool) -> None:
    """LLaVA's language network may be of any kind."""
    assert keeps_plain_states(LlavaConfig(text_config={"model_type": language})) == plain


@pytest.mark.parametrize("kind", STATES)
def test_restored_states_are_copies_for_each_text(kind: str) -> None:
    config = PreTrainedConfig(num_hidden_layers=1, layer_types=[kind], **STATES[kind])  # type: ignore[arg-type]
    cache = DynamicCache(config=config)
    _fill(cache.layers[0])
    kept = KeptPrefix((), 6, cache, None, {})
    before = _tensors(cache.layers[0])
    restored = kept.restored(3)
    for one, copy in zip(before, _tensors(restored.layers[0]), strict=True):
        assert copy.shape == (3, *one.shape[1:])
        assert torch.equal(copy, one.expand_as(copy))
    _fill(restored.layers[0], texts=3)
    assert all(torch.equal(now, then) for now, then in zip(_tensors(cache.layers[0]), before, strict=True))


def _fill(layer: Any, texts: int = 1) -> None:
    """Add states to all that a layer keeps, as a network does."""
    if hasattr(layer, "keys"):
        layer.update(torch.randn(texts, 2, 6, 4), torch.randn(texts, 2, 6, 4))
    if hasattr(layer, "indexer_keys"):
        layer.update_indexer(torch.randn(texts, 6, 4))
    for number in range(getattr(layer, "number_of_states", 0)):
        layer.update_conv_state(torch.randn(texts, 4, 3), number)
        layer.update_recurrent_state(torch.randn(texts, 2, 4), number)


def _tensors(layer: Any) -> list[torch.Tensor]:
    found = [getattr(layer, name, None) for name in ("keys", "values", "indexer_keys")]
    for name in ("conv_states", "recurrent_states"):
        found += getattr(layer, name, {}).values()
    return [one.clone() for one in found if one is not None]
