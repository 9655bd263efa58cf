from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.models.conftest import REFERENCE
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint

WEIGHTS = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}


class Payload:
    """What a malicious checkpoint holds: unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.target,)


def test_a_file_that_git_did_not_fetch_is_told(tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.pth"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
        with pytest.raises(UsageError, match=rf"{name}: a pointer of Git LFS, .* git lfs pull"):
            read_checkpoint(tmp_path / name)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".th", ".bin", ".ckpt"])
def test_a_flat_file_is_read(suffix: str, tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / f"flat{suffix}")
    checkpoint = read_checkpoint(tmp_path / f"flat{suffix}")
    assert torch.equal(checkpoint.weights["a"], WEIGHTS["a"])
    assert not checkpoint.config


def test_a_wrapped_file_tells_its_config() -> None:
    checkpoint = read_checkpoint(REFERENCE / "checkpoint_29.pth")
    assert len(checkpoint.weights) == 292
    assert checkpoint.config["image_res"] == 64


@pytest.mark.parametrize("wrapper", ["model_state_dict", "state_dict"])
def test_a_file_to_resume_training_from_is_read(tmp_path: Path, wrapper: str) -> None:
    torch.save({wrapper: WEIGHTS, "global_step": 3}, tmp_path / "resume.bin")
    checkpoint = read_checkpoint(tmp_path / "resume.bin")
    assert checkpoint.weights.keys() == WEIGHTS.keys()
    assert torch.equal(checkpoint.weights["b"], WEIGHTS["b"])


def test_a_file_of_the_old_format_is_read(tmp_path: Path) -> None:
    torch.save({"model": WEIGHTS}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_checkpoint(tmp_path / "old.pth").weights["b"], WEIGHTS["b"])


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "flat.safetensors")
    assert torch.equal(read_checkpoint(tmp_path / "flat.safetensors").weights["b"], WEIGHTS["b"])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused_unread(zipped: bool, tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "evil.pth"
    torch.save({"model": Payload(victim)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UsageError, match=r"evil\.pth: a pickle that wants to run code \(posix\.mkdir\).*safetensors"):
        read_checkpoint(path)
    assert not victim.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_plain_pickle_is_refused_unread(protocol: int, tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "plain.pt"
    path.write_bytes(pickle.dumps(Payload(victim), protocol))
    with pytest.raises(UsageError, match=r"run code .*safetensors"):
        read_checkpoint(path)
    assert not victim.exists()


def test_an_object_that_is_no_tensor_is_named(tmp_path: Path) -> None:
    torch.save({"model": WEIGHTS, "args": argparse.Namespace(lr=1)}, tmp_path / "args.pth")
    with pytest.raises(UsageError, match=r"argparse\.Namespace"):
        read_checkpoint(tmp_path / "args.pth")


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file_is_called_so(zipped: bool, kept: float, tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    torch.save({"model": {"a": torch.randn(500)}}, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(UsageError, match=r"cut\.pth: (truncated|damaged)"):
        read_checkpoint(path)


def test_a_truncated_safetensors_file_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_file(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UsageError, match=r"cut\.safetensors: truncated"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_text_file_is_no_checkpoint(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"page{suffix}"
    path.write_text("<!doctype html>\n<title>Not found</title>\n")
    with pytest.raises(UsageError, match=r"not a (PyTorch checkpoint|safetensors file)"):
        read_checkpoint(path)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_tensor_that_is_larger_than_its_file_is_refused(wrapped: bool, tmp_path: Path) -> None:
    """It repeats a number a trillion times: whoever copies it takes 4 TB."""
    weights = {"a": torch.ones(1).expand(10**6, 10**6)}
    torch.save({"model": weights} if wrapped else weights, tmp_path / "large.pth")
    with pytest.raises(UsageError, match=r"large\.pth: a is said to be \(1000000, 1000000\), more than the file holds"):
        read_checkpoint(tmp_path / "large.pth")


@pytest.mark.parametrize("weight", [torch.ones(3, device="meta"), torch.eye(3).to_sparse()], ids=["meta", "sparse"])
def test_what_is_no_plain_array_is_refused(weight: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"a": weight}, tmp_path / "odd.pth")
    with pytest.raises(UsageError, match=r"odd\.pth: (a is not a plain array of numbers|.*pickle)"):
        read_checkpoint(tmp_path / "odd.pth")


def test_a_compressed_checkpoint_is_not_unfolded(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, tmp_path / "plain.pth")
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as plain,
        zipfile.ZipFile(tmp_path / "small.pth", "w", zipfile.ZIP_DEFLATED) as small,
    ):
        for name in plain.namelist():
            small.writestr(name, plain.read(name))
    with pytest.raises(UsageError, match=r"small\.pth: is compressed, and torch\.save never compresses"):
        read_checkpoint(tmp_path / "small.pth")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "none.pth").touch()
    with pytest.raises(UsageError, match="empty"):
        read_checkpoint(tmp_path / "none.pth")


@pytest.mark.parametrize(
    "content",
    [[torch.ones(1)], {"model": {"a": 1}}, {"model_state_dict": {}}, {"state_dict": {}}, {}, {3: torch.ones(1)}],
)
def test_what_is_no_state_dict_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(UsageError, match="state dict"):
        read_checkpoint(tmp_path / "odd.pth")


@pytest.mark.parametrize(
    ("name", "complaint"), [("gone.pth", "no such checkpoint"), ("", "is a folder"), ("x.onnx", "accepted: .pth")]
)
def test_a_path_that_leads_to_no_checkpoint_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").touch()
    with pytest.raises(UsageError, match=complaint):
        read_checkpoint(tmp_path / name)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("ema", dict),
        ("model_ema", lambda moved: {"decay": 0.99, "module": moved}),
        ("averaged", lambda moved: {f"module.{name}": weight for name, weight in moved.items()}),
    ],
)
def test_two_sets_of_weights_in_one_file_are_refused(key: str, other: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "two.pth"
    torch.save({"model": WEIGHTS, key: other(WEIGHTS), "optimizer": {"exp_avg": {"a": torch.zeros(3)}}}, path)
    assert read_checkpoint(path).weights.keys() == WEIGHTS.keys()
    torch.save({"model": WEIGHTS, key: other({name: weight + 1 for name, weight in WEIGHTS.items()})}, path)
    with pytest.raises(UsageError, match=rf"two\.pth: holds two sets of weights, under 'model' and under '{key}"):
        read_checkpoint(path)
