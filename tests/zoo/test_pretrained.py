"""The weights on the shelf are whole, or it is said which are not."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import vlcheck.cli.train
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.zoo import PLANTED, pretrained
from vlcheck.zoo.export import about, read_losses
from vlcheck.zoo.initial_weights import read_base
from vlcheck.zoo.recipe import RECIPES
from vlcheck.zoo.workspace import CHECKSUMS, SHARED

MOST = 4e6  # bytes a variant


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A shelf of one's own, to damage."""
    folder = tmp_path / "weights"
    shutil.copytree(pretrained.WEIGHTS, folder)
    monkeypatch.setattr(pretrained, "WEIGHTS", folder)
    return folder


@pytest.mark.parametrize("name", list(PLANTED))
def test_every_variant_is_there_whole_and_small_and_answers_to_its_name(name):
    assert pretrained.weights_of(name).stat().st_size <= MOST
    model = load_model(name)
    assert (model.name, model.metrics) == (name, {"mlm", "itm"})


@pytest.mark.parametrize("name", list(PLANTED))
def test_every_variant_is_of_its_recipe_and_from_the_control_that_is_there(name):
    base = read_base(pretrained.weights_of("tiny"), "tiny") if RECIPES[name].base else None
    card = (pretrained.WEIGHTS / f"{name}.md").read_text().splitlines()
    assert card[: len(about(RECIPES[name], base))] == about(RECIPES[name], base)
    assert read_losses(pretrained.WEIGHTS / f"{name}.losses.csv")[-1].step == RECIPES[name].steps


def test_no_two_variants_are_one():
    assert len({load_model(name).fingerprint for name in PLANTED}) == len(PLANTED)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:500] + b"?" + data[501:]],
    ids=["cut", "empty", "changed"],
)  # fmt: skip
def test_damaged_weights_are_not_loaded(copy, damage):
    path = copy / "tiny.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match=r"tiny\.safetensors: the weights are damaged: SHA-256 .*`vlcheck train tiny"):
        load_model("tiny")


@pytest.mark.parametrize("name", SHARED)
def test_a_changed_vocabulary_or_size_is_not_loaded(copy, name):
    (copy / name).write_text((copy / name).read_text().replace("4", "2").replace("left", "right"))
    with pytest.raises(UsageError, match=rf"{name}: the weights are damaged: .* Install vlcheck again;") as caught:
        load_model("tiny")
    assert "vlcheck train" not in str(caught.value)  # which needs that file itself


@pytest.mark.parametrize("name", ["tiny-mirror.safetensors", "vocab.txt", CHECKSUMS])
def test_missing_files_are_named(copy, name):
    (copy / name).unlink()
    said = rf"{name}: the weights cannot be read \(No such file or directory\)\. Install vlcheck again;"
    with pytest.raises(UsageError, match=said):
        load_model("tiny-mirror")


@pytest.mark.parametrize("content", [b"\xff", b"what", b"0" * 64 + b" one-space"])
def test_damaged_checksums_are_named(copy, content):
    (copy / CHECKSUMS).write_bytes(content)
    with pytest.raises(UsageError, match=rf"{CHECKSUMS}.*: .*(not UTF-8|not a checksum).* Install vlcheck again;"):
        load_model("tiny-mirror")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"?")], ids=["missing", "damaged"])
@pytest.mark.parametrize("name", ["tiny", "tiny-mirror"])
def test_weights_that_are_amiss_are_made_again_as_the_advice_has_it(copy, monkeypatch, name, damage):
    damage(copy / f"{name}.safetensors")
    with pytest.raises(UsageError) as caught:
        load_model(name)
    (advice,) = re.findall("`vlcheck (train .*)`", str(caught.value))
    short = replace(RECIPES[name], stages=(replace(RECIPES[name].stages[0], steps=1),), scenes=60, batch_size=4)
    monkeypatch.setattr(vlcheck.cli.train, "TRAINABLE", {name: short})
    done = CliRunner().invoke(vlcheck.cli.app, [*advice.split(), "--examined", "6"])
    assert done.exit_code == 0, done.output
    assert load_model(name).name == name


def test_an_unknown_variant_has_a_nearest_name():
    with pytest.raises(UsageError, match=r"'tiny-colour': no such model. Did you mean 'tiny-color'\?"):
        load_model("tiny-colour")


def test_nothing_is_said_after_a_variants_name():
    with pytest.raises(UsageError, match="takes nothing after its name; weights of your own are albef:PATH"):
        load_model("tiny:best")
