from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.scoring.counting import (
    CountingModel,
    Upend,
    album,
    digest_of,
    photograph,
    questions,
)
from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.metrics.answer import Answer
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore


def test_what_is_kept_is_not_asked_again(tmp_path: Path, counting: CountingModel) -> None:
    plan = make_plan(album(tmp_path, 2))
    with ScoreStore(tmp_path / "s.db", counting.fingerprint) as first:
        CachedScorer(Scorer(counting), first).run(plan)
    before = counting.journal.read_bytes()

    with ScoreStore(tmp_path / "s.db", counting.fingerprint) as second:
        CachedScorer(Scorer(counting), second).run(plan)
        answer = CachedScorer(Scorer(counting), second).answer(plan.chunks[0].queries[0])

    assert counting.journal.read_bytes() == before
    assert 0 < answer.values[0] < 1


def test_only_the_missing_queries_of_a_chunk_are_asked(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture, other = photograph(tmp_path, 1), photograph(tmp_path, 2)
    store.put((query, Answer((0.5,))) for query in questions(picture))

    CachedScorer(Scorer(counting), store).run(make_plan(questions(picture) + questions(other)))

    assert counting.asked("encode") == {digest_of(other): 1}


def test_a_picture_is_kept_as_thumbnail_and_digest_of_what_was_shown(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture = photograph(tmp_path, 1, size=(600, 300)).then(Upend())

    CachedScorer(Scorer(counting), store).run(make_plan(questions(picture)))

    kept = store.pictures(picture.key)
    assert kept is not None
    assert kept.sha256 == pixel_sha256(picture.render())
    with Image.open(io.BytesIO(kept.jpeg)) as thumbnail:
        assert thumbnail.size == (256, 128)


@pytest.mark.parametrize(
    ("size", "larger"), [((900, 600), (512, 341)), ((300, 400), (300, 400)), ((256, 256), None), ((64, 48), None)]
)
def test_a_larger_copy_has_512_pixels_at_most_and_is_made_where_the_small_one_has_fewer(
    tmp_path: Path, store: ScoreStore, counting: CountingModel, size: tuple[int, int], larger: tuple[int, int] | None
) -> None:
    picture = photograph(tmp_path, 1, size=size)
    scorer = CachedScorer(Scorer(counting), store)
    scorer.run(make_plan(questions(picture)))
    found = scorer.enlarged(picture)
    if larger is None:
        assert found == b""
    else:
        with Image.open(io.BytesIO(found)) as copy:
            assert copy.size == larger
    assert CachedScorer(Scorer(counting), store, thumbnails=False).enlarged(photograph(tmp_path, 2)) == b""


def test_private_pictures_leave_their_digest_alone(tmp_path: Path, store: ScoreStore, counting: CountingModel) -> None:
    picture = photograph(tmp_path, 1)

    CachedScorer(Scorer(counting), store, thumbnails=False).run(make_plan(questions(picture)))

    assert store.pictures(picture.key) == (pixel_sha256(picture.render()), b"")


def test_progress_counts_pictures_and_ends_with_nothing_left(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    seen: list[Progress] = []

    CachedScorer(Scorer(counting), store).run(make_plan(album(tmp_path, 5), batch_size=4), seen.append)

    assert [(progress.done, progress.total) for progress in seen] == [(4, 10), (8, 10), (10, 10)]
    assert seen[0].left == pytest.approx(seen[0].seconds / 4 * 6)
    assert seen[-1].left == 0
    assert ["left" in progress.said for progress in seen] == [True, True, False]
    assert seen[0].seconds < seen[-1].seconds
