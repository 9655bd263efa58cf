"""ViLBERT's network against what the original code computed (tests/data/vilbert), and what it loads."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.conftest import ROOT
from tests.models.loading.test_checkpoint import Payload
from vlcheck.errors import UsageError
from vlcheck.models.original.vilbert.config import VilbertConfig
from vlcheck.models.original.vilbert.network import CoAttentionLayer, Streams, VilbertNetwork

REFERENCE = ROOT / "tests" / "data" / "vilbert"
INPUTS = dict(np.load(REFERENCE / "inputs.npz"))
OUTPUTS = dict(np.load(REFERENCE / "outputs.npz"))
OUTPUTS64 = dict(np.load(REFERENCE / "outputs64.npz"))
WORDS = "bert.embeddings.word_embeddings.weight"
DECODER = "cls.predictions.decoder.weight"
QUERY = "bert.encoder.c_layer.1.biattention.query2.weight"

OTHER = VilbertConfig(
    vocab_size=31,
    hidden_size=12,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=20,
    max_position_embeddings=9,
    type_vocab_size=1,
    hidden_act="relu",
    v_feature_size=7,
    v_target_size=5,
    v_hidden_size=18,
    v_num_hidden_layers=4,
    v_num_attention_heads=3,
    v_intermediate_size=10,
    v_hidden_act="swish",
    bi_hidden_size=8,
    bi_num_attention_heads=4,
    v_biattention_id=(0, 2),
    t_biattention_id=(1, 1),
)

Weights = dict[str, Tensor]


@cache
def reference(dtype: torch.dtype = torch.float32) -> VilbertNetwork:
    return VilbertNetwork.from_original(REFERENCE).to(dtype)


@cache
def reference_weights() -> Weights:
    weights: Weights = torch.load(REFERENCE / "pytorch_model_9.bin", weights_only=True)
    return weights


@cache
@torch.inference_mode()
def computed(dtype: torch.dtype) -> dict[str, Tensor]:
    """All that the original recorded, by the reference's names."""
    network = reference(dtype)
    with watching(network) as seen:
        image, text = network.streams(**INPUTS)
    itm, regions = network.itm_logits(**INPUTS), network.region_logits(**INPUTS)
    zeroed = INPUTS | {"features": without_region(INPUTS["features"], 2)}
    return {name: torch.stack(parts) if len(parts) > 1 else parts[0] for name, parts in seen.items()} | {
        "sequence_output_v": image,
        "sequence_output_t": text,
        "pooled_output_v": network.bert.v_pooler(image),
        "pooled_output_t": network.bert.t_pooler(text),
        "seq_relationship": itm,
        "prob_aligned": itm.softmax(-1)[:, 0],
        "mlm_logits": network.mlm_logits(**INPUTS),
        "region_logits": regions,
        "region_prob": regions.softmax(-1),
        "region2_zeroed_region_logits": network.region_logits(**zeroed),
        "region2_zeroed_seq_relationship": network.itm_logits(**zeroed),
    }


@contextmanager
def watching(network: VilbertNetwork) -> Iterator[dict[str, list[Tensor]]]:
    """Record what goes through the layers, in the order in which they run."""
    seen: dict[str, list[Tensor]] = defaultdict(list)

    def record(name: str, _: nn.Module, __: object, output: Tensor) -> None:
        seen[name].append(output)

    def record_exchange(layer: CoAttentionLayer, inputs: tuple[Streams, Streams], output: Streams) -> None:
        streams, keep = inputs
        seen["co_att_image_to_text"].append(probabilities(layer, "1", streams.image, "2", streams.text, keep.text))
        seen["co_att_text_to_image"].append(probabilities(layer, "2", streams.text, "1", streams.image, keep.image))
        seen["co_v"].append(output.image)
        seen["co_t"].append(output.text)

    bert = network.bert
    watched = [("emb_text", bert.embeddings), ("emb_image", bert.v_embeddings)]
    watched += [("layer_t", layer) for layer in bert.encoder.layer]
    watched += [("layer_v", layer) for layer in bert.encoder.v_layer]
    with ExitStack() as hooks:
        for name, module in watched:
            hooks.enter_context(module.register_forward_hook(partial(record, name)))
        for exchange in bert.encoder.c_layer:
            hooks.enter_context(exchange.register_forward_hook(record_exchange))
        yield seen


def probabilities(
    layer: CoAttentionLayer, reader: str, hidden: Tensor, source: str, other: Tensor, keep: Tensor
) -> Tensor:
    """Attention that a fused kernel does not give away, (n, heads, queries, keys)."""
    query = layer.biattention[f"query{reader}"](hidden).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
    key = layer.biattention[f"key{source}"](other).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
    scores: Tensor = query @ key.mT / query.shape[-1] ** 0.5
    return scores.masked_fill(~keep, -torch.inf).softmax(-1)


