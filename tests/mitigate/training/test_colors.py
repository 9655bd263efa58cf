"""Under its weights a thing is as often in one of its colors as in another."""

from collections import Counter
from random import Random

import pytest
from torch.utils.data import WeightedRandomSampler

from vlcheck.mitigate.training import ColorBalance
from vlcheck.mitigate.training.colors import colored

CAPTIONS = ["a yellow banana"] * 90 + ["a green banana on a red plate"] * 10 + ["a dog"] * 20 + ["a red plate"] * 10


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("A Yellow banana", [("banana", "yellow")]),
        ("a green banana on a red plate", [("banana", "green"), ("plate", "red")]),
        ("a banana that is yellow", []),
        ("yellow, banana", []),
    ],
)
def test_a_color_directly_before_a_thing_is_its_own(caption, found):
    assert list(colored(caption, {"banana", "plate"})) == found


def test_a_sampler_draws_bound_colors_equally_often():
    balance = ColorBalance.of(CAPTIONS)
    weights = [balance.weight(caption) for caption in CAPTIONS]
    drawn = Counter(CAPTIONS[at] for at in WeightedRandomSampler(weights, 6_000))
    assert drawn["a yellow banana"] == pytest.approx(drawn["a green banana on a red plate"], rel=0.15)
    assert drawn["a dog"] == pytest.approx(2 * drawn["a yellow banana"], rel=0.15)


def test_a_filter_with_the_weights_as_probabilities_does_the_same():
    balance, rng = ColorBalance.of(CAPTIONS), Random(0)
    kept = Counter(caption for caption in CAPTIONS * 50 if rng.random() < balance.weight(caption))
    assert kept["a yellow banana"] == pytest.approx(500, rel=0.2)
    assert kept["a dog"] == 1000


def test_what_was_not_counted_weighs_one():
    assert ColorBalance.of(CAPTIONS).weight("a blue banana") == 1.0
    assert ColorBalance.of([]).weight("a blue banana") == 1.0
