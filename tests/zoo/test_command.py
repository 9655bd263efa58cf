"""`vlcheck train`, as typed, on a recipe that takes a second."""

import pytest
from typer.testing import CliRunner

import vlcheck.cli.train
from tests.zoo.test_training import SMALL
from vlcheck.models.loading.load import load_model
from vlcheck.zoo.pretrained import WEIGHTS

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(vlcheck.cli.train, "TRAINABLE", {"small": SMALL})
    return lambda *arguments: CliRunner().invoke(vlcheck.cli.app, ["train", "--examined", "300", *map(str, arguments)])


def test_training_ends_with_weights_that_can_be_asked_and_what_they_know(run, tmp_path):
    done = run("small", "--to", tmp_path)
    assert done.exit_code == 0, done.output
    assert f"weights: {tmp_path}/small.safetensors" in done.output
    assert "% right of 300 held out" in done.output
    assert load_model(f"albef:{tmp_path}/small.safetensors").metrics == {"mlm", "itm"}


def test_a_second_call_goes_on_and_ends_in_the_same_weights(run, tmp_path):
    run("small", "--to", tmp_path / "whole")
    stopped = run("small", "--to", tmp_path / "parts", "--steps", 10)
    assert f"stopped on the way, at {tmp_path}/parts/small.checkpoint.pt" in stopped.output
    assert not (tmp_path / "parts" / "small.safetensors").exists()
    run("small", "--to", tmp_path / "parts")
    whole, parts = ((tmp_path / name / "small.safetensors").read_bytes() for name in ("whole", "parts"))
    assert whole == parts


def test_a_folder_that_cannot_be_made_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("small", "--to", tmp_path / "file" / "folder", "--steps", 1)
    assert done.exit_code == 4
    assert str(tmp_path / "file" / "folder") in done.output


def test_a_base_that_is_not_there_is_named(run, tmp_path):
    done = run("small", "--to", tmp_path, "--base", tmp_path / "none.safetensors")
    assert done.exit_code == 4
    assert f"--base {tmp_path}/none.safetensors: cannot be read (No such file or directory)" in done.output


def test_a_base_of_another_size_is_named(run, tmp_path):
    done = run("small", "--to", tmp_path, "--base", WEIGHTS / "tiny.safetensors")
    assert done.exit_code == 4
    assert "tiny.safetensors: not the weights of a network of this size" in done.output


def test_a_base_that_would_be_overwritten_is_refused(run, tmp_path):
    assert run("small", "--to", tmp_path).exit_code == 0
    done = run("small", "--to", tmp_path, "--base", tmp_path / "." / "small.safetensors")
    assert done.exit_code == 4
    assert (
        f"--base {tmp_path}/small.safetensors: is what would be written; name another folder with --to" in done.output
    )


def test_weights_of_ones_own_are_what_the_card_names(run, tmp_path):
    run("small", "--to", tmp_path / "first")
    run("small", "--to", tmp_path / "second", "--base", tmp_path / "first" / "small.safetensors")
    assert "40 steps, from `--base small.safetensors` (SHA-256 " in (tmp_path / "second" / "small.md").read_text()
