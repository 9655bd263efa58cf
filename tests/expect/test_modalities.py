"""Shapley values of the two modalities, and the shares of what speaks for a match."""

import numpy as np
import pytest

from tests.expect.test_expect import TOLERANCES, sample
from vlcheck.expect import NeitherAlone
from vlcheck.expect.base import AFTER, BEFORE, WHOLE
from vlcheck.expect.modalities import NEITHER, PICTURE_ALONE, ModalityScores
from vlcheck.explain.mm_shap.shapley import enumerate_coalitions
from vlcheck.metrics.reading import Unlikely


def margin(both, text, picture, neither):
    readings = {BEFORE: both, AFTER: text, PICTURE_ALONE: picture, NEITHER: neither}
    return NeitherAlone().margins(sample(readings), TOLERANCES)[WHOLE]


@pytest.mark.parametrize("seed", range(5))
def test_their_values_are_the_shapley_values_of_a_game_of_two(seed):
    both, text, picture, neither = np.random.default_rng(seed).random(4)
    values = {(True, True): both, (True, False): text, (False, True): picture, (False, False): neither}
    exact = enumerate_coalitions(lambda present: np.array([values[tuple(row)] for row in present.tolist()]), 2)
    scores = ModalityScores(both, text, picture, neither)
    assert (scores.of_text, scores.of_picture) == pytest.approx(exact.phi)
    assert scores.of_text + scores.of_picture == pytest.approx(both - neither)


def test_the_synergy_is_0_where_each_adds_the_same_with_and_without_the_other():
    assert ModalityScores(both=0.9, text=0.4, picture=0.6, neither=0.1).synergy == pytest.approx(0)
    assert ModalityScores(both=1, text=0, picture=0, neither=0).synergy == 1


@pytest.mark.parametrize(
    ("scores", "balance"),
    [
        ((1, 0, 0, 0), 0),  # a match takes both
        ((0.9, 0.7, 0.1, 0.1), 0.75),
        ((1, 1, 0, 0), 1),  # the words decide
        ((1, 0, 1, 0), -1),  # the picture decides
        ((1, 1, 0, 1), 1),  # a picture can only speak against a match, as to tiny-blind
        ((1, 0, 1, 1), -1),  # words can only speak against it
    ],
)
def test_the_balance_is_that_of_what_speaks_for_the_match(scores, balance):
    assert margin(*scores) == pytest.approx(balance)


@pytest.mark.parametrize("scores", [(0.5, 0.5, 0.5, 0.5), (0, 0, 0, 0), (0.3, 0.31, 0.29, 0.3), (0, 1, 1, 1)])
def test_a_case_in_which_nothing_speaks_for_the_match_does_not_count(scores):
    with pytest.raises(Unlikely, match=r"neither the words nor the picture speak for the match by 0\.05"):
        margin(*scores)


def test_the_limit_is_the_policys():
    assert NeitherAlone().reads() == ("by",)
