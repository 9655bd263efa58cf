"""Quantized checkpoints are read as their config says, or refused with the package or device that they need."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from tests.models import chats, checkpoints
from tests.models.hf import test_generative
from tests.models.released import adapter, attached, by_torchao, compressed, lora, say, whole
from vlcheck.errors import UsageError
from vlcheck.models.loading import hub
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.quantized import _NEEDS, check_device, check_dtype
from vlcheck.models.loading.released import released_of

TEXTS = ["a red bus", "the dog is left of the cat"]
FOILS = [["a cat", "a photo of a dog"], ["the cat is left of the dog"]]
LAYER = "text_model.encoder.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.clip(tmp_path_factory.mktemp("clip") / "base")


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.llava(tmp_path_factory.mktemp("llava") / "base")


def scored(spec: object, photographs: list[Image.Image], dtype: str = "float32") -> tuple[Any, np.ndarray]:
    model: Any = load_model(str(spec), dtype=dtype)
    return model, np.array(model.itm(model.encode(photographs[:2]), TEXTS, FOILS))


def by_hand(base: Path, photographs: list[Image.Image], adapted: Path | None = None) -> list[float]:
    """P(match) of a generative model as transformers' own forward of the quantized network gives it."""
    hand = test_generative.ByHand(base, "float32")
    if adapted:
        hand.network(**hand.inputs(photographs[0], "unpacks the layers"))
        hand.network = attached(hand.network, adapted)
    return [hand.match(image, text) for image, text in zip(photographs, TEXTS, strict=False)]


