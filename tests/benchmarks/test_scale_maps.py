"""Monotone maps of kept answers, also as another score kind than the model's own."""

import math
from dataclasses import replace

import pytest

from benchmarks.scale_maps import CANDIDATES, CONTRASTIVE, MAPS, MATCH, Kept, own_queries, unmapped
from benchmarks.scales import asked, maps_of, posed, relation
from tests.scoring.counting import photograph
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.zoo.pretrained import Variant

BY_NAME = {one.said: one for one in MAPS}


@pytest.fixture
def picture(tmp_path):
    return photograph(tmp_path, 1)


def match(picture, odds):
    """A text and its foils, and what a model with a match head says of each alone."""
    query = Query("itm", picture, "a dog", tuple(f"a {one}" for one in range(len(odds) - 1)))
    return query, {
        own.key: Answer((1 / (1 + math.exp(-one)),)) for own, one in zip(own_queries(query), odds, strict=True)
    }


@pytest.mark.parametrize(("heat", "said"), [(0.3, "contrastive, temperature 0.3"), (3, "contrastive, temperature 3")])
def test_a_contrastive_model_gives_the_softmax_over_a_text_and_its_foils(picture, heat, said):
    query, given = match(picture, [2.0, 1.0, -3.0])
    exps = [math.exp(one / heat) for one in (2, 1, -3)]
    assert BY_NAME[said](query, given).values == pytest.approx([exps[0] / sum(exps)])


def test_a_candidates_model_gives_the_softmax_over_the_words(picture):
    query = Query("mlm", picture, "a [MASK]", ("dog", "cat", "owl"))
    given = {query.key: Answer((0.04, 0.01, 0.0))}
    assert unmapped(CANDIDATES)(query, given).values == pytest.approx([0.8, 0.2, 0.0])
    hot = [0.04 ** (1 / 3), 0.01 ** (1 / 3)]
    assert BY_NAME["candidates, temperature 3"](query, given).values[:2] == pytest.approx(
        [one / sum(hot) for one in hot]
    )
    assert BY_NAME["masked-lm, temperature 3"](query, given).values == pytest.approx([*hot, 0])


def test_a_match_of_1_is_a_likely_text_and_no_certain_one(picture):
    query, given = match(picture, [50.0, 16.0])  # 1 in float64, and nearly 1
    (share,) = unmapped(CONTRASTIVE)(query, given).values
    assert 0.5 < share < 0.75


def test_unmapped_leaves_scores_as_they_are(picture):
    query, given = match(picture, [3.0])
    assert unmapped(MATCH)(query, given).values == pytest.approx(given[query.key].values, abs=1e-12)
    assert BY_NAME["log-odds - 3"](query, given).values == pytest.approx([0.5])


def test_no_answer_stays_none(picture):
    query, given = match(picture, [3.0, 1.0])
    foil = own_queries(query)[1]
    given[foil.key] = Answer(unasked="too long")
    assert Kept(given, frozenset(), unmapped(CONTRASTIVE)).answers([query])[query.key].unasked == "too long"


def test_no_map_changes_a_verdict_of_a_model_that_knows():
    """Every kind is judged on one asking; raw scores do not decide all that they decided."""
    model = Variant("tiny")()
    suites = [replace(one, chosen=one.chosen[:1]) for one in posed(model, "scenes:30")]
    given, shown = asked(model, (query for one in suites for query in one.foreseen.at_most))
    found = {"calibrated": set(), "raw": set()}
    for suite in suites:
        plain = suite.statuses(Kept(given, shown, unmapped(suite.kind)))
        assert set(plain["calibrated"].values()) == {"pass"}
        for through in maps_of(suite.kind):
            mapped = suite.statuses(Kept(given, shown, through))
            for scale, related in found.items():
                related |= {relation(plain[scale][name], status) for name, status in mapped[scale].items()}
    assert found["calibrated"] == {"same"}
    assert "inconclusive" in found["raw"]
