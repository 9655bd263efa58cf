"""Proof that the tests fire: every planted bias is caught in every seed, and nothing else is."""

import os

import pytest

from vlcheck.matrix import BIASES, make_matrix
from vlcheck.suite import policy_path, suite_folder
from vlcheck.zoo import CONTROL, PLANTED

SEEDS, IMAGES = 5, 200


@pytest.fixture(scope="module")
def matrix():
    suite = suite_folder() / "behavior_tests"
    return make_matrix(suite, policy_path(), variants=PLANTED, seeds=SEEDS, images=IMAGES, jobs=os.cpu_count() or 1)


def test_everything_is_asked_of_every_variant(matrix):
    assert matrix.variants == list(PLANTED)
    assert tuple(matrix.biases) == BIASES
    assert all(len(one.seeds) == SEEDS for one in matrix.tested)
    asked = {(one.behavior, one.metric) for one in matrix.cell(CONTROL, "position")}
    assert len(asked) > 10


def test_what_is_planted_is_caught_and_nothing_else_fails(matrix):
    assert list(matrix.amiss()) == []


def test_the_controls_violations_are_few_over_all_images(matrix):
    for one in matrix.tested:
        if one.variant == CONTROL and one.together.rate is not None:
            assert one.together.rate <= 0.02, (one.behavior, one.metric)
