"""The stored figures of parity are of this code, and are what the issue of sameness demands."""

import json

import pytest

from benchmarks.parity import (
    FAULTY_SHARES,
    MARGINS,
    NOISY_RUNS,
    RESULTS,
    RUNS,
    SEEDS,
    SHARED_IMAGES,
    Caught,
    Ended,
    bound,
    cells,
    simulated,
    with_share,
)
from benchmarks.parity_chat import CHAT_FAULTS
from benchmarks.parity_faults import FAULTS, MILD


@pytest.fixture(scope="module")
def stored():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def at_margin(stored):
    return [Ended(**one) for one in stored["at_margin"]]


def test_each_criterion_is_simulated_at_its_margin_alone_and_with_the_others(at_margin):
    assert [(one.what, one.shape) for one in at_margin] == [(what, shape) for what, shape, _ in cells()]
    assert {one.runs for one in at_margin} == {RUNS} == {2000}
    assert {one.what for one in at_margin} == {"changed", "shift", "difference", "all"}


def test_a_pair_at_the_margin_is_called_the_same_or_different_in_at_most_5_percent(at_margin):
    for one in at_margin:
        assert one.same <= MARGINS.alpha * RUNS, one
        assert one.different <= MARGINS.alpha * RUNS, one
    assert max(one.same for one in at_margin) > 0


@pytest.mark.parametrize(("what", "shape"), [("changed", "whole"), ("shift", "constant")])
def test_a_cell_is_measured_again(at_margin, what, shape):
    draws = next(its for name, kind, its in cells() if (name, kind) == (what, shape))
    first = simulated(what, shape, draws, runs=RUNS)
    assert first == next(one for one in at_margin if (one.what, one.shape) == (what, shape))


def test_a_fault_in_a_share_of_the_images_beyond_the_margins_is_seldom_called_the_same(stored):
    found = [Ended(**one) for one in stored["shares"]]
    assert [(one.what, one.n) for one in found] == [(f"{each:g}", n) for n in SHARED_IMAGES for each in FAULTY_SHARES]
    for one in found:
        assert one.runs == NOISY_RUNS
        assert float(one.what) < MARGINS.shift or one.same <= bound(one.runs) * one.runs, one
    assert found[0] == with_share(FAULTY_SHARES[0], SHARED_IMAGES[0])


def test_a_model_is_the_same_as_itself_with_the_noise_of_a_server(stored):
    noisy = [Ended(**one) for one in stored["noise"]]
    assert len(noisy) == 3
    for one in noisy:
        assert one.n == 200
        assert one.same >= 0.9 * one.runs, one
        assert one.different <= 0.05 * one.runs, one


def test_a_model_is_the_same_as_itself_in_other_batches(stored):
    (again,) = (Caught(**one) for one in stored["same"])
    assert (again.same, again.n) == (again.seeds, 200)


def test_each_planted_fault_is_caught_in_every_seed(stored):
    found = {one.fault: one for one in (Caught(**each) for each in stored["faults"])}
    assert found.keys() == {*FAULTS, *MILD}
    for name in FAULTS:
        assert found[name].different == found[name].seeds == SEEDS == 20, name
    chat = {one.fault: one for one in (Caught(**each) for each in stored["chat"])}
    assert chat.keys() == {*CHAT_FAULTS}
    for name in CHAT_FAULTS:
        assert chat[name].different == chat[name].seeds == SEEDS, name
