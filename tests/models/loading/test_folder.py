"""Every file of weights in a folder is read, says the same as what is read, or is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.models import checkpoints
from vlcheck.errors import UsageError
from vlcheck.models.loading.folder import check_files, check_one_template
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.quantized import check_quantization

WHOLE = "model.safetensors"
QUERY = "text_model.encoder.layers.0.self_attn.q_proj.weight"
PROJECTED = "text_projection.weight"
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "clip"))


def kept(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / WHOLE)


def write(path: Path, weights: Mapping[str, Tensor]) -> None:
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path, metadata={"format": "pt"})


def say(path: Path, **more: object) -> None:
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | more))


def moved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights after more training."""
    return {name: weight + 0.05 for name, weight in weights.items()}


def write_shards(folder: Path, weights: Mapping[str, Tensor], stem: str = "model", suffix: str = "safetensors") -> None:
    names = sorted(weights)
    shards = {f"{stem}-0000{n}-of-00002.{suffix}": names[n - 1 :: 2] for n in (1, 2)}
    for file, own in shards.items():
        held = {name: weights[name] for name in own}
        write(folder / file, held) if suffix == "safetensors" else torch.save(held, folder / file)
    places = {name: file for file, own in shards.items() for name in own}
    say(folder / f"{stem}.{suffix}.index.json", metadata={}, weight_map=places)


def scores(folder: Path) -> Any:
    model: Any = load_model(str(folder))
    picture = Image.fromarray(np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3))
    return model.itm(model.encode([picture]), ["a red bus on the street"], [["a cat", "a dog"]])


# Two sets of weights


@pytest.mark.parametrize(
    ("add", "named"),
    [
        (lambda folder, new: torch.save(new, folder / "pytorch_model.bin"), r"pytorch_model\.bin"),
        (write_shards, r"model-00001-of-00002\.safetensors"),
        (lambda folder, new: write_shards(folder, new, "pytorch_model", "bin"), r"pytorch_model-00001-of-00002\.bin"),
        (lambda folder, new: write(folder / "consolidated.safetensors", new), r"consolidated\.safetensors"),
        (lambda folder, new: write(folder / "model.fp16.safetensors", new), r"model\.fp16\.safetensors"),
        (lambda folder, new: torch.save({"state_dict": new}, folder / "last.ckpt"), r"last\.ckpt"),
        (lambda folder, new: torch.save({"ema": torch.ones(2)}, folder / "ema.pt"), r"ema\.pt"),
        (
            lambda folder, new: write(folder / "shard-00000-model-00001-of-00001.safetensors", new),
            r"shard-00000-model-00001-of-00001\.safetensors",
        ),
    ],
)
def test_other_weights_beside_those_that_are_read_are_refused(
    folder: Path, add: Callable[[Path, dict[str, Tensor]], object], named: str
) -> None:
    add(folder, moved(kept(folder)))
    with pytest.raises(UsageError, match=rf"{named}: is not read, and holds other weights, e\.g\. .* model\.safetens"):
        check_files(folder, {})


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: weight.half() for name, weight in weights.items()}


