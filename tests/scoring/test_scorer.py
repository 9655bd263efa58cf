from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from tests.scoring.counting import (
    Brighten,
    CountingModel,
    Features,
    Refuse,
    album,
    broken_photograph,
    chance,
    digest_of,
    photograph,
    questions,
)
from tests.test_house import inner_imports
from vlcheck.cases import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring import scorer
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore


def test_answers_are_the_models_own_scores_word_by_word(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture = photograph(tmp_path, 1)
    dog_cat, cat_bird, dog, road, itm = questions(picture)
    seen = digest_of(picture)

    CachedScorer(Scorer(counting), store).run(make_plan([dog_cat, cat_bird, dog, road, itm]))

    p = {word: chance(f"{seen}|a photo of a [MASK]|{word}") for word in ("dog", "cat", "bird")}
    kept = store.get_many([dog_cat, cat_bird, dog, itm])
    assert kept[dog_cat.key].values == (p["dog"], p["cat"])
    assert kept[cat_bird.key].values == (p["cat"], p["bird"])
    assert kept[dog.key].values == (p["dog"],)
    assert kept[itm.key] == Answer((chance(f"{seen}|a photo of a dog|"),))


def test_the_likeliest_words_come_with_the_scores(tmp_path: Path, store: ScoreStore, counting: CountingModel) -> None:
    picture = photograph(tmp_path, 1)
    road = questions(picture)[3]

    answer = CachedScorer(Scorer(counting, top=2), store).answer(road)

    asked = f"{digest_of(picture)}|{road.text}"
    assert answer.top == (("a [0", chance(f"{asked}|0")), ("a [1", chance(f"{asked}|1")))


def test_a_model_that_names_no_words_is_not_asked_for_them(tmp_path: Path, store: ScoreStore) -> None:
    class Mute(CountingModel):
        top = None  # as Python has it for a protocol's method that is not there

    answer = CachedScorer(Scorer(Mute(tmp_path / "journal.txt")), store).answer(questions(photograph(tmp_path, 1))[0])

    assert len(answer.values) == 2
    assert answer.top == ()


def test_no_image_is_encoded_twice_and_no_text_asked_twice(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    queries = album(tmp_path, 7)

    CachedScorer(Scorer(counting), store).run(make_plan([*queries, *queries], batch_size=4))

    assert sorted(counting.asked("encode").values()) == [1] * 14
    assert sorted(counting.asked("mlm").values()) == [1] * 28
    assert sorted(counting.asked("itm").values()) == [1] * 14
    assert store.missing(query.key for query in queries) == set()


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_answers_do_not_depend_on_the_batch_size(tmp_path: Path, counting: CountingModel, batch_size: int) -> None:
    queries = album(tmp_path, 5)
    with ScoreStore(tmp_path / "one.db", "model") as store:
        one_by_one = [CachedScorer(Scorer(counting), store).answer(query) for query in queries]

    with ScoreStore(tmp_path / "batched.db", "model") as store:
        CachedScorer(Scorer(counting, batch_size=batch_size), store).run(make_plan(queries, batch_size=batch_size))
        kept = store.get_many(queries)

    assert [kept[query.key] for query in queries] == one_by_one
    assert len({answer.values for answer in one_by_one}) == len(queries)


def test_calls_hold_four_texts_a_picture_of_the_batch(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture = photograph(tmp_path, 1)
    queries = [Query("itm", picture, f"text {i}") for i in range(17)]

    CachedScorer(Scorer(counting, batch_size=2), store).run(make_plan(queries))

    assert counting.calls("itm") == math.ceil(17 / 8)
    assert counting.calls("mlm") == 0


def test_texts_are_asked_by_length_so_that_padding_is_small(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture = photograph(tmp_path, 1)

    CachedScorer(Scorer(counting), store).run(make_plan(Query("itm", picture, "x" * n) for n in (7, 1, 30, 4)))

    assert [len(asked.split("|")[1]) for asked in counting.asked("itm")] == [1, 4, 7, 30]


def test_foils_reach_the_model_and_are_none_where_there_are_none(tmp_path: Path, store: ScoreStore) -> None:
    class Noting(CountingModel):
        def itm(
            self, encoded: Features, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None
        ) -> np.ndarray:
            seen.append(foils)
            return super().itm(encoded, texts, foils)

    seen: list[Sequence[Sequence[str]] | None] = []
    picture = photograph(tmp_path, 1)
    bare, against = Query("itm", picture, "a dog"), Query("itm", picture, "a dog", ("a cat", "a bus"))
    scorer = CachedScorer(Scorer(Noting(tmp_path / "journal.txt")), store)

    answers = [scorer.answer(bare), scorer.answer(against)]

    assert seen == [None, (("a cat", "a bus"),)]
    assert answers[0] != answers[1]


def test_one_text_against_other_foils_is_another_question(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    picture = photograph(tmp_path, 1)
    cat, bus = (Query("itm", picture, "a dog", (foil,)) for foil in ("a cat", "a bus"))

    CachedScorer(Scorer(counting), store).run(make_plan([cat, bus]))

    asked = f"{digest_of(picture)}|a dog"
    assert store.get(cat) == Answer((chance(f"{asked}|a cat"),))
    assert store.get(bus) == Answer((chance(f"{asked}|a bus"),))


def test_candidates_are_compared_with_the_words_of_their_own_query(tmp_path: Path, store: ScoreStore) -> None:
    class Choosing(CountingModel):
        kinds: ClassVar = {"mlm": "candidates", "itm": "match-head"}

        def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
            return [scores / scores.sum() for scores in super().mlm(encoded, texts, words)]

    dog_cat, cat_bird, *_ = questions(photograph(tmp_path, 1))

    CachedScorer(Scorer(Choosing(tmp_path / "journal.txt")), store).run(make_plan([dog_cat, cat_bird]))

    kept = store.get_many([dog_cat, cat_bird])
    assert [sum(answer.values) for answer in kept.values()] == pytest.approx([1, 1])
    assert len(kept) == 2


def test_features_are_dropped_before_the_next_chunk_is_encoded(tmp_path: Path, store: ScoreStore) -> None:
    class Watching(CountingModel):
        def encode(self, images: Sequence[Image.Image]) -> Features:
            alive.append(len(self.features))
            return super().encode(images)

    alive: list[int] = []
    model = Watching(tmp_path / "journal.txt")
    gc.disable()  # what only the collector would free, is held too long
    try:
        CachedScorer(Scorer(model), store).run(make_plan(album(tmp_path, 4), batch_size=2))
    finally:
        gc.enable()

    assert alive == [0, 0, 0, 0]
    assert len(model.features) == 0


def test_what_cannot_be_shown_is_answered_without_the_model(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    fine, broken = photograph(tmp_path, 1), broken_photograph(tmp_path)
    pictures = {"fine": fine, "broken": broken, "refused": fine.then(Refuse()), "same": fine.then(Brighten(0))}
    queries = {name: Query("itm", picture, "a dog") for name, picture in pictures.items()}

    CachedScorer(Scorer(counting), store).run(make_plan(queries.values()))

    kept = {name: store.get(query) for name, query in queries.items()}
    assert kept["refused"] == Answer(unasked="no use for 24 pixels")
    assert kept["same"] == Answer(unasked="the perturbation changed nothing")
    assert kept["broken"] is not None
    assert "not a picture that decodes" in kept["broken"].error
    assert counting.asked("encode") == {digest_of(fine): 1}


def test_a_metric_that_the_model_lacks_is_an_error_without_encoding(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    counting.metrics = frozenset({"itm"})
    mlm, *_, itm = questions(photograph(tmp_path, 1))

    CachedScorer(Scorer(counting), store).run(make_plan([mlm, itm]))

    assert store.get(mlm) == Answer(error="counting has no mlm head")
    assert store.get(itm) != Answer()
    assert counting.calls("mlm") == 0


def test_large_pictures_do_not_wait_for_one_another(
    tmp_path: Path, counting: CountingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch has as many as fit, no source is decoded twice, and the answers are those of one batch."""
    batches, seen, opened = [], [], []

    class Watching(CountingModel):
        def encode(self, images: Sequence[Image.Image]) -> Features:
            batches.append((len(images), sum(image() is not None for image in seen)))
            seen.extend(map(weakref.ref, images))
            return super().encode(images)

    def open_(image: ImageFile, opens: Callable[[ImageFile], Image.Image] = ImageFile.open) -> Image.Image:
        opened.append(image.path)
        return opens(image)

    queries = [*album(tmp_path, 3), *questions(photograph(tmp_path, 1).then(Refuse()))]
    with ScoreStore(tmp_path / "one", "one") as store:
        whole = CachedScorer(Scorer(counting), store).answers(queries)
    monkeypatch.setattr(scorer, "MOST_WAITING", 4 * 24 * 16)
    monkeypatch.setattr(ImageFile, "open", open_)
    with ScoreStore(tmp_path / "several", "several") as store:
        parted = CachedScorer(Scorer(Watching(tmp_path / "journal.txt")), store).answers(queries)

    assert batches == [(4, 0), (2, 0)]
    assert len(opened) == len({*opened}) == 3
    assert parted == whole
    assert {answer.unasked for answer in parted.values()} == {"", "no use for 24 pixels"}


def test_one_picture_of_more_pixels_than_may_wait_is_encoded_alone(
    tmp_path: Path, store: ScoreStore, counting: CountingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer, "MOST_WAITING", 9)

    answers = CachedScorer(Scorer(counting), store).answers(album(tmp_path, 2))

    assert counting.calls("encode") == 4
    assert all(answer.values for answer in answers.values())


def test_a_chunk_goes_in_and_answers_come_out_each_once(
    tmp_path: Path, store: ScoreStore, counting: CountingModel
) -> None:
    """They are the answers that a store would hold, and it holds none of them."""
    queries = [*album(tmp_path, 3), *questions(photograph(tmp_path, 1).then(Refuse()))]
    (chunk,) = make_plan(queries).chunks
    rendered: list[Picture] = []

    parts = list(Scorer(counting).score(chunk, lambda picture, image: rendered.append(picture)))

    answers = {query.key: answer for part in parts for query, answer in part}
    assert len(parts) > 1
    assert sum(map(len, parts)) == len(answers) == 35
    assert store.missing(answers) == answers.keys()
    assert answers == CachedScorer(Scorer(counting), store).answers(queries)
    assert len(rendered) == 6


def test_a_scorer_reaches_no_store() -> None:
    reached: set[str] = set()
    left = {"vlcheck.scoring.scorer"}
    while left:
        reached |= left
        left = {one.module for module in left for one in inner_imports(module)} - reached
    assert "vlcheck.scoring.render" in reached
    assert "vlcheck.scoring.store" not in reached


def test_what_was_answered_before_memory_ran_out_is_not_asked_again(
    tmp_path: Path, counting: CountingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bright(Brighten):
        name = "bright"

        def edit(self, image: Image.Image) -> Image.Image:
            if counting.calls("encode") == 2:  # once: the next attempt comes after another picture
                monkeypatch.setattr(Bright, "edit", Brighten.edit)
                raise MemoryError
            return super().edit(image)

    monkeypatch.setattr(scorer, "MOST_WAITING", 9)  # each picture is encoded alone
    queries = [Query("itm", photograph(tmp_path, seed).then(Bright(5)), "a dog") for seed in range(4)]
    (chunk,) = make_plan(queries).chunks

    parts = list(Scorer(counting).score(chunk, lambda picture, image: None))

    assert [len(part) for part in parts if part] == [1, 1, 1, 1]
    assert sorted(counting.asked("encode").values()) == [1, 1, 1, 1]
    assert all(answer.values for part in parts for _, answer in part)
