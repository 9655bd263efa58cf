"""Answers in memory are those that a file would give back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scoring.counting import CountingModel, album, photograph, questions
from vlcheck.metrics.answer import Answer
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.memory_store import MemoryStore
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore, Thumbnail

FIRST, OTHER = Answer((0.1 + 0.2,), (("a", 0.25),)), Answer((0.5,))
WRONG, UNASKED = Answer(error="lost"), Answer(unasked="gray already")


@pytest.mark.parametrize(
    ("puts", "kept"),
    [
        ([FIRST], FIRST),
        ([FIRST, OTHER], OTHER),
        ([FIRST, WRONG], FIRST),
        ([UNASKED, WRONG], UNASKED),
        ([WRONG, FIRST], FIRST),
        ([WRONG, Answer(error="lost again")], Answer(error="lost again")),
        ([], None),
    ],
)
def test_the_last_answer_that_is_no_error_is_kept_as_in_a_file(
    tmp_path: Path, store: ScoreStore, puts: list[Answer], kept: Answer | None
) -> None:
    asked, other = sorted(questions(photograph(tmp_path, 1)), key=lambda query: query.metric)[:2]  # itm: one value
    for one in (MemoryStore(), store):
        for answer in puts:
            one.put([(asked, answer)])
        assert one.get_many([asked, other]) == ({asked.key: kept} if kept else {})
        assert one.missing([asked.key, other.key]) == {other.key} | ({asked.key} if not kept else set())


@pytest.mark.parametrize(("jpegs", "kept"), [([b"", b"\xff\xd8\xff\xd9"], 1), ([b"\xff\xd8\xff\xd9", b""], 0)])
def test_an_empty_copy_of_a_picture_replaces_none_as_in_a_file(
    store: ScoreStore, jpegs: list[bytes], kept: int
) -> None:
    records = [Thumbnail(f"digest {number}", jpeg) for number, jpeg in enumerate(jpegs)]
    for one in (MemoryStore(), store):
        for record in records:
            one.keep_pictures({"picture": record})
        assert one.pictures("picture") == records[kept]
        assert one.pictures("another") is None


def test_a_model_is_asked_once_and_answers_as_over_a_file(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    plan = make_plan(album(tmp_path, 3))
    queries = [query for chunk in plan.chunks for query in chunk.queries]
    memory = CachedScorer(Scorer(counting), MemoryStore())
    memory.run(plan)
    before = counting.journal.read_bytes()
    found = memory.answers(queries)
    assert counting.journal.read_bytes() == before
    assert found == CachedScorer(Scorer(counting), store).answers(queries)
    assert [memory.shows(query.picture) for query in queries] == [True] * len(queries)
