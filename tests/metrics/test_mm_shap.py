"""The metric mm-shap: an explanation answers it, from the pictures themselves."""

import numpy as np
import pytest

from vlcheck.cases import Case
from vlcheck.cases.picture import Picture
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.evaluation.evidence import Row, Shown
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.mm_shap import MatchContributions, TextShare
from vlcheck.metrics.pictures import Pictures
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS, OF_MODELS, OF_PICTURES, ask, hear
from vlcheck.perturb import Solid
from vlcheck.scoring.plan import Chunk
from vlcheck.scoring.scorer import Scorer

CASE = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a red ball", target="red")
CONTRIBUTIONS = MatchContributions(TextShare(0.6, 0.02), -0.9)
ANSWER = Answer((0.6,), (("standard error", 0.02), ("synergy", -0.9)))


class Explained:
    """It offers itm and mm-shap, and writes down what it is asked."""

    name, fingerprint, mask = "explained", "v1", "[MASK]"
    metrics = frozenset({"itm", "mm-shap"})
    kinds = {"itm": "match-head", "mm-shap": "shapley-share"}  # noqa: RUF012 - a model's attribute

    def __init__(self):
        self.log = []

    def encode(self, images):
        self.log.append(f"encode {len(images)}")
        return np.zeros(len(images))

    def itm(self, encoded, texts, foils=None):
        self.log.append(f"itm {len(texts)}")
        return np.full(len(texts), 0.5)

    def mm_shap(self, pictures, texts):
        self.log.append(f"mm-shap {len(texts)}")
        assert isinstance(pictures, Pictures)
        if "long" in texts[0]:
            raise NotApplicable("the text is too long")
        return [CONTRIBUTIONS] * len(texts)


def scored(model, *queries):
    answered = Scorer(model).score(Chunk(queries), lambda *_: None)
    return {query.key: answer for part in answered for query, answer in part}


def test_it_asks_about_the_whole_text_and_reads_the_share():
    question = ask("mm-shap", View.of(CASE))
    (query,) = question.queries.values()
    assert query.text == "a red ball"
    heard = hear(question, {query.key: ANSWER})
    assert heard.reading.value == 0.6
    assert heard.top == (("standard error", 0.02), ("synergy", -0.9))
    assert heard.reading.synergy == -0.9


def test_it_is_asked_in_runs_with_its_explanation_alone():
    assert [METRICS["mm-shap"].asked_with(method) for method in ("mmshap", "random", "")] == [True, False, False]
    assert all(METRICS[name].asked_with("") for name in OF_MODELS)
    assert "mm-shap" not in {*OF_MODELS, *OF_PICTURES}


def test_it_is_given_pictures_one_at_a_time_and_they_are_not_encoded():
    model, picture = Explained(), Picture(CASE.image)
    queries = [Query("mm-shap", picture, text) for text in ("a ball", "a red ball")]
    found = scored(model, *queries)
    assert model.log == ["mm-shap 1", "mm-shap 1"]
    assert [found[query.key] for query in queries] == [ANSWER] * 2


def test_other_metrics_encode_the_picture_once_beside_it():
    model, picture = Explained(), Picture(CASE.image)
    found = scored(model, Query("itm", picture, "a ball"), Query("mm-shap", picture, "a ball"))
    assert sorted(model.log) == ["encode 1", "itm 1", "mm-shap 1"]
    assert sorted(answer.values for answer in found.values()) == [(0.5,), (0.6,)]


def test_a_text_that_cannot_be_explained_spoils_no_other():
    model, picture = Explained(), Picture(CASE.image)
    long, short = Query("mm-shap", picture, "a long text"), Query("mm-shap", picture, "a ball")
    found = scored(model, long, short)
    assert found[long.key] == Answer(unasked="the text is too long")
    assert found[short.key] == ANSWER


def test_what_is_no_selection_of_pictures_is_refused():
    with pytest.raises(TypeError, match="pictures themselves"):
        METRICS["mm-shap"].score(Explained(), np.zeros(1), ("a ball",), ((),), 5)


def test_the_interval_of_a_share_is_that_of_its_standard_error_inside_0_and_1():
    assert TextShare(0.6, 0.02).interval == pytest.approx((0.5608, 0.6392))
    assert TextShare(0.99, 0.02).interval == pytest.approx((0.9508, 1.0))
    assert TextShare(0.3, 0.0).interval == (0.3, 0.3)


def test_the_terminal_has_a_bar_under_the_score():
    question = ask("mm-shap", View.of(CASE))
    (query,) = question.queries.values()
    bar = METRICS["mm-shap"].bar(hear(question, {query.key: ANSWER}))
    assert bar == "[######################====--------------] T-SHAP 0.600 (0.561 to 0.639)"
    shown = Shown(question.view.picture, "a red ball", "red", 0.6, 0.6, {"red": 0.6}, bar=bar)
    assert list(Row(CASE, {"": 0.2}, before=shown).lines())[-1].strip() == bar