def test_packed_weights_of_four_bits_score_as_the_numbers_that_they_stand_for(
    clip: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    packed, plain = compressed(clip, tmp_path / "packed", 4)
    model, found = scored(packed, photographs)
    np.testing.assert_allclose(found, scored(plain, photographs)[1], rtol=0, atol=1e-6)
    assert 1e-4 < abs(found - scored(clip, photographs)[1]).max() < 0.1
    said = "compressed-tensors format pack-quantized num bits 4 type int strategy channel"
    assert released_of(model.network).quantization == said


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
def test_compressed_weights_and_activations_score_as_transformers_says(
    bits: int, llava: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base, plain = compressed(llava, tmp_path / "compressed", bits, keep=("lm_head",))
    model, found = scored(base, photographs)
    np.testing.assert_allclose(found, by_hand(base, photographs), rtol=0, atol=5e-5 if bits == 4 else 5e-3)
    np.testing.assert_allclose(found, scored(plain, photographs)[1], rtol=0, atol=1e-6 if bits == 4 else 0.02)
    assert ("activations num bits 8" in released_of(model.network).quantization) == (bits == 8)


def test_weights_of_torchao_score_as_transformers_says(
    llava: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = by_torchao(llava, tmp_path / "torchao")
    model, found = scored(base, photographs)
    weight = model.network.model.language_model.layers[0].self_attn.q_proj.weight
    assert type(weight).__name__ == "Int8Tensor"
    np.testing.assert_allclose(found, by_hand(base, photographs), rtol=0, atol=5e-5)
    assert 1e-5 < abs(found - scored(llava, photographs)[1]).max() < 0.05
    assert released_of(model.network).quantization == "torchao type Int8WeightOnlyConfig"
    assert model.fingerprint != load_model(str(llava)).fingerprint


@pytest.mark.slow
@pytest.mark.parametrize("how", ["torchao", "compressed"])
def test_an_adapter_of_a_quantized_base_scores_as_peft_says(
    how: str, llava: Path, tmp_path: Path, photographs: list[Image.Image]
) -> None:
    base = (
        by_torchao(llava, tmp_path / how) if how == "torchao" else compressed(llava, tmp_path / how, 4, ("lm_head",))[0]
    )
    adapted = adapter(llava, tmp_path / "adapter", lora())
    model, found = scored(f"{base}+{adapted}", photographs)
    np.testing.assert_allclose(found, by_hand(base, photographs, adapted), rtol=0, atol=5e-5)
    assert abs(found - scored(base, photographs)[1]).max() > 0.01
    said = released_of(model.network)
    assert said.quantization
    assert said.adapter.endswith(f"on {base}, not merged; trained on {llava}")


@pytest.mark.parametrize("part", ["weight_scale", "weight_packed", "weight_shape"])
def test_a_part_of_quantized_weights_that_is_missing_is_refused(part: str, clip: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    packed, _ = compressed(clip, tmp_path / "packed", 4)
    weights: dict[str, Tensor] = load_file(packed / "model.safetensors")
    del weights[f"{LAYER}.{part}"]
    save_file(weights, packed / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UsageError, match=rf"the weights lack {LAYER}\.{part}"):
        load_model(str(packed))


def test_whole_numbers_in_another_format_than_the_config_says_are_refused(clip: Path, tmp_path: Path) -> None:
    packed, _ = compressed(clip, tmp_path / "packed", 4)
    stored, _ = compressed(clip, tmp_path / "stored", 8)
    shutil.copy(stored / "model.safetensors", packed)
    with pytest.raises(UsageError, match=r"the weights lack \d+ weights \(\S+weight_packed"):
        load_model(str(packed))


# Packages and devices

SAID: dict[str, dict[str, object]] = {
    "aqlm": {},
    "auto-round": {"bits": 4},
    "awq": {"bits": 4},
    "bitsandbytes": {"load_in_4bit": True},
    "eetq": {"weights": "int8"},
    "fbgemm_fp8": {},
    "fp_quant": {},
    "gptq": {"bits": 4},
    "higgs": {},
    "hqq": {"quant_config": {}},
    "quanto": {"weights": "int8"},
    "quark": {},
    "spqr": {},
    "vptq": {},
}


@pytest.mark.parametrize("method", SAID)
def test_a_package_that_is_missing_is_named(
    method: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    say(folder / "config.json", quantization_config={"quant_method": method, **SAID[method]})
    packages = _NEEDS[method].packages
    for module in packages.values():
        monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    names = " and ".join(packages).replace("[", r"\[")
    with pytest.raises(UsageError, match=rf"quantized by {method}, which needs {names}: python -m pip install \S+"):
        load_model(str(folder))


@pytest.mark.parametrize("method", ["torchao", "compressed-tensors"])
def test_packages_of_an_extra_are_named_by_it(
    method: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    say(folder / "config.json", quantization_config={"quant_method": method})
    monkeypatch.setitem(sys.modules, method.replace("-", "_"), None)
    with pytest.raises(UsageError, match=rf'needs {method}: python -m pip install "vlcheck\[quantized\]"\.'):
        load_model(str(folder))


def test_kernels_of_a_gpu_are_not_tried_elsewhere() -> None:
    config = {"quantization_config": {"quant_method": "eetq", "weights": "int8"}}
    check_device(config, "config.json", "cuda:1")
    check_device({}, "config.json", "cpu")
    for device in ("cpu", *([] if torch.cuda.is_available() else ["auto"])):
        with pytest.raises(
            UsageError, match=r"config\.json: .* by eetq, whose kernels run on a GPU alone: device=cuda"
        ):
            check_device(config, "config.json", device)


def test_a_dtype_that_a_way_of_quantizing_replaced_is_said(clip: Path) -> None:
    """Some ways accept one dtype alone, and put it in the place of another without an error."""
    network, config = whole(clip), {"quantization_config": {"quant_method": "fbgemm_fp8"}}
    check_dtype(network, config, "config.json", "float32")
    check_dtype(network, {}, "config.json", "bfloat16")
    with pytest.raises(UsageError, match=r"all others are float32, and bfloat16 is asked for: dtype=float32\."):
        check_dtype(network, config, "config.json", "bfloat16")


# GGUF

GGUF = (
    r"GGUF is the format of llama\.cpp.* openai:http://127\.0\.0\.1:8080/v1#MODEL, or name the repository of the safe"
)


@pytest.mark.parametrize("beside", ["nothing", "config", "the file itself"])
def test_a_gguf_is_refused_with_the_way_to_go(beside: str, clip: Path, tmp_path: Path) -> None:
    file = tmp_path / "model-Q4_K_M.gguf"
    file.write_bytes(b"GGUF")
    if beside == "config":
        shutil.copy(clip / "config.json", tmp_path)
    with pytest.raises(UsageError, match=GGUF):
        load_model(str(file if beside == "the file itself" else tmp_path))


def test_a_repository_of_gguf_alone_is_refused_with_the_way_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are not downloaded; the hub's own list of files, as the hub cannot be reached from here."""
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    monkeypatch.setattr(hub, "list_repo_files", lambda *_, **__: ["README.md", "b-Q8_0.gguf", "a-mmproj.gguf"])
    with pytest.raises(UsageError, match=rf"org/model: holds a-mmproj\.gguf, b-Q8_0\.gguf\. {GGUF}"):
        load_model("org/model")
