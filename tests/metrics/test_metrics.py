"""What each metric asks of a view, calls of a model, and reads from its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vlcheck.cases import MASK, Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import ANY, Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.metrics.registry import METRICS, ask, hear
from vlcheck.perturb.image import Solid
from vlcheck.stats.operating_scale import Scale

CASE = Case(id="1", image=Solid((8, 8), (200, 0, 0)), caption="a red ball", target="red", candidates=("blue", "green"))
VIEW = View.of(CASE)


class Model:
    """Answers every method with what it was made with, and notes the arguments."""

    name = "double"

    def __init__(self, scores: Any, extra: Any = None) -> None:
        self.scores, self.extra, self.called = scores, extra, []

    def _answer(self, *asked: Any) -> Any:
        self.called.append(asked)
        return self.scores

    mlm = itm = mrc = lambda self, *asked: self._answer(*asked)


class Naming(Model):
    def top(self, encoded: Any, texts: Sequence[str], k: int) -> Any:
        return self.extra


class Answering(Model):
    def answers(self, encoded: Any, texts: Sequence[str]) -> Any:
        return self.extra


def read(metric: Metric, *answers: Answer, foils: Sequence[str] | None = None) -> Reading:
    """Read the answers to a question about the view, in the order of its queries."""
    question = ask(metric, VIEW, ("blue",), foils)
    heard = hear(question, dict(zip((query.key for query in question.queries.values()), answers, strict=True)))
    assert isinstance(heard, Heard)
    return heard.reading


def test_mlm_asks_one_masked_text_for_the_closed_set() -> None:
    assert ask("mlm", VIEW, ("white",)).queries == {
        MASK: Query("mlm", VIEW.picture, "a [MASK] ball", ("blue", "green", "red", "white"))
    }


def test_itm_asks_a_text_for_each_word_compared_and_with_foils_if_the_model_only_compares() -> None:
    alone = ask("itm", VIEW, ("blue",)).queries
    assert {word: (query.text, query.words) for word, query in alone.items()} == {
        "red": ("a red ball", ()),
        "blue": ("a blue ball", ()),
    }
    among = ask("itm", VIEW, ("blue",), foils=["a hat"]).queries
    assert among["red"].words == ("a blue ball", "a green ball", "a hat")
    assert among["blue"].words == ("a green ball", "a hat", "a red ball")


def test_two_methods_of_maps_never_have_one_key() -> None:
    keys = [
        query.key for method in ("lrp", "gradcam", "") for query in ask("map", VIEW, method=method).queries.values()
    ]
    assert len({*keys}) == 3
    assert ask("itm", VIEW, method="lrp").queries == ask("itm", VIEW).queries


def test_mrc_asks_about_the_compared_words_alone() -> None:
    (query,) = ask("mrc", VIEW, ("blue",)).queries.values()
    assert (query.text, query.words) == ("a red ball", ("red", "blue"))


def test_a_word_that_is_not_told_is_asked_of_regions_alone() -> None:
    untold = replace(VIEW, told=False)
    for metric in ("mlm", "itm"):
        with pytest.raises(NotApplicable, match="does not say the word"):
            METRICS[metric].ask(untold)
    (query,) = METRICS["mrc"].ask(untold).queries.values()
    assert query.text == "a [MASK] ball"


def test_mlm_has_a_probability_a_word_and_the_likeliest() -> None:
    model = Naming([np.array([0.2, 0.3])], [[("sky", 0.4)]])
    (answer,) = METRICS["mlm"].score(model, "features", ("a [MASK] ball",), (("blue", "red"),), 1)
    assert answer == Answer((0.2, 0.3), (("sky", 0.4),))
    assert model.called == [("features", ("a [MASK] ball",), (("blue", "red"),))]


def test_a_model_that_only_compares_compares_a_caption_with_the_cases_foils() -> None:
    view = View.of(replace(CASE, candidates=(), foils=("no hat", "two hats")))
    (query,) = ask("itm", view, foils=[]).queries.values()
    assert (query.text, query.words) == (CASE.caption, ("no hat", "two hats"))
    (alone,) = ask("itm", view).queries.values()
    assert alone.words == ()


@pytest.mark.parametrize(("words", "given"), [(((), ()), None), ((("a hat",), ()), (("a hat",), ()))])
def test_itm_has_one_probability_a_text_and_gives_foils_if_there_are_any(words: Any, given: Any) -> None:
    model = Answering(np.array([0.2, 0.3]), ([0.2, 0.3], [0.5, 0.1]))
    answers = METRICS["itm"].score(model, "features", ("a cap", "a cup"), words, 5)
    assert answers == [Answer((0.2,), (("yes", 0.2), ("no", 0.5))), Answer((0.3,), (("yes", 0.3), ("no", 0.1)))]
    assert model.called == [("features", ("a cap", "a cup"), given)]


def test_mrc_needs_the_method_of_its_name() -> None:
    assert METRICS["mrc"].score(Model([np.array([0.2])]), "features", ("a cap",), (("cap",),), 5) == [Answer((0.2,))]

    class Without:
        name = "without"

    error = METRICS["mrc"].score(Without(), "features", ("a cap",), (("cap",),), 5)
    assert error == Answer(error="without says that it offers mrc, but has no method of that name")


def test_mlm_is_read_as_the_share_of_the_closed_set() -> None:
    reading = read("mlm", Answer((0.1, 0.1, 0.3), ((ANY, 0.5),)))
    assert reading.raw == 0.3
    assert reading.score == pytest.approx(0.6)
    assert reading.mass == 0.5
    assert reading.share("red", "blue") == pytest.approx(0.75)


def test_itm_is_read_word_by_word_with_the_least_of_the_masses() -> None:
    tops = [(("yes", 0.3), ("no", 0.6)), (("yes", 0.1), ("no", 0.2))]
    reading = read("itm", *(Answer((top[0][1],), top) for top in tops), foils=["a hat"])
    assert (reading.score, reading.scores, reading.foils) == (0.3, {"red": 0.3, "blue": 0.1}, 3)
    assert reading.mass == pytest.approx(0.3)


def test_mrc_is_read_raw() -> None:
    reading = read("mrc", Answer((0.3, 0.1)))
    assert (reading.score, reading.scores, reading.mass) == (0.3, {"red": 0.3, "blue": 0.1}, None)


@pytest.mark.parametrize("metric", METRICS)
def test_a_reading_on_a_scale_stays_one_of_its_metric(metric: str) -> None:
    reading = METRICS[metric].reading("red", {"red": 0.3})
    assert type(replace(reading, scale=Scale(gain=2.0))) is METRICS[metric].reading


def test_queries_share_a_text_only_where_words_do_not_change_each_other() -> None:
    shared = {(name, kind) for name, metric in METRICS.items() for kind in metric.kinds if metric.shares_text(kind)}
    assert shared == {("mlm", "masked-lm")}


def test_a_querys_part_of_an_answer_is_its_own_words() -> None:
    query = Query("mlm", VIEW.picture, "a [MASK]", ("red", "blue"))
    answer = Answer((0.1, 0.2, 0.3), (("sky", 0.5),))
    assert METRICS["mlm"].of_query(query, ("blue", "green", "red"), answer) == Answer((0.3, 0.1), (("sky", 0.5),))
