"""Kept scores of a served model are its own, also where another model was served in the middle of a run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.scoring.counting import photograph
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import scoring
from vlcheck.metrics.query import Query
from vlcheck.scoring import cached


@pytest.fixture
def opened(tmp_path, open_served):
    """Open a scorer with the same store, as another run does."""
    runs = iter(range(9))

    def open_scorer():
        folder = tmp_path / f"run-{next(runs)}"
        return scoring(EvaluationConfig(store=tmp_path / "s.sqlite"), open_served(), folder)

    return open_scorer


@pytest.fixture
def halves(tmp_path: Path) -> tuple[list[Query], list[Query]]:
    queries = [Query("itm", photograph(tmp_path, seed), "a red bus") for seed in range(6)]
    return queries[:3], queries[3:]


def test_no_score_of_another_model_is_kept(server, opened, halves, open_served):
    first, second = halves
    with opened() as scorer:
        scorer.answers(first)
        server.faults(seed=1)
        foreign = scorer.answers(second)
        assert "it is another model" in scorer.settle()
    server.faults()
    with opened() as scorer:
        assert not any(query.key in scorer.store for query in first + second)
        kept = scorer.answers(second)
    for query in second:
        (own,) = open_served().itm(open_served().encode([query.picture.render()]), [query.text])
        assert kept[query.key].values == (own,) != foreign[query.key].values


def test_scores_of_the_same_model_are_kept_and_not_asked_again(server, opened, halves):
    with opened() as scorer:
        scorer.answers(halves[0])
    with opened() as scorer:
        server.faults()
        scorer.answers(halves[0])
        assert server.log["chats"] == 0


def test_a_run_that_ends_before_the_check_keeps_what_was_checked(server, opened, halves, monkeypatch):
    first, second = halves
    monkeypatch.setattr(cached, "BETWEEN_CHECKS", 3600.0)
    with suppress(KeyboardInterrupt), opened() as scorer:
        scorer.answers(first)
        scorer.settle()
        scorer.answers(second)
        raise KeyboardInterrupt
    with opened() as scorer:
        assert [query.key in scorer.store for query in first + second] == [True] * 3 + [False] * 3


def test_a_change_in_the_middle_is_not_forgotten_if_it_is_undone(server, opened, halves, monkeypatch):
    monkeypatch.setattr(cached, "BETWEEN_CHECKS", 0.0)
    first, second = halves
    with opened() as scorer:
        scorer.answers(first)
        server.faults(seed=1)
        scorer.answers(second[:1])
        server.faults()
        scorer.answers(second[1:])
        assert "it is another model" in scorer.settle()
    with opened() as scorer:
        assert [query.key in scorer.store for query in first + second] == [True] * 3 + [False] * 3
