"""Every file of weights in a folder is read, says the same as what is read, or is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.models.loading.changed_folders import (
    PROJECTED,
    QUERY,
    WHOLE,
    Change,
    kept,
    moved,
    say,
    scores,
    write,
    write_shards,
)
from vlcheck.errors import UsageError
from vlcheck.models.loading.folder import check_files
from vlcheck.models.loading.load import load_model


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
