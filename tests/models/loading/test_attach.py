"""Checkpoints with an adapter: scores are those of PEFT's own network, merged or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

peft = pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from tests.models import chats, checkpoints, released  # noqa: E402
from tests.models.hf import test_generative, test_hosted  # noqa: E402
from tests.models.loading.adapted import CONFIG, FILE, FOILS, TEXTS, rewrite, scores  # noqa: E402
from tests.models.released import adapter, attached, lora, merged, say  # noqa: E402
from vlcheck.models.loading.adapter import KINDS  # noqa: E402
from vlcheck.models.loading.load import load_model  # noqa: E402
from vlcheck.models.setup import setup_of  # noqa: E402


def by_peft(family: str, base: Path, adapted: Path, photographs: list[Image.Image]) -> list[float]:
    """P(match) as transformers' own forward gives it in PEFT's network."""
    asked = zip(photographs[:2], TEXTS, FOILS, strict=True)
    if family == "llava":
        chat = test_generative.ByHand(base, "float64")
        chat.network = attached(chat.network, adapted)
        return [chat.match(image, text) for image, text, _ in asked]
    hand = test_hosted.ByHand(transformers_clip(), base, "float64")
    hand.network = attached(hand.network, adapted)
    return [float(hand(image, [text, *foils]).logits_per_image[0].softmax(-1)[0]) for image, text, foils in asked]


def transformers_clip() -> Any:
    from transformers import CLIPModel

    return CLIPModel


@pytest.mark.parametrize("kind", list(released.KINDS))
@pytest.mark.parametrize("family", ["clip", pytest.param("llava", marks=pytest.mark.slow)])
def test_scores_are_those_of_peft_merged_or_not(
    family: str, kind: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = (chats.llava if family == "llava" else checkpoints.clip)(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", released.KINDS[kind](family))
    found = scores(f"{base}+{adapted}", photographs)
    np.testing.assert_allclose(found, by_peft(family, base, adapted, photographs), rtol=0, atol=1e-10)
    assert abs(found - scores(base, photographs)).max() > 1e-3
    whole_one = merged(base, adapted, tmp_path / "merged")
    one, other = (scores(spec, photographs, "float32") for spec in (f"{base}+{adapted}", whole_one))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_is_accepted_is_attached_as_peft_does(
    kind: str, base: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    make: Any = peft.PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    more = {
        "ADALORA": {"total_step": 10},
        "IA3": {"feedforward_modules": []},
        "LN_TUNING": {"target_modules": ["layer_norm1"]},
        "TRAINABLE_TOKENS": {"target_modules": ["token_embedding"], "token_indices": [5, 6, 7]},
        "OFT": {"oft_block_size": 4},
        "BOFT": {"boft_block_size": 4},
    }
    adapted = adapter(base, tmp_path / kind, make(**{"target_modules": ["q_proj"], **more.get(kind, {})}))
    found = scores(f"{base}+{adapted}", photographs)
    np.testing.assert_allclose(found, by_peft("clip", base, adapted, photographs), rtol=0, atol=1e-10)
    assert abs(found - scores(base, photographs)).max() > 1e-6


# PEFT itself attaches nothing to FLAVA, whose embeddings it does not find.
HOSTED = ("altclip", "align", "bert", "blip2_retrieval", "blip_retrieval", "bridgetower", "chinese_clip")
MORE = ("metaclip2", "siglip", "siglip2", "vilt_retrieval", "vilt_words")


@pytest.mark.nightly
@pytest.mark.parametrize("family", [*HOSTED, *MORE])
def test_an_adapter_of_all_layers_of_any_family_equals_what_is_merged(
    family: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """A family that read a weight past its layer would miss the adapter there."""
    base: Path = getattr(checkpoints, family)(tmp_path / "base")
    network: Any = load_model(str(base)).network  # type: ignore[attr-defined]
    config = lora(target_modules=layers_of(network))
    adapted = adapter(base, tmp_path / "adapter", config, network=network.float())
    fresh: Any = load_model(str(base))
    adapted_whole = attached(fresh.network, adapted).merge_and_unload()
    together = released.saved_beside(base, adapted_whole, tmp_path / "merged")
    (together / "config.json").write_text((base / "config.json").read_text())
    one, other = (everything(f"{spec}", photographs) for spec in (f"{base}+{adapted}", together))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
    assert abs(np.array(one) - everything(str(base), photographs)).max() > 1e-3


@pytest.mark.nightly
@pytest.mark.parametrize(
    "layer", ["vision_model.head.attention.out_proj", "vision_model.embeddings.position_embedding"]
)
def test_layers_whose_weights_are_read_past_them_change_nothing_until_they_are_merged(
    layer: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """docs/howto/released-models.md says so; if PEFT or transformers mend it, the page has to change."""
    base = checkpoints.siglip2(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora(target_modules=[layer]))
    network = attached(load_model(str(base)).network, adapted)  # type: ignore[attr-defined]
    together = released.saved_beside(base, network.merge_and_unload(), tmp_path / "merged")
    (together / "config.json").write_text((base / "config.json").read_text())
    before, one, other = (scores(spec, photographs) for spec in (base, f"{base}+{adapted}", together))
    np.testing.assert_array_equal(one, before)
    assert abs(other - one).max() > 1e-3


def layers_of(network: torch.nn.Module) -> list[str]:
    """Names of the layers that an adapter can change.

    PEFT changes no layer whose weights transformers or PyTorch read past it: those inside PyTorch's attention, the
    positions of SigLIP 2, a tied decoder.
    """
    inside = [name for name, one in network.named_modules() if isinstance(one, torch.nn.MultiheadAttention)]
    kinds = (torch.nn.Linear, torch.nn.Embedding)
    left_out = (*inside, "image_codebook")
    tied = ("decoder", "word_embeddings", "vision_model.embeddings.position_embedding")
    return [
        name
        for name, one in network.named_modules()
        if isinstance(one, kinds) and not name.startswith(left_out) and not name.endswith(tied)
    ]


def everything(spec: str, photographs: list[Image.Image]) -> list[float]:
    model: Any = load_model(spec)
    encoded = model.encode(photographs[:2])
    found: list[float] = []
    if "itm" in model.metrics:
        found += [float(score) for score in model.itm(encoded, TEXTS, FOILS)]
    if "mlm" in model.metrics:
        found += [
            float(p) for row in model.mlm(encoded, ["a [MASK] bus", "the [MASK]"], [("red", "dog")] * 2) for p in row
        ]
    return found


def test_names_of_an_earlier_transformers_are_read(tmp_path: Path, photographs: list[Image.Image]) -> None:
    """Adapters of Qwen2-VL from before its language model was a part of its own; PEFT alone does not rename them."""
    base = chats.qwen2_vl(tmp_path / "base")
    adapted = adapter(base, tmp_path / "adapter", lora())
    before = scores(f"{base}+{adapted}", photographs)
    rewrite(adapted, lambda weights: {name.replace(".language_model.", "."): one for name, one in weights.items()})
    assert not any("language_model" in name for name in load_file(adapted / FILE))
    np.testing.assert_array_equal(scores(f"{base}+{adapted}", photographs), before)


OLD_NAME = "model.layers.0.self_attn.q_proj"
TODAY = "model.language_model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize("said", [OLD_NAME, f"^{OLD_NAME}"])
@pytest.mark.parametrize("setting", [{"alpha_pattern": 400}, {"rank_pattern": 2}], ids=str)
def test_settings_of_layers_with_names_of_an_earlier_transformers_are_read(
    setting: dict[str, int], said: str, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    """Without the settings the scores differ: PEFT alone leaves alpha_pattern out."""
    base = chats.qwen2_vl(tmp_path / "base")
    ((name, value),) = setting.items()
    adapted = adapter(base, tmp_path / "adapter", lora(**{name: {TODAY: value}}))
    before = scores(f"{base}+{adapted}", photographs)
    rewrite(adapted, lambda weights: {name.replace(".language_model.", "."): one for name, one in weights.items()})
    say(adapted / CONFIG, **{name: {said: value}})
    np.testing.assert_array_equal(scores(f"{base}+{adapted}", photographs), before)
    if name == "alpha_pattern":
        say(adapted / CONFIG, alpha_pattern={})
        assert abs(scores(f"{base}+{adapted}", photographs) - before).max() > 1e-2


def test_settings_of_layers_are_said(base: Path, tmp_path: Path) -> None:
    adapted = adapter(base, tmp_path / "own", lora(rank_pattern={"q_proj": 2}, alpha_pattern={"0.*q_proj": 40}))
    model: Any = load_model(f"{base}+{adapted}")
    said = "LORA r 4 alpha 8 with another r for q_proj (2) with another alpha for 0.*q_proj (40)"
    assert setup_of(model).adapter.startswith(f"{said} of {adapted}")