def without_region(features: np.ndarray, region: int) -> np.ndarray:
    zeroed = features.copy()
    zeroed[:, region] = 0
    return zeroed


def save_original(folder: Path, network: VilbertNetwork) -> None:
    """Write a network as the original does: `q_dense` and the decoder with the rest, the sizes beside."""
    config, weights = network.config, dict(network.state_dict())
    for number in range(len(config.v_biattention_id)):
        for stream, width in (("1", config.v_hidden_size), ("2", config.hidden_size)):
            name = f"bert.encoder.c_layer.{number}.biOutput.q_dense{stream}"
            weights |= {f"{name}.weight": torch.randn(width, config.bi_hidden_size), f"{name}.bias": torch.randn(width)}
    torch.save(weights | {DECODER: weights[WORDS]}, folder / "pytorch_model_3.bin")
    (folder / "config.json").write_text(json.dumps(asdict(config)))


def folder_of(weights: object, folder: Path, *, zipped: bool = True) -> Path:
    """A folder of the reference's sizes with other weights."""
    shutil.copy(REFERENCE / "config.json", folder)
    torch.save(weights, folder / "model.bin", _use_new_zipfile_serialization=zipped)
    return folder


def random_network(config: VilbertConfig) -> VilbertNetwork:
    torch.manual_seed(5)
    network = VilbertNetwork(config).eval()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.5)
    return network


def random_inputs(config: VilbertConfig) -> dict[str, Tensor]:
    ids, features = torch.randint(config.vocab_size, (2, 6)), torch.randn(2, 4, config.v_feature_size)
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    return {
        "ids": ids,
        "input_mask": mask,
        "segment_ids": torch.zeros_like(ids),
        "features": features,
        "image_loc": torch.rand(2, 4, 5),
        "image_mask": mask[:, :4],
    }


@pytest.mark.parametrize("array", OUTPUTS)
def test_float32_is_the_original(array: str) -> None:
    np.testing.assert_allclose(computed(torch.float32)[array], OUTPUTS[array], rtol=0, atol=5e-5, strict=True)


@pytest.mark.parametrize("array", OUTPUTS64)
def test_float64_is_the_original_to_ten_digits(array: str) -> None:
    np.testing.assert_allclose(computed(torch.float64)[array], OUTPUTS64[array], rtol=0, atol=1e-10, strict=True)


def test_every_reference_array_is_compared() -> None:
    assert OUTPUTS.keys() == computed(torch.float32).keys()
    assert OUTPUTS64.keys() < OUTPUTS.keys()
    assert len(OUTPUTS64) == 9


def test_weights_have_the_original_names() -> None:
    original = set(json.loads((REFERENCE / "keys.json").read_text()))
    unused = {name for name in original if ".q_dense" in name}
    assert len(unused) == 12
    assert set(reference().state_dict()) == original - unused - {DECODER}


def test_the_network_comes_ready_to_score() -> None:
    network = VilbertNetwork.from_original(str(REFERENCE))
    assert not any(module.training for module in network.modules())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


def test_loading_draws_no_random_numbers() -> None:
    before = torch.random.get_rng_state()
    VilbertNetwork.from_original(REFERENCE)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("method", ["itm_logits", "mlm_logits", "region_logits"])
def test_tensors_and_arrays_of_any_precision_are_taken_alike(method: str) -> None:
    ask = getattr(reference(), method)
    as_tensors = {name: torch.tensor(array) for name, array in INPUTS.items()}
    in_double = {name: array.astype({"f": "f8", "i": "i4"}[array.dtype.kind]) for name, array in INPUTS.items()}
    assert torch.equal(ask(**as_tensors), ask(**INPUTS))
    assert torch.equal(ask(**in_double), ask(**INPUTS))


def test_an_input_that_is_not_given_is_named() -> None:
    with pytest.raises(TypeError, match="image_mask"):
        reference().itm_logits(**{name: array for name, array in INPUTS.items() if name != "image_mask"})


@pytest.mark.parametrize("name", ["ids", "features"])
def test_padding_counts_for_nothing(name: str) -> None:
    changed = INPUTS[name].copy()
    changed[1, -1] = 7  # a pad of the second text, and of the second image
    given = INPUTS | {name: changed}
    assert torch.equal(reference().itm_logits(**given), reference().itm_logits(**INPUTS))


