from __future__ import annotations

import threading
import time
import warnings
from pathlib import Path

import pytest
from PIL import Image

from tests.scoring.counting import Brighten, CountingModel, Upend, broken_photograph, photograph, questions
from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.perturb import Jpeg
from vlcheck.scoring import prefetch
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.local import work_together
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.prefetch import Beforehand
from vlcheck.scoring.render import render_all
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

PICTURES = 7


@pytest.fixture
def pictures(tmp_path: Path) -> list[Picture]:
    for seed in range(PICTURES):
        photograph(tmp_path, seed)
    broken_photograph(tmp_path)
    plain = [Picture(ImageFile(path)) for path in sorted(tmp_path.glob("*.png"))]
    return [*plain, *(Picture(one.source, (edit,)) for one in plain for edit in (Upend(), Brighten(0)))]


@pytest.fixture
def plan(pictures: list[Picture]) -> Plan:
    return make_plan([query for picture in pictures for query in questions(picture)], batch_size=3)


def no_note(image: Image.Image) -> None:
    return None


def begun(pictures: list[Picture], **changes: object) -> Beforehand:
    return Beforehand(pictures, no_note, lambda *_: None, **changes)


def bytes_of(shown: tuple[Picture, Image.Image | Answer]) -> tuple[str, object]:
    picture, outcome = shown
    return picture.key, outcome.tobytes() if isinstance(outcome, Image.Image) else outcome


def test_the_pictures_are_those_of_render_all_in_its_order(pictures: list[Picture]) -> None:
    assert [*map(bytes_of, begun(pictures))] == [*map(bytes_of, render_all(pictures))]


def test_answers_notes_and_questions_are_those_of_a_scorer_that_renders_them_itself(tmp_path: Path, plan: Plan) -> None:
    found = []
    for ahead in (False, True):
        model = CountingModel(tmp_path / f"{ahead}.txt")
        with ScoreStore(tmp_path / f"{ahead}.db", model.fingerprint) as store:
            CachedScorer(Scorer(model), store, ahead=ahead).run(plan)
            queries = [query for chunk in plan.chunks for query in chunk.queries]
            notes = {key: store.pictures(key) for key in {query.picture.key for query in queries}}
            found.append((store.get_many(queries), notes, model.asked("itm"), model.asked("encode")))

    assert found[0] == found[1]
    assert sum(note is not None for note in found[0][1].values()) == 2 * PICTURES


def test_the_next_chunk_is_rendered_while_the_model_computes(tmp_path: Path, plan: Plan) -> None:
    rendered: list[int] = []
    when_encoded: list[int] = []

    class Telling(CountingModel):
        def encode(self, images):
            when_encoded.append(len(rendered))
            return super().encode(images)

    model = Telling(tmp_path / "journal.txt")
    with ScoreStore(tmp_path / "scores.db", model.fingerprint) as store:
        scorer = CachedScorer(Scorer(model), store, ahead=True)
        begin = scorer.prefetch.rendering
        scorer.prefetch.rendering = lambda pictures: rendered.append(len(pictures)) or begin(pictures)
        work_together(plan, scorer, tmp_path / "leases")

    encoded = len(when_encoded)  # fewer than chunks: of some, no picture can be shown
    assert rendered == [len(chunk.pictures) for chunk in plan.chunks]
    assert all(begun >= place + 2 for place, begun in enumerate(when_encoded[: encoded - 1]))
    assert encoded > 3


def test_no_more_than_some_pixels_wait(pictures: list[Picture], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "MOST_AHEAD", 1)
    noted = []
    ahead = Beforehand(pictures, lambda image: noted.append(image.size), lambda *_: None)
    taking = iter(ahead)

    for taken in range(3):
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(noted) <= taken + 2  # one waits, and one waits to be let in
        next(taking)
    ahead.close()


def test_a_thread_ends_once_its_pictures_are_not_wanted(
    pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch, "MOST_AHEAD", 1)
    first = begun(pictures)
    second = begun(pictures, after=first)

    first.close()
    second.close()

    for one in (first, second):
        one._thread.join(10)
        assert not one._thread.is_alive()


def test_what_rendering_raises_is_raised_where_the_picture_is_taken(pictures: list[Picture]) -> None:
    def note(image: Image.Image) -> None:
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        [*Beforehand(pictures, note, lambda *_: None)]


def test_the_thread_leaves_the_filters_of_warnings_alone(
    pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to all threads, and the scorer changes them while the model computes."""
    entered = []
    catch = warnings.catch_warnings

    class Noted(catch):
        def __enter__(self):
            entered.append(threading.current_thread().name)
            return super().__enter__()

    monkeypatch.setattr(warnings, "catch_warnings", Noted)

    edited = [Picture(one.source, (Jpeg(30),)) for one in pictures if not one.edits]
    shown = [*begun([*pictures, *edited])]

    assert sum(isinstance(outcome, Image.Image) for _, outcome in shown) > PICTURES
    assert entered == []


def test_an_interrupt_passes_and_ends_the_rendering(tmp_path: Path, plan: Plan) -> None:
    class Interrupted(CountingModel):
        def encode(self, images):
            raise KeyboardInterrupt

    model = Interrupted(tmp_path / "journal.txt")
    with ScoreStore(tmp_path / "scores.db", model.fingerprint) as store:
        scorer = CachedScorer(Scorer(model), store, ahead=True)
        with pytest.raises(KeyboardInterrupt):
            scorer.run(plan)

    last = scorer.prefetch._last._thread
    last.join(10)
    assert not last.is_alive()
