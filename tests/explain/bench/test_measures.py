"""Pointing, energy and words, on maps made by hand."""

import numpy as np
import pytest

from tests.explain.bench.maps import explanation, image_map
from vlcheck.explain.bench.measures import energy, pointing, word_precedence

LEFT = np.zeros((4, 4), dtype=bool)
LEFT[:, :2] = True


@pytest.mark.parametrize(
    ("values", "points", "share"),
    [([3, 1, 0, 0], 1.0, 0.75), ([1, 3, 0, 0], 0.0, 0.25), ([2, 2, 0, 0], 0.5, 0.5), ([-1, -3, 2, 0], 1.0, 1.0)],
    ids=["on it", "beside it", "both", "what speaks against it is left out"],
)
def test_a_map_points_at_a_thing_or_not(values, points, share):
    """Four patches; the thing is the left half."""
    assert pointing(image_map(values), LEFT) == points
    assert energy(image_map(values), LEFT) == pytest.approx(share)


def test_a_map_without_any_values_is_even():
    quarter = LEFT.copy()
    quarter[:2] = False
    assert pointing(image_map([0, 0, 0, 0]), quarter) == 0.25
    assert energy(image_map([0, -1, 0, 0]), quarter) == 0.25


@pytest.mark.parametrize(("own", "precedence"), [(-0.9, 1.0), (0.4, 0.75), (0.1, 0.0)])
def test_a_word_comes_before_others_by_the_size_of_its_value(own, precedence):
    words = [("a", 0.4), ("red", -0.2), ("ball", own)]
    assert word_precedence(explanation(image_map([1]), words), "ball") == precedence


def test_the_marks_of_tokenizers_are_no_part_of_a_word():
    words = [("\u2581a", 0.4), ("ball</w>", 0.5)]
    assert word_precedence(explanation(image_map([1]), words), "ball") == 1.0


def test_special_tokens_are_no_words():
    found = explanation(image_map([1]), [("a", 0.4), ("ball", 0.5)])
    found.token_values[0] = 9.0
    assert word_precedence(found, "ball") == 1.0


def test_without_values_or_without_the_word_there_is_no_precedence():
    assert word_precedence(explanation(image_map([1])), "ball") is None
    assert word_precedence(explanation(image_map([1]), [("a", 0.4)]), "ball") is None
    assert word_precedence(explanation(image_map([1]), [("ball", 0.4)]), "ball") is None
