"""A training begins with weights that are whole, and the card says whose they are."""

import hashlib

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.zoo.test_training import SMALL, same, weights
from vlcheck.errors import UsageError
from vlcheck.zoo.export import about, write_model
from vlcheck.zoo.initial_weights import read_base
from vlcheck.zoo.pretrained import WEIGHTS
from vlcheck.zoo.recipe import checkpoint
from vlcheck.zoo.training import first_weights, train


@pytest.fixture
def mine(tmp_path):
    """Weights of one's own, of another seed."""
    return write_model(tmp_path / "mine", SMALL, first_weights(SMALL.config, 7), [], {})


def changed(path, **to):
    save_file(load_file(path) | to, path)
    return path


def test_a_training_begins_with_its_base(mine, tmp_path):
    trained = train(SMALL, tmp_path, base=read_base(mine), steps=0)
    assert same(weights(trained.network), {key: weight.float() for key, weight in load_file(mine).items()})


def test_the_card_says_which_weights_it_began_with(mine):
    digest = hashlib.sha256(mine.read_bytes()).hexdigest()
    said = "- Made by: `vlcheck train small`, 40 steps"
    assert f"{said}, from `--base small.safetensors` (SHA-256 {digest})" in about(SMALL, read_base(mine))
    assert f"{said}, from tiny (SHA-256 {digest})" in about(SMALL, read_base(mine, "tiny"))
    assert said in about(SMALL, None)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), r"cannot be read \(Is a directory\)"),
        (lambda path: None, r"cannot be read \(No such file or directory\)"),
        (lambda path: path.write_text("weights"), "damaged, or not a safetensors file"),
        (lambda path: path.write_bytes(b""), "damaged, or not a safetensors file"),
        (lambda path: path.write_bytes((WEIGHTS / "tiny.safetensors").read_bytes()[:-1]), "damaged, or not"),
        (lambda path: torch.save({"weight": torch.zeros(2)}, path), "damaged, or not a safetensors file"),
        (lambda path: save_file({"weight": torch.zeros(2)}, path), "not the weights of a network of this size"),
        (lambda path: path.symlink_to(WEIGHTS / "tiny.safetensors"), "not the weights of a network of this size"),
    ],
    ids=["folder", "missing", "text", "empty", "cut", "pickle", "of something else", "of another size"],
)
def test_a_base_that_cannot_be_used_is_named_with_what_can(make, said, tmp_path):
    make(tmp_path / "base")
    with pytest.raises(UsageError, match=rf"^base={tmp_path}/base: {said}.*; accepted: the \.safetensors file that"):
        train(SMALL, tmp_path / "to", base=read_base(tmp_path / "base"))
    assert not checkpoint(tmp_path / "to", SMALL).exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_base_that_is_not_finite_is_refused(bad, mine):
    changed(mine, **{"itm_head.bias": torch.tensor([0.0, bad])})
    with pytest.raises(UsageError, match=r"small\.safetensors: itm_head\.bias holds numbers that are not finite"):
        read_base(mine)


@pytest.mark.parametrize(
    ("key", "head"), [("itm_head.weight", "itm"), ("text_encoder.cls.predictions.decoder.weight", "mlm")]
)
def test_a_loss_that_is_no_number_ends_the_training(mine, tmp_path, key, head):
    shape = load_file(mine)[key].shape
    changed(mine, **{key: torch.full(shape, 3e38)})
    told = []
    with pytest.raises(UsageError, match=rf"^step 1: the {head} loss is (nan|inf), which no later step would mend"):
        train(SMALL, tmp_path, base=read_base(mine), tell=told.append)
    assert told == []