def test_each_token_has_the_embedding_of_its_segment() -> None:
    network = reference()
    segments = (np.arange(INPUTS["ids"].shape[1]) > 3).astype(int) * np.ones_like(INPUTS["ids"])
    with watching(network) as seen:
        network.streams(**INPUTS | {"segment_ids": segments})
    table = {
        name: network.get_parameter(f"bert.embeddings.{name}_embeddings.weight")
        for name in ("word", "position", "token_type")
    }
    words = table["word"][INPUTS["ids"]] + table["position"][: segments.shape[1]] + table["token_type"][segments]
    torch.testing.assert_close(seen["emb_text"][0], network.get_submodule("bert.embeddings.LayerNorm")(words))


def test_layers_run_in_the_order_of_the_configuration() -> None:
    encoder, order = random_network(OTHER).bert.encoder, list[str]()
    for name in ("layer", "v_layer", "c_layer"):
        for number, layer in enumerate(getattr(encoder, name)):
            layer.register_forward_hook(lambda *_, told=f"{name}.{number}": order.append(told))
    keep = Streams(torch.ones(1, 1, 1, 4, dtype=torch.bool), torch.ones(1, 1, 1, 6, dtype=torch.bool))
    encoder(Streams(torch.randn(1, 4, OTHER.v_hidden_size), torch.randn(1, 6, OTHER.hidden_size)), keep)
    image, text = ([name for name in order if not name.startswith(other)] for other in ("layer", "v_layer"))
    assert image == ["c_layer.0", "v_layer.0", "v_layer.1", "c_layer.1", "v_layer.2", "v_layer.3"]
    assert text == ["layer.0", "c_layer.0", "c_layer.1", "layer.1", "layer.2"]


def test_the_heads_have_the_activation_of_the_text() -> None:
    network = random_network(OTHER)
    part, image, text = network.get_submodule, torch.randn(3, OTHER.v_hidden_size), torch.randn(3, OTHER.hidden_size)
    for name in ("v_layer.0.intermediate", "c_layer.0.v_intermediate"):
        dense = part(f"bert.encoder.{name}.dense")(image)
        assert torch.equal(part(f"bert.encoder.{name}")(image), nn.functional.silu(dense))
    for name in ("layer.0.intermediate", "c_layer.0.t_intermediate"):
        dense = part(f"bert.encoder.{name}.dense")(text)
        assert torch.equal(part(f"bert.encoder.{name}")(text), dense.relu())
    for name, hidden in (("cls.predictions.transform", text), ("cls.imagePredictions.transform", image)):
        dense = part(f"{name}.dense")(hidden)
        assert torch.equal(part(name)(hidden), part(f"{name}.LayerNorm")(dense.relu()))


def test_other_sizes_are_saved_and_loaded(tmp_path: Path) -> None:
    network, inputs = random_network(OTHER), random_inputs(OTHER)
    save_original(tmp_path, network)
    loaded = VilbertNetwork.from_original(tmp_path)
    assert loaded.config == OTHER
    assert loaded.itm_logits(**inputs).shape == (2, 2)
    assert loaded.mlm_logits(**inputs).shape == (2, 6, 31)
    assert loaded.region_logits(**inputs).shape == (2, 4, 5)
    for method in ("itm_logits", "mlm_logits", "region_logits"):
        logits = getattr(loaded, method)(**inputs)
        assert logits.isfinite().all()
        assert torch.equal(logits, getattr(network, method)(**inputs))


def under_module(weights: Weights) -> Weights:
    return {f"module.{name}": weight for name, weight in weights.items()}


def with_old_names(weights: Weights) -> Weights:
    old = {"weight": "gamma", "bias": "beta"}
    return {
        re.sub(r"(LayerNorm[12]?\.)(weight|bias)$", lambda name: name[1] + old[name[2]], name): weight
        for name, weight in weights.items()
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "written",
    [
        dict,
        under_module,
        with_old_names,
        lambda weights: {"model_state_dict": under_module(weights), "global_step": 3},
        lambda weights: {name: weight.double() for name, weight in weights.items()},
        lambda weights: {name: weight for name, weight in weights.items() if ".q_dense" not in name},
    ],
    ids=["flat", "module", "gamma-beta", "resume", "double", "without-unused"],
)
def test_a_checkpoint_is_read_however_it_was_written(
    written: Callable[[Weights], object], zipped: bool, tmp_path: Path
) -> None:
    content = written(reference_weights())
    network = VilbertNetwork.from_original(folder_of(content, tmp_path, zipped=zipped))
    expected = reference().state_dict()
    assert network.state_dict().keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in network.state_dict().items())
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


def test_old_names_are_really_old() -> None:
    names = with_old_names(reference_weights())
    assert "bert.encoder.c_layer.0.biOutput.LayerNorm2.gamma" in names
    assert "cls.predictions.transform.LayerNorm.beta" in names
    assert not any("LayerNorm" in name and name.endswith(("weight", "bias")) for name in names)


