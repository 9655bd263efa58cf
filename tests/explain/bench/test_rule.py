"""The rule from maps to a cause, on counts and on maps made by hand."""

from random import Random

import numpy as np
import pytest

from tests.explain.bench.maps import explanation, image_map
from vlcheck.explain.bench.planted import CAUSES, PLANTED_CAUSES
from vlcheck.explain.bench.rule import name_cause
from vlcheck.explain.bench.trials import USUAL, make_trial
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
        ({"color": 16}, "color"),
        ({"color": 15}, None),
        ({"color": 17, "order": 18}, "order"),
        ({"color": 18, "order": 18}, None),
        ({}, None),
    ],
    ids=["shown", "may be noise", "the most", "two share the first place", "none"],
)
def test_the_rule_names_the_cause_that_is_shown_most(counts, cause):
    """16 of 20 or more have a probability below 1 % under chance, 15 have not."""
    assert name_cause(dict.fromkeys(CAUSES, 10) | counts, trials=20) == cause


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("biased", [True, False])
def test_honest_maps_name_the_cause_and_no_other(cause, biased):
    """Trials of the cause come out as the model's bias has it, the others as those of a sound model."""
    counts = {one: sum(outcomes(one, biased=biased and one == cause)) for one in CAUSES}
    assert counts == dict.fromkeys(CAUSES, 0) | {cause: 20 * biased}
    assert name_cause(counts, trials=20) == (cause if biased else None)


def outcomes(cause, *, biased):
    for number in range(20):
        trial = make_trial(cause, Random(f"{cause} {number}"))
        yield trial.is_biased(explained(cause, biased=biased))


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
    biased = [trial.is_biased([explanation(image_map(noise.random(64))) for _ in trial.pairs]) for trial in trials]
    assert 30 <= sum(biased) <= 70
