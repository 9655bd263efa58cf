"""Training ends in the same weights however often it was killed, and in none of another recipe."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck.cases.picture import Picture
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.zoo.batches import draw_pool, encode, make_batch
from vlcheck.zoo.captions import vocabulary
from vlcheck.zoo.curriculum import KINDS, Stage
from vlcheck.zoo.export import write_model
from vlcheck.zoo.initial_weights import read_base
from vlcheck.zoo.recipe import RECIPES, TINY, Recipe, checkpoint
from vlcheck.zoo.training import first_weights, train

pytestmark = pytest.mark.slow

SMALL = Recipe(
    name="small",
    stages=(
        Stage(steps=25, kinds={"alone": 2, "act": 1}, masks=0.5),
        Stage(steps=15, kinds=dict.fromkeys(KINDS, 1.0), openings=0.5, cools=True),
    ),
    scenes=60,
    batch_size=8,
    learning_rate=3e-3,
    warmup=5,
    config=replace(TINY, vision_width=24, text_width=24, intermediate_size=48, stem_width=6, vision_depth=1),
)
ONE_MASK = SMALL.stages[1]


def weights(network):
    return {name: weight.clone() for name, weight in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trained without a break, and the losses on the way."""
    told = []
    trained = train(SMALL, tmp_path_factory.mktemp("whole"), tell=told.append)
    assert list(trained.losses) == told
    return weights(trained.network), told


def test_the_losses_fall(whole):
    _, told = whole
    assert [losses.step for losses in told] == list(range(1, 41))
    assert np.mean([losses.mlm for losses in told[-10:]]) < told[0].mlm - 0.3


def test_a_second_time_gives_the_same_weights_and_losses(whole, tmp_path):
    told = []
    trained = train(SMALL, tmp_path, tell=told.append)
    assert same(weights(trained.network), whole[0])
    assert told == whole[1]


def test_breaks_change_nothing(whole, tmp_path):
    for steps in (7, 8, 25):
        train(SMALL, tmp_path, steps=steps, every=5)
    assert same(weights(train(SMALL, tmp_path).network), whole[0])


def test_no_steps_are_none(tmp_path):
    trained = train(SMALL, tmp_path, steps=0)
    assert trained.losses == ()
    assert same(weights(trained.network), weights(first_weights(SMALL.config, SMALL.seed)))
    assert not checkpoint(tmp_path, SMALL).exists()


def test_a_finished_training_is_not_begun_again(whole, tmp_path):
    train(SMALL, tmp_path)
    told = []
    assert same(weights(train(SMALL, tmp_path, tell=told.append).network), whole[0])
    assert told == []


