"""The rule from maps to a cause, on counts and on maps made by hand."""

from random import Random

import numpy as np
import pytest
from scipy.stats import wilcoxon

from tests.explain.bench.maps import explanation, image_map
from vlcheck.explain.bench.planted import CAUSES, PLANTED_CAUSES
from vlcheck.explain.bench.rule import ALPHA, name_cause, signed_rank_p
from vlcheck.explain.bench.trials import USUAL, biased_ranks, make_trial
from vlcheck.zoo import CONTROL, PLANTED
from vlcheck.zoo.planted_biases import BoundColors

MATCH, NO_MATCH = [3.0, 1.0, 2.0, 2.0], [-1.0, -3.0, 0.0, -2.0]


def test_the_statement_names_what_was_planted():
    stated = {model: frozenset({planted.cause}) for model, planted in PLANTED_CAUSES.items()}
    assert stated | {CONTROL: frozenset()} == PLANTED


def test_usual_colors_are_those_that_were_planted():
    assert USUAL == BoundColors.OWN


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ({"color": 167}, "color"),
        ({"color": 166}, None),
        ({"color": 170, "order": 180}, "order"),
        ({"color": 180, "order": 180}, None),
        ({}, None),
    ],
    ids=["shown", "may be noise", "the most", "two share the first place", "none"],
)
def test_the_rule_names_the_cause_that_is_shown_most(counts, cause):
    """Ranks of 20 trials that sum to 167 of 210 or more have a probability below 1 % under chance, 166 have not."""
    assert name_cause(dict.fromkeys(CAUSES, 105) | counts, trials=20) == cause


def test_ranks_are_tested_as_wilcoxon_did():
    leanings = np.random.default_rng(1).normal(0.4, 1, 30)
    expected = wilcoxon(leanings, alternative="greater", method="exact")
    assert biased_ranks(leanings) == expected.statistic
    assert signed_rank_p(biased_ranks(leanings), 30) == pytest.approx(expected.pvalue, rel=1e-9)
    assert signed_rank_p(0, 30) == pytest.approx(1)


def test_trials_that_lean_to_neither_side_count_half():
    assert biased_ranks([0.0, 0.0]) == 1.5
    assert biased_ranks([0.0, 1.0, -3.0]) == 2.5


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("biased", [True, False])
def test_honest_maps_name_the_cause_and_no_other(cause, biased):
    """Trials of the cause come out as the model's bias has it, the others as those of a sound model."""
    ranks = {one: biased_ranks([*leanings(one, biased=biased and one == cause)]) for one in CAUSES}
    assert ranks == dict.fromkeys(CAUSES, 0) | {cause: 210 * biased}
    assert name_cause(ranks, trials=20) == (cause if biased else None)


def leanings(cause, *, biased):
    for number in range(20):
        trial = make_trial(cause, Random(f"{cause} {number}"))
        yield trial.leaning(explained(cause, biased=biased))


def explained(cause, *, biased):
    """Return what an honest method says of a trial's pairs, for a model with the bias or without it."""
    sound = cause in ("color", "place")  # a sound model sees the doubtful pair as a match
    matches = (sound != biased, sound, not sound)
    words = {True: [("a", 0.1), ("ball", 2.0)], False: [("a", 0.1), ("ball", -1.0)]}
    return [explanation(image_map(MATCH if match else NO_MATCH), words[match]) for match in matches]


@pytest.mark.parametrize("cause", CAUSES)
def test_noise_names_no_cause(cause):
    noise = np.random.default_rng(0)
    trials = [make_trial(cause, Random(number)) for number in range(100)]
    leaning = [trial.leaning([explanation(image_map(noise.random(64))) for _ in trial.pairs]) for trial in trials]
    assert 30 <= sum(one > 0 for one in leaning) <= 70
    assert 0.01 < signed_rank_p(biased_ranks(leaning), 100) < 0.99


def test_noise_shows_a_cause_as_often_as_the_rule_says():
    """Supports of 40 trials, 2,000 times: the distances to two of three equal draws."""
    doubtful, sound, biased = np.random.default_rng(2).gamma(0.5, size=(3, 2000, 40))
    leanings = abs(doubtful - sound) - abs(doubtful - biased)
    shown = np.mean([signed_rank_p(biased_ranks(one), 40) < ALPHA for one in leanings])
    assert 0.005 < shown < 0.016
