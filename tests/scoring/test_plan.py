from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from tests.scoring.counting import Brighten, Upend, photograph, questions
from vlcheck.cases.picture import Picture
from vlcheck.metrics.query import Query
from vlcheck.scoring.plan import make_plan


@dataclass(frozen=True)
class Solid:
    """A source of one grey, which is never opened by a plan."""

    level: int
    size: tuple[int, int] = (8, 8)

    @property
    def key(self) -> str:
        return f"grey {self.level:05d}"

    def open(self) -> Image.Image:
        raise AssertionError("a plan decodes nothing")


def n_queries(plan):
    return sum(len(chunk.queries) for chunk in plan.chunks)


def about(*levels: int) -> list[Query]:
    return [query for level in levels for query in questions(Picture(Solid(level)))]


def test_equal_queries_are_planned_once(tmp_path: Path) -> None:
    queries = questions(photograph(tmp_path, 1)) + questions(photograph(tmp_path, 1))

    plan = make_plan(queries)

    assert len(queries) == 10
    assert (plan.n_pictures, n_queries(plan), plan.texts) == (1, 5, 3)


def test_kept_queries_are_left_out_and_so_are_pictures_without_any_left() -> None:
    queries = about(1, 2)
    kept = {query.key for query in queries[:5]} | {queries[5].key}

    plan = make_plan(queries, kept=kept)

    assert (plan.n_pictures, n_queries(plan)) == (1, 4)


def test_nothing_to_ask_makes_no_chunk() -> None:
    plan = make_plan([])

    assert plan.chunks == ()
    assert (plan.n_pictures, n_queries(plan), plan.texts) == (0, 0, 0)


@pytest.mark.parametrize(("batch_size", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (16, [5])])
def test_chunks_hold_a_batch_of_pictures_with_all_their_queries(batch_size: int, sizes: list[int]) -> None:
    plan = make_plan(about(1, 2, 3, 4, 5), batch_size=batch_size)

    assert [len(chunk.pictures) for chunk in plan.chunks] == sizes
    assert [len(chunk.queries) for chunk in plan.chunks] == [5 * size for size in sizes]


def test_the_plan_does_not_depend_on_the_order_of_the_queries() -> None:
    queries = about(*range(20))

    forwards, backwards = make_plan(queries, batch_size=3), make_plan(queries[::-1], batch_size=3)

    assert [chunk.key for chunk in forwards.chunks] == [chunk.key for chunk in backwards.chunks]
    assert forwards == backwards


def test_chunks_with_other_queries_have_other_keys() -> None:
    keys = {make_plan(about(*levels)).chunks[0].key for levels in [(1,), (2,), (1, 2)]}

    assert len(keys) == 3


def test_the_edits_of_a_source_are_adjacent() -> None:
    pictures = [Picture(Solid(level)) for level in range(8)]
    edited = [picture.then(edit) for edit in (Upend(), Brighten(3)) for picture in pictures]

    plan = make_plan(query for picture in [*pictures, *edited] for query in questions(picture))

    sources = [picture.source.key for chunk in plan.chunks for picture in chunk.pictures]
    changes = sum(before != after for before, after in pairwise(sources))
    assert len(sources) == 24
    assert changes == 7