def open_clip_layout(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of its own, projections transposed, query, key and value in one."""
    three = [QUERY.replace("q_proj", part) for part in ("q_proj", "k_proj", "v_proj")]
    return {
        "text_projection": weights[PROJECTED].T,
        "transformer.resblocks.0.attn.in_proj_weight": torch.cat([weights[name] for name in three]),
        "logit_scale": weights["logit_scale"],
    }


@pytest.mark.parametrize(
    "add",
    [
        lambda folder, same: torch.save(same, folder / "pytorch_model.bin"),
        lambda folder, same: torch.save(same | {"text_model.tied": same[PROJECTED]}, folder / "pytorch_model.bin"),
        lambda folder, same: torch.save(
            same | {"text_model.embeddings.position_ids": torch.arange(9)}, folder / "pytorch_model.bin"
        ),
        write_shards,
        lambda folder, same: write(
            folder / "model.fp16.safetensors", {name: weight.half() for name, weight in same.items()}
        ),
        lambda folder, same: write(folder / "open_clip_model.safetensors", open_clip_layout(same)),
        lambda folder, same: torch.save({"lr": 1e-4}, folder / "training_args.bin"),
        lambda folder, same: torch.save({"state": moved(same)}, folder / "optimizer.pt"),
        lambda folder, same: write(folder / "optimizer-00001-of-00002.safetensors", moved(same)),
        lambda folder, same: torch.save([1, 2], folder / "rng_state_0.pth"),
        lambda folder, same: (folder / "pytorch_model.bin").write_text("version https://git-lfs.github.com/spec/v1"),
        lambda folder, same: (folder / "tf_model.h5").write_bytes(b"of TensorFlow"),
        lambda folder, same: shutil.copytree(folder, folder / "checkpoint-500"),
        lambda folder, same: say(folder / "pytorch_model.bin.index.json", weight_map={"a": "not_fetched.bin"}),
        lambda folder, same: write(folder / "open_clip_model.safetensors", halved(open_clip_layout(same))),
        lambda folder, same: torch.save(halved(same | {"tied": same[PROJECTED]}), folder / "model_fp16.bin"),
        lambda folder, same: torch.save({"net": {"weights": same}, "epoch": 3}, folder / "last.pt"),
        lambda folder, same: (folder / "openvino_model.bin").write_bytes(bytes(range(64))),
        lambda folder, same: (folder / "openvino_detokenizer.bin").write_bytes(b"\x80 no pickle"),
        lambda folder, same: (folder / "pytorch_model.bin").write_bytes(b""),
        lambda folder, same: torch.save({"lr": 1e-4, "betas": [0.9, 0.99]}, folder / "args.pt"),
        lambda folder, same: torch.save([0.5, 0.25], folder / "metrics.pt"),
        lambda folder, same: torch.save({"base_lrs": torch.ones(2)}, folder / "lr_scheduler.pt"),
        lambda folder, same: torch.save(Path("of/code"), folder / "args.bin"),
    ],
    ids=str.split(
        "copy tied indices shards rounded open_clip args optimizer part_of_optimizer random pointer tensorflow"
        " inner_folder other_index rounded_layout rounded_tied nested openvino openvino_pickle empty plain list"
        " lr_scheduler code"
    ),
)
def test_what_says_the_same_or_nothing_of_weights_is_harmless(
    folder: Path, add: Callable[[Path, dict[str, Tensor]], object]
) -> None:
    right = check_files(folder, {})
    add(folder, kept(folder))
    assert check_files(folder, {}) == right


def test_a_run_s_last_weights_are_scored_beside_its_other_files(folder: Path) -> None:
    right = scores(folder)
    shutil.copytree(folder, folder / "checkpoint-500")
    write(folder / "checkpoint-500" / WHOLE, moved(kept(folder)))
    say(folder / "trainer_state.json", epoch=1)
    torch.save({"state": {}}, folder / "optimizer.pt")
    assert scores(folder) == pytest.approx(right, abs=1e-6)  # one thread adds in another order than two


def test_a_detector_in_the_folder_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"backbone.weight": torch.ones(3)}, folder / "detector.pth")
    with pytest.raises(UsageError, match=r"detector\.pth: is not read, and holds other weights"):
        check_files(folder, {})
    monkeypatch.chdir(folder)
    assert check_files(folder, {}, used=(Path("detector.pth"),))


@pytest.mark.parametrize("layout", [dict, open_clip_layout])
def test_a_copy_that_is_more_precise_than_what_is_read_is_told_as_one(folder: Path, layout: Callable[..., Any]) -> None:
    whole = kept(folder)
    torch.save(layout(whole), folder / "pytorch_model.bin")
    write(folder / WHOLE, halved(whole))
    said = r"pytorch_model\.bin: is not read, and holds the same weights, more precise: transformers reads float16"
    with pytest.raises(UsageError, match=said):
        check_files(folder, {})


@pytest.mark.parametrize("content", [b"\x80 no pickle", b"PK no zip"])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pth", "consolidated.00.pth"])
def test_a_damaged_copy_of_the_model_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(UsageError, match=rf"{name}: damaged.* It lies beside the weights"):
        check_files(folder, {})


def test_a_link_to_nothing_is_told(folder: Path) -> None:
    (folder / "x.bin").symlink_to("gone.bin")
    with pytest.raises(UsageError, match=r"x\.bin: a link to gone\.bin, which is not there: fetch it, or remove"):
        load_model(str(folder))


def test_shards_are_read_together(folder: Path) -> None:
    new = moved(kept(folder))
    write(folder / WHOLE, new)
    right = scores(folder)
    (folder / WHOLE).unlink()
    write_shards(folder, new)
    assert scores(folder) == pytest.approx(right, abs=1e-6)  # one thread adds in another order than two


def point_to(file: str) -> Change:
    def change(folder: Path) -> None:
        index = folder / f"{WHOLE}.index.json"
        places = json.loads(index.read_text())["weight_map"]
        say(index, weight_map=dict.fromkeys(places, file))

    return change


def hold_twice(folder: Path) -> None:
    first, second = (folder / f"model-0000{n}-of-00002.safetensors" for n in (1, 2))
    write(second, load_file(second) | {"logit_scale": torch.zeros(())})
    assert "logit_scale" in load_file(first)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "model-00002-of-00002.safetensors").unlink(),
            r"model\.safetensors\.index\.json: names model-00002-of-00002\.safetensors, which is not there",
        ),
        (point_to("model-00001-of-00002.safetensors"), r"model-00002-of-00002\.safetensors: is not read"),
        (hold_twice, r"model-00002-of-00002\.safetensors: holds logit_scale, as model-00001-of-00002\.safetensors"),
        (
            lambda folder: say(folder / f"{WHOLE}.index.json", weight_map=3),
            r'index\.json: has to say under "weight_map"',
        ),
    ],
)
def test_an_index_that_is_not_of_its_files_is_refused(folder: Path, change: Change, said: str) -> None:
    write_shards(folder, kept(folder))
    (folder / WHOLE).unlink()
    change(folder)
    with pytest.raises(UsageError, match=said):
        check_files(folder, {})


def test_an_index_of_shards_that_never_came_beside_a_whole_file_is_refused(folder: Path) -> None:
    say(folder / f"{WHOLE}.index.json", weight_map={"logit_scale": "model-00001-of-00002.safetensors"})
    with pytest.raises(UsageError, match="remove the index where another file holds all weights"):
        check_files(folder, {})


def test_a_variant_alone_is_told_from_no_weights(folder: Path) -> None:
    (folder / WHOLE).rename(folder / "model.fp16.safetensors")
    with pytest.raises(
        UsageError, match=r"no weights; accepted: model\.safetensors, .* holds model\.fp16\.safetensors"
    ):
        check_files(folder, {})


def test_an_index_whose_name_is_written_in_another_case_is_told(folder: Path) -> None:
    write_shards(folder, kept(folder))
    (folder / WHOLE).unlink()
    (folder / f"{WHOLE}.index.json").rename(folder / "Model.safetensors.index.json")
    with pytest.raises(
        UsageError, match=r"no weights; accepted: .* holds Model\.safetensors\.index\.json, model-00001"
    ):
        check_files(folder, {})


@pytest.mark.parametrize("said", [3, ["model.safetensors"]])
def test_a_name_of_weights_that_is_no_name_is_refused(said: object, folder: Path) -> None:
    with pytest.raises(
        UsageError, match=r'config\.json: "transformers_weights" is .*; it has to be the name of a file'
    ):
        check_files(folder, {"transformers_weights": said})


def test_weights_in_a_wrapper_are_told(folder: Path) -> None:
    torch.save({"state_dict": kept(folder), "epoch": 3}, folder / "pytorch_model.bin")
    (folder / WHOLE).unlink()
    with pytest.raises(UsageError, match=r"pytorch_model\.bin: its weights are under 'state_dict'"):
        check_files(folder, {})


def test_two_files_that_make_other_pixels_are_refused(folder: Path) -> None:
    said = json.loads((folder / "preprocessor_config.json").read_text())
    say(folder / "processor_config.json", image_processor=said | {"image_processor_type": "CLIPImageProcessorFast"})
    check_files(folder, {})
    say(folder / "processor_config.json", image_processor=said | {"image_mean": [0, 0, 0]})
    with pytest.raises(UsageError, match=r"preprocessor_config\.json: says another image_mean than processor_config\."):
        check_files(folder, {})


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ({"max_pixels": 100}, {"max_pixels": 200}),
        ({"do_pad": True}, {"do_pad": False}),
        ({"do_convert_rgb": True}, {"do_convert_rgb": False}),
        ({"rescale_factor": 1}, {"rescale_factor": 0.5}),
        ({"size": 32}, {"size": {"height": 64, "width": 64}}),
    ],
)
def test_every_setting_of_pixels_is_compared(folder: Path, whole: dict[str, Any], part: dict[str, Any]) -> None:
    say(folder / "processor_config.json", image_processor=whole)
    say(folder / "preprocessor_config.json", **part)
    with pytest.raises(UsageError, match=rf"preprocessor_config\.json: says another {next(iter(part))} than"):
        check_files(folder, {})


def test_settings_that_make_the_same_pixels_are_no_two_views(folder: Path) -> None:
    more = {"image_mean": 0.5, "size": 32, "data_format": "channels_last", "return_tensors": "pt", "do_pad": None}
    said = {
        "image_mean": [0.5] * 3,
        "size": {"height": 32, "width": 32},
        "data_format": "channels_first",
        "do_pad": True,
    }
    say(folder / "processor_config.json", image_processor=more)
    say(folder / "preprocessor_config.json", **said)
    check_files(folder, {})


def test_two_chat_templates_that_differ_are_refused(tmp_path: Path) -> None:
    from tests.models import chats

    folder = chats.llava(tmp_path)
    template = (folder / "chat_template.jinja").read_text()
    say(folder / "chat_template.json", chat_template=template)
    say(folder / "tokenizer_config.json", chat_template="of words alone")
    check_one_template(folder)
    for name in ("chat_template.json", "processor_config.json"):
        say(folder / name, chat_template=f"{template} And more.")
        with pytest.raises(UsageError, match=rf"{name}.* and chat_template\.jinja hold chat templates that differ"):
            load_model(str(folder))
        say(folder / name, chat_template=template)


# Adapters and quantized weights


def lora(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    head = QUERY.removesuffix(".weight")
    width = len(weights[QUERY])
    return {f"{head}.lora_A.weight": torch.ones(2, width), f"{head}.lora_B.weight": torch.ones(width, 2)}


@pytest.mark.parametrize("lacks", [(), (QUERY,)])
@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_model.bin", None])
def test_an_adapter_beside_its_base_is_refused(folder: Path, name: str | None, lacks: tuple[str, ...]) -> None:
    """Also where the base is not whole: with peft installed, transformers does not report what it lacks."""
    whole = kept(folder)
    write(folder / WHOLE, {name: weight for name, weight in whole.items() if name not in lacks})
    say(folder / "adapter_config.json", peft_type="LORA", base_model_name_or_path="some/base", r=2)
    if name:
        held = {f"base_model.model.{one}": weight for one, weight in lora(whole).items()}
        write(folder / name, held) if name.endswith(".safetensors") else torch.save(held, folder / name)
    with pytest.raises(
        UsageError, match=r"adapter_config\.json: an adapter of some/base[.,] .* name \S+\+ADAPTER for both"
    ):
        check_files(folder, {})


@pytest.mark.parametrize(("more", "kind"), [("lora_A.weight", "an adapter"), ("weight_scale_inv", "quantized weights")])
def test_what_belongs_to_other_than_plain_weights_is_refused(folder: Path, more: str, kind: str) -> None:
    write(folder / WHOLE, kept(folder) | {QUERY.removesuffix("weight") + more: torch.ones(2, 2)})
    with pytest.raises(UsageError, match=rf"does not read, \S+{more}\. \S+{more}: these belong to {kind}"):
        load_model(str(folder))


def test_weights_that_no_part_of_the_network_reads_are_refused(folder: Path) -> None:
    write(folder / WHOLE, kept(folder) | {"value_head.weight": torch.ones(2)})
    with pytest.raises(UsageError, match=r"the weights have, and CLIPModel does not read, value_head\.weight\.$"):
        load_model(str(folder))


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.int8])
def test_weights_in_a_format_that_says_nothing_without_a_scale_are_refused(folder: Path, kind: torch.dtype) -> None:
    plain = kept(folder)
    write(folder / WHOLE, plain | {QUERY: torch.ones_like(plain[QUERY]).to(kind)})
    said = str(kind).removeprefix("torch.")
    with pytest.raises(
        UsageError,
        match=rf"{QUERY}: these are {said}, so quantized, and no scale is read\. Accepted: float16, bfloat16",
    ):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"quantization_config": {"quant_method": "mine"}},
            r"config\.json: .* quant_method 'mine' cannot be read\. Unkn",
        ),
        ({"quantization_config": "x"}, r"config\.json: \"quantization_config\" is 'x'; it has to be an object"),
        ({"quantization_config": [1]}, r'"quantization_config" is \[1\]; it has to be an object'),
        (
            {"compression_config": {"quant_method": "compressed-tensors"}},
            '"compression_config" is not read; accepted: "quantization_config" in its place',
        ),
        ({"quantization_config": {"bits": 4}}, r"quant_method None cannot be read"),
        ({"text_config": {"quantization_config": {"quant_method": "mine"}}}, "quant_method 'mine' cannot be read"),
        (
            {"vision_config": {"quantization_config": {"quant_method": "fp8"}}},
            r'config\.json: "quantization_config" in "vision_config" is not read; it belongs at the top',
        ),
    ],
)
def test_a_way_of_quantizing_that_would_be_skipped_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_quantization(said, "config.json")


def test_an_unknown_way_of_quantizing_is_refused_before_anything_is_loaded(folder: Path) -> None:
    say(folder / "config.json", quantization_config={"quant_method": "mine"})
    with pytest.raises(UsageError, match=r"config\.json: .* quant_method 'mine' cannot be read"):
        load_model(str(folder))


def test_what_is_said_of_quantized_weights_is_followed(folder: Path) -> None:
    """In eight bits, whose scales stand beside them: about the scores of the weights before."""
    plain, right = kept(folder), scores(folder)
    scale = plain[QUERY].abs().max() / 448
    write(
        folder / WHOLE,
        plain | {QUERY: (plain[QUERY] / scale).to(torch.float8_e4m3fn), f"{QUERY}_scale_inv": scale[None, None]},
    )
    said = {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic", "dequantize": True}
    say(folder / "config.json", quantization_config=said)
    np.testing.assert_allclose(scores(folder), right, atol=0.02)
    write(folder / WHOLE, {name.removesuffix("_inv"): weight for name, weight in kept(folder).items()})
    with pytest.raises(UsageError, match=rf"does not read, {QUERY}_scale\."):
        load_model(str(folder))
    write(folder / WHOLE, {name: weight for name, weight in kept(folder).items() if name != f"{QUERY}_scale"})
    with pytest.raises(UsageError, match=rf"{QUERY}: these are float8_e4m3fn, so quantized, and no scale is read"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json", "hf_quant_config.json"])
def test_another_tool_s_word_for_quantized_weights_is_refused(folder: Path, name: str) -> None:
    say(folder / name, bits=4)
    with pytest.raises(UsageError, match=rf"{name}: says that the weights are quantized"):
        check_files(folder, {})


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


# The name of the kind


@pytest.mark.parametrize(
    ("family", "architecture", "accepted"),
    [("clip", "MetaClip2Model", "metaclip_2"), ("llava", "LlavaNextForConditionalGeneration", "llava_next")],
)
def test_a_config_that_names_two_kinds_is_refused(
    family: str, architecture: str, accepted: str, tmp_path: Path
) -> None:
    from tests.models import chats

    folder = (getattr(checkpoints, family, None) or getattr(chats, family))(tmp_path)
    say(folder / "config.json", architectures=[architecture])
    with pytest.raises(
        UsageError, match=rf'"model_type" \'\w+\' and "architectures" {architecture} differ; .*{accepted}'
    ):
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


# Folders that are none of transformers'


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def open_clip(folder: Path) -> None:
    empty(folder)
    torch.save({"visual.conv1.weight": torch.ones(2)}, folder / "open_clip_pytorch_model.bin")


def inner(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            shutil.copytree(folder, folder.parent / "new" / name)
        shutil.rmtree(folder)
        (folder.parent / "new").rename(folder)
        say(folder / "trainer_state.json", epoch=1)

    return change


def adapters_inside(folder: Path) -> None:
    empty(folder)
    (folder / "checkpoint-10").mkdir()
    say(folder / "checkpoint-10" / "adapter_config.json", r=2)


def diffusers(folder: Path) -> None:
    empty(folder)
    say(folder / "model_index.json", unet=[])


def original(folder: Path) -> None:
    empty(folder)
    torch.save({"model": {}}, folder / "ALBEF.pth")


def authors_own(folder: Path) -> None:
    empty(folder)
    say(folder / "params.json", dim=8)
    write(folder / "consolidated.safetensors", {"a": torch.ones(1)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (open_clip, "weights of open_clip, .* name the architecture, too: open_clip:ARCH/FILE"),
        (
            inner("checkpoint-500", "checkpoint-1000"),
            r"in its folders checkpoint-500, checkpoint-1000: .* e\.g\. .*checkpoint-1000",
        ),
        (inner("0_CLIPModel"), r"in its folders 0_CLIPModel: name one"),
        (adapters_inside, "Adapters are in its folders checkpoint-10: name one of them, e.g. "),
        (diffusers, "a pipeline of diffusers"),
        (original, r"holds ALBEF\.pth\. A checkpoint of a model's original code is named with its family: albef:PATH"),
        (authors_own, "layout of its authors' own code"),
        (empty, r"config\.json: no such file; a checkpoint of transformers has one\.$"),
    ],
)
def test_a_folder_without_a_config_is_told_for_what_it_is(folder: Path, change: Change, said: str) -> None:
    change(folder)
    with pytest.raises(UsageError, match=rf"config\.json: no such file; .*{said}|{said}"):
        load_model(str(folder))


def test_a_run_whose_own_folder_has_no_weights_points_to_its_checkpoints(folder: Path) -> None:
    shutil.copytree(folder, folder / "checkpoint-500")
    (folder / WHOLE).unlink()
    with pytest.raises(UsageError, match=rf"no weights; .* in its folders checkpoint-500: .* {folder}/checkpoint-500"):
        check_files(folder, {})


def test_a_file_in_the_place_of_its_folder_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=rf"model\.safetensors: a file; .* name the folder: {folder}\."):
        load_model(str(folder / WHOLE))
    open_clip(folder)
    with pytest.raises(UsageError, match=r"open_clip_pytorch_model\.bin: a file; .*weights of open_clip"):
        load_model(str(folder / "open_clip_pytorch_model.bin"))
