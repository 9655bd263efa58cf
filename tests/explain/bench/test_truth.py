"""Questions about scenes: each text is true, and each mask is that of the thing that it names."""

from random import Random

import numpy as np
import pytest

from tests.explain.bench.maps import SIDE, explanation, map_on
from vlcheck.datasets.scenes.sampling import COLORS, WORDS
from vlcheck.explain.bench.truth import make_questions, truth_scores

pytestmark = pytest.mark.slow  # networks are run many times

QUESTIONS = [question for number in range(8) for question in make_questions(Random(number))]


def test_each_scene_is_asked_about_twice():
    assert [question.score for question in QUESTIONS[:6]] == ["match", "word"] * 3
    assert [question.distractor is not None for question in QUESTIONS[:6]] == [False, False, True, True, True, True]
    assert all(("[MASK]" in question.text) == (question.score == "word") for question in QUESTIONS)


def test_a_thing_and_a_distractor_do_not_overlap():
    beside = [question for question in QUESTIONS if question.distractor is not None]
    assert not any((question.target & question.distractor).any() for question in beside)
    assert all(0.01 < question.target.mean() < 0.25 for question in QUESTIONS)


def test_the_caption_of_two_things_says_where_the_named_one_is():
    for number in range(8):
        question = list(make_questions(Random(number)))[2]
        side = question.text.rsplit(" ", 1)[1]
        down, across = (places.mean() / SIDE for places in np.nonzero(question.target))
        assert {"left": across, "right": 1 - across, "top": down, "bottom": 1 - down}[side] < 0.45


def test_the_decisive_word_names_a_thing_of_the_text():
    for question in QUESTIONS:
        assert not question.decisive or question.decisive in question.text.split()
        assert question.word in (("",) if question.score == "match" else (*WORDS, *COLORS))


@pytest.mark.parametrize("on", ["target", "distractor"])
def test_maps_on_the_target_score_high_and_maps_on_the_distractor_low(on):
    """The map has patches of 16 x 16 pixels, so that about half of it lies beside a thing."""
    asked = [question for question in QUESTIONS if question.distractor is not None and question.score == "match"]
    found = [explanation(map_on(getattr(one, on)), [("a", 0.1), (one.decisive, 2.0)]) for one in asked]
    scores = truth_scores(asked, found)["match"]
    hits, misses = (scores.lift, scores.distractor_lift)[:: 1 if on == "target" else -1]
    assert hits > 10
    assert misses < 0.5
    assert (scores.pointing > 0.5) == (on == "target")
    assert scores.precedence == 1.0