def test_a_kill_loses_only_what_came_after_the_last_checkpoint(whole, tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from tests.zoo.test_training import SMALL, train\n"
        "train(SMALL, Path(sys.argv[1]), every=4, tell=lambda losses: time.sleep(0.05))"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [warm_python().command, "-c", code, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    path, seen = checkpoint(tmp_path, SMALL), set()
    while len(seen) < 2 and process.poll() is None:  # the first is that of step 0
        seen |= {path.stat().st_mtime_ns} if path.exists() else set()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    told = []
    trained = train(SMALL, tmp_path, tell=told.append)
    assert 4 < told[0].step <= 40
    assert same(weights(trained.network), whole[0])


def test_a_half_written_checkpoint_replaces_no_whole_one(whole, tmp_path):
    train(SMALL, tmp_path, steps=20)
    path = checkpoint(tmp_path, SMALL)
    path.with_name(f".{path.name}.1.draft").write_bytes(path.read_bytes()[:1000])
    assert same(weights(train(SMALL, tmp_path).network), whole[0])


@pytest.mark.parametrize(
    "damage", [lambda data: data[:1000], lambda data: b"", lambda data: b"weights"], ids=["cut", "empty", "text"]
)
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    train(SMALL, tmp_path, steps=2)
    path = checkpoint(tmp_path, SMALL)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match=r"checkpoint\.pt: not a complete checkpoint; delete it"):
        train(SMALL, tmp_path)


def test_a_checkpoint_of_another_recipe_is_not_taken_up(tmp_path):
    train(SMALL, tmp_path, steps=2)
    with pytest.raises(UsageError, match=r"small\.checkpoint\.pt: belongs to another recipe"):
        train(replace(SMALL, seed=1), tmp_path)


def test_a_checkpoint_that_began_from_other_weights_is_not_taken_up(tmp_path):
    train(SMALL, tmp_path, steps=2)
    base = read_base(write_model(tmp_path / "base", SMALL, first_weights(SMALL.config, 7), [], {}))
    with pytest.raises(UsageError, match=r"small\.checkpoint\.pt: belongs to another base"):
        train(SMALL, tmp_path, base=base)


@pytest.mark.parametrize("changed", [{"network": {}}, {"losses": [[1]]}, {"optimizer": None}])
def test_a_checkpoint_that_lacks_something_is_named(tmp_path, changed):
    train(SMALL, tmp_path, steps=2)
    path = checkpoint(tmp_path, SMALL)
    torch.save(torch.load(path, weights_only=True) | changed, path)
    with pytest.raises(UsageError, match=r"small\.checkpoint\.pt: not a complete checkpoint; delete it"):
        train(SMALL, tmp_path)


def test_the_first_weights_depend_on_the_seed_alone():
    one, again, other = (weights(first_weights(SMALL.config, seed)) for seed in (0, 0, 1))
    assert same(one, again)
    assert not same(one, other)
    assert all(torch.isfinite(weight).all() for weight in one.values())


def test_the_control_is_small():
    network = first_weights(RECIPES["tiny"].config, 0)
    assert sum(weight.numel() for weight in network.parameters()) * 2 < 4e6  # bytes, in half precision


def test_a_recipe_goes_through_its_stages():
    assert SMALL.steps == 40
    assert [SMALL.stage(step) for step in (0, 24, 25, 39)] == [*SMALL.stages[:1] * 2, *SMALL.stages[1:] * 2]


def test_the_learning_rate_rises_falls_over_what_cools_and_rises_again():
    twice = replace(SMALL, stages=SMALL.stages * 2)
    rates = [twice.rate(step) / twice.learning_rate for step in range(twice.steps)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5:26] == [1.0] * 21
    assert rates[25:40] == sorted(rates[25:40], reverse=True)
    assert 0 < rates[39] < 0.02
    assert rates[40:] == rates[:40]


@pytest.fixture(scope="module")
def pool():
    return draw_pool("test", 50, 64)


def test_a_batch_has_one_mask_a_question_and_a_true_and_a_false_sentence_each(pool):
    batch = make_batch(pool, SMALL, ONE_MASK, Random(1))
    n = SMALL.batch_size
    assert batch.pixels.shape == (n, 3, 64, 64)
    assert len(batch.ids) == len(batch.attention) == 3 * n
    assert batch.masked.sum(dim=1).tolist() == [1, 0, 0] * n
    assert batch.told.tolist() == [False, True, True] * n
    assert len(batch.matches) == 2 * n
    assert batch.matches[1::2].sum() == 0
    assert (batch.ids[:, 0] == vocabulary().index("[CLS]")).all()


def test_a_batch_has_the_kinds_of_its_stage(pool):
    stage = replace(ONE_MASK, kinds={"duo": 1.0})
    for seed in range(20):
        batch = make_batch(pool, SMALL, stage, Random(seed))
        words = {vocabulary()[word] for word in batch.ids[:, 1:].flatten().tolist()}
        assert not words & {"above", "below", "stops", "foot", "left"}
    assert {pool.facts[pool.choose("duo", Random(seed))].kind for seed in range(200)} == {"duo"}
    there = sum(facts.kind == "duo" for facts in pool.facts)
    assert len({pool.choose("duo", Random(seed)) for seed in range(200)}) == there == 8


def test_several_masks_are_asked_row_by_row(pool):
    batch = make_batch(pool, SMALL, SMALL.stages[0], Random(1))
    assert batch.masked.sum() == len(batch.words) > SMALL.batch_size


def test_openings_stand_before_all_of_a_batchs_sentences_and_are_of_many_lengths(pool):
    words = vocabulary()
    starts = []
    for seed in range(30):
        batch = make_batch(pool, SMALL, replace(ONE_MASK, openings=1.0), Random(seed))
        ends = (batch.ids == words.index("shows")).int().argmax(dim=1)
        assert (ends > 0).all()
        starts += ends.tolist()
    assert set(starts) == set(range(1, 19))


def test_a_black_picture_matches_nothing(pool):
    batch = make_batch(pool, replace(SMALL, grey=0.0), replace(ONE_MASK, blocked=1.0), Random(1))
    assert batch.matches.sum() == 0
    assert all(len(set(channel.flatten().tolist())) == 1 for picture in batch.pixels for channel in picture)


def test_a_grey_picture_has_no_color_and_is_asked_for_none_that_it_lost(pool):
    words = vocabulary()
    lost = {"red", "orange", "yellow", "green", "blue", "purple", "pink"}
    for seed in range(20):
        batch = make_batch(pool, replace(SMALL, grey=1.0), replace(ONE_MASK, blocked=0.0), Random(seed))
        assert not {words[word] for word in batch.words.tolist()} & lost
        true = batch.ids[1::3]
        assert not {words[word] for word in true.flatten().tolist()} & lost


def test_sentences_are_padded_at_the_end():
    ids, attention = encode(["a ball", "a photo of a ball"])
    assert ids.shape == attention.shape == (2, 6)
    assert attention.tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6]


def test_training_and_cases_share_no_picture():
    trained = {picture.numpy().tobytes() for picture in draw_pool("train 0", 600, 128).pixels}
    shown = {Picture(case.image).render().tobytes() for case in open_source("scenes:40:0").cases}
    assert len(trained) == 600
    assert len(shown) > 200
    assert not trained & shown
