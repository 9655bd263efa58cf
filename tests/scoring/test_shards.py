from __future__ import annotations

from pathlib import Path

import pytest

from tests.scoring.counting import CountingModel, broken_photograph, photograph, questions
from vlcheck.errors import UsageError
from vlcheck.perturb import Grayscale
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.alone import Alone
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.shards import OtherPartsNeeded, Shard, ShardEngine
from vlcheck.scoring.store import ScoreStore


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    sources = [photograph(tmp_path, seed) for seed in range(7)]
    pictures = [*sources, *(one.then(Grayscale()) for one in sources[:4])]
    return make_plan([query for picture in pictures for query in questions(picture)], batch_size=4)


def keys(plan: Plan) -> set[str]:
    return {query.key for chunk in plan.chunks for query in chunk.queries}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 11, 20])
def test_shards_have_each_question_once_and_equally_many_pictures(plan: Plan, count: int) -> None:
    parts = [Shard(number, count).of(plan) for number in range(1, count + 1)]
    assert sum(len(keys(part)) for part in parts) == len(keys(plan))
    assert set.union(*map(keys, parts)) == keys(plan)
    sizes = {part.n_pictures for part in parts}
    assert max(sizes) - min(sizes) <= 1


def test_a_shard_does_not_depend_on_the_size_of_batches(plan: Plan) -> None:
    other = make_plan([query for chunk in plan.chunks for query in chunk.queries], batch_size=3)
    for number in (1, 2, 3):
        assert keys(Shard(number, 3).of(plan)) == keys(Shard(number, 3).of(other))


@pytest.mark.parametrize(
    "spec", ["5/4", "0/4", "x", "1", "1/", "/2", "-1/2", "1/2/3", "1.0/2", " 1/2", "\u0661/\u0662"]
)
def test_what_is_no_shard_is_refused_with_what_is_accepted(spec: str) -> None:
    with pytest.raises(UsageError, match=r"has to be I/N, the I-th of N parts, with I from 1 to N") as caught:
        Shard.parse(spec)
    assert str(caught.value).startswith(f"shard={spec}: ")


def engine_of(number: int, count: int) -> ShardEngine:
    return ShardEngine(Alone(), Shard(number, count), "scenes")


def test_the_engine_answers_its_part_and_then_says_that_others_are_needed(
    plan: Plan, store: ScoreStore, counting: CountingModel
) -> None:
    engine, scorer = engine_of(1, 2), CachedScorer(Scorer(counting), store)
    with pytest.raises(OtherPartsNeeded):
        engine.run(plan, scorer)
    own = keys(Shard(1, 2).of(plan))
    assert store.missing(keys(plan)) == keys(plan) - own
    (part,) = engine.parts
    assert (part.questions, part.of, part.open, part.errors) == (len(own), len(keys(plan)), len(keys(plan) - own), 0)
    engine_of(2, 2).run(plan, scorer)  # none is left open, so that the next plan may follow
    assert store.missing(keys(plan)) == set()
    assert store._opened[0].rows("SELECT number, count, data FROM shards") == [(1, 2, "scenes"), (2, 2, "scenes")]


def test_a_part_with_an_error_is_not_recorded_as_answered(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    engine, plan = engine_of(1, 1), make_plan(questions(broken_photograph(tmp_path)))
    engine.run(plan, CachedScorer(Scorer(counting), store))
    (part,) = engine.parts
    assert part.errors == part.questions > 0
    assert part.error
    assert store._opened[0].rows("SELECT * FROM shards") == []


def test_a_part_that_the_store_did_not_take_is_no_success(plan: Plan, counting: CountingModel, tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "s.db", counting.fingerprint) as store:
        with store._opened[0].transaction() as connection:
            connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        scorer = CachedScorer(Scorer(counting), store)
        with pytest.warns(UserWarning, match="no room"), pytest.raises(UsageError, match="did not take all answers"):
            engine_of(1, 2).run(plan, scorer)