def test_safetensors_are_read(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "config.json", tmp_path)
    save_file({name: weight.clone() for name, weight in reference_weights().items()}, tmp_path / "model.safetensors")
    network = VilbertNetwork.from_original(tmp_path)
    assert torch.equal(network.itm_logits(**INPUTS), reference().itm_logits(**INPUTS))


@pytest.mark.parametrize(
    "name",
    [
        WORDS,
        DECODER,
        QUERY,
        "bert.v_embeddings.image_location_embeddings.bias",
        "bert.encoder.v_layer.2.output.LayerNorm.bias",
        "bert.t_pooler.dense.weight",
        "cls.predictions.bias",
        "cls.imagePredictions.decoder.bias",
        "cls.bi_seq_relationship.weight",
    ],
)
def test_a_missing_weight_is_named(name: str, tmp_path: Path) -> None:
    lacking = {key: weight for key, weight in reference_weights().items() if key != name}
    with pytest.raises(UsageError, match=rf"model\.bin: .* lacks {name}\."):
        VilbertNetwork.from_original(folder_of(lacking, tmp_path))


@pytest.mark.parametrize(
    "name", ["vil_logit.weight", "bert.encoder.c_layer.3.biattention.query1.weight", "cls.predictions.decoder.bias"]
)
def test_an_unknown_weight_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"model\.bin: .* has unknown {name}\."):
        VilbertNetwork.from_original(folder_of(reference_weights() | {name: torch.zeros(3)}, tmp_path))


@pytest.mark.parametrize("name", [WORDS, DECODER, QUERY, "cls.predictions.bias"])
def test_a_weight_of_another_shape_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"model\.bin: .* {name} has shape \(3,\) in place of \(\d+,"):
        VilbertNetwork.from_original(folder_of(reference_weights() | {name: torch.zeros(3)}, tmp_path))


def test_all_that_is_wrong_is_said_at_once_and_shortly(tmp_path: Path) -> None:
    weights = {name: weight for name, weight in reference_weights().items() if ".v_layer." not in name}
    weights |= {"extra": torch.zeros(1), QUERY: torch.zeros(3)}
    with pytest.raises(UsageError, match=r"lacks 48 weights \(.*, \.\.\.\); it has unknown extra; bert.* has shape"):
        VilbertNetwork.from_original(folder_of(weights, tmp_path))


def test_an_untied_decoder_is_refused(tmp_path: Path) -> None:
    untied = reference_weights() | {DECODER: reference_weights()[DECODER] + 1}
    with pytest.raises(UsageError, match=rf"model\.bin: {DECODER} differs from {WORDS}"):
        VilbertNetwork.from_original(folder_of(untied, tmp_path))


@pytest.mark.parametrize("twin", [f"module.{QUERY}", "bert.embeddings.LayerNorm.gamma"])
def test_a_weight_under_two_names_is_refused(twin: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"model\.bin: it holds .* under an old name and a new one"):
        VilbertNetwork.from_original(folder_of(reference_weights() | {twin: torch.zeros(3)}, tmp_path))


def test_a_configuration_of_other_sizes_is_refused(tmp_path: Path) -> None:
    folder_of(reference_weights(), tmp_path)
    said = json.loads((REFERENCE / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(said | {"v_target_size": 22}))
    with pytest.raises(UsageError, match=r"cls\.imagePredictions\.decoder\.bias has shape \(21,\) in place of \(22,\)"):
        VilbertNetwork.from_original(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        VilbertNetwork.from_original(tmp_path / "nowhere")


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "config.json", tmp_path)
    with pytest.raises(UsageError, match=r"has to hold one checkpoint \(.*\.bin.*\); it holds: none"):
        VilbertNetwork.from_original(tmp_path)


def test_a_folder_of_several_checkpoints_is_refused(tmp_path: Path) -> None:
    folder_of(reference_weights(), tmp_path)
    shutil.copy(tmp_path / "model.bin", tmp_path / "another.pth")
    with pytest.raises(UsageError, match=r"it holds: another\.pth, model\.bin"):
        VilbertNetwork.from_original(tmp_path)


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "pytorch_model_9.bin", tmp_path)
    with pytest.raises(UsageError, match=r"config\.json: no such file; .*bert_base_6layer_6conect\.json"):
        VilbertNetwork.from_original(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused_unread(zipped: bool, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    content = {"model_state_dict": reference_weights(), "tb_logger": Payload(victim)}
    with pytest.raises(UsageError, match=r"model\.bin: a pickle that wants to run code"):
        VilbertNetwork.from_original(folder_of(content, tmp_path, zipped=zipped))
    assert not victim.exists()
