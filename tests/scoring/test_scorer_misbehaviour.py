"""What a scorer makes of models that raise, miscount, or answer with what is no probability."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from tests.scoring.counting import Brighten, CountingModel, Features, chance, photograph, questions
from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore


class Short(CountingModel):
    def itm(self, encoded, texts, foils=None):
        return super().itm(encoded, texts, foils)[1:]

    def mlm(self, encoded, texts, words):
        return super().mlm(encoded, texts, words)[1:]


class Square(CountingModel):
    def itm(self, encoded, texts, foils=None):
        return np.stack([super().itm(encoded, texts, foils)] * 2, axis=1)

    def mlm(self, encoded, texts, words):
        return [row[None] for row in super().mlm(encoded, texts, words)]


class Generous(CountingModel):
    def itm(self, encoded, texts, foils=None):
        return np.append(super().itm(encoded, texts, foils), 0.5)

    def mlm(self, encoded, texts, words):
        return [np.append(row, 0.5) for row in super().mlm(encoded, texts, words)]


class Logits(CountingModel):
    def itm(self, encoded, texts, foils=None):
        return np.full(len(texts), 3.25)

    def mlm(self, encoded, texts, words):
        return [np.full(len(row), -0.5) for row in words]


class Raising(CountingModel):
    def itm(self, encoded, texts, foils=None):
        raise RuntimeError("out of memory")

    def mlm(self, encoded, texts, words):
        raise KeyError("dog")


class Forgetful(CountingModel):
    def top(self, encoded, texts, k):
        return []


class Blind(CountingModel):
    def encode(self, images):
        raise OSError("no such device")


class Careless(CountingModel):
    def encode(self, images):
        return super().encode(images[1:])


class Mute(CountingModel):
    def encode(self, images):
        return None


class Listing(CountingModel):
    def encode(self, images):
        return [*images]


LISTED = "encode returned a list; its result has to be indexable by a list of indices"

MISBEHAVIOUR = [
    (Short, "the model returned 1 scores for 2 texts", "the model returned 3 scores for 4 texts"),
    (Square, "the model returned scores of shape (1, 2) for 2 words", "the model returned scores of shape (4, 2)"),
    (Generous, "the model returned 3 scores for 2 words", "the model returned 5 scores for 4 texts"),
    (Logits, "the model returned -0.5, which is no probability", "the model returned 3.25, which is no probability"),
    (Raising, "KeyError: 'dog'", "RuntimeError: out of memory"),
    (Forgetful, "the model named likely words for 0 of 2 texts", ""),
    (Blind, "OSError: no such device", "OSError: no such device"),
    (Careless, "the model encoded 0 pictures of 1", "the model encoded 0 pictures of 1"),
    (Mute, "TypeError: object of type 'NoneType' has no len()", "TypeError: object of type 'NoneType' has no len()"),
    (Listing, LISTED, LISTED),
]


@pytest.mark.parametrize(
    ("kind", "mlm_error", "itm_error"), MISBEHAVIOUR, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_model_that_misbehaves_is_quoted_in_each_answer(
    tmp_path: Path, store: ScoreStore, kind: type[CountingModel], mlm_error: str, itm_error: str
) -> None:
    picture = photograph(tmp_path, 1)
    mlm = [Query("mlm", picture, f"a [MASK] {i}", ("dog", "cat")) for i in range(2)]
    itm = [Query("itm", picture, f"a dog {i}") for i in range(4)]

    CachedScorer(Scorer(kind(tmp_path / "journal.txt")), store).run(make_plan([*mlm, *itm]))

    kept = store.get_many([*mlm, *itm])
    assert len(kept) == 6
    for queries, error in ((mlm, mlm_error), (itm, itm_error)):
        for query in queries:
            assert kept[query.key].error.startswith(error)
            assert bool(kept[query.key].values) is not bool(error)


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (np.complex128(0.5), "complex128"),
        (0.5 + 0j, "complex128"),
        ("0.5", "str"),
        (b"0.5", "bytes"),
        (True, "bool"),
        (None, "object"),
        (Fraction(1, 2), "object"),
    ],
    ids=lambda part: f"{part!r}",
)
def test_a_score_is_a_real_number(tmp_path: Path, store: ScoreStore, score: object, kind: str) -> None:
    """Of a complex number numpy would take the real part, of a text what it spells, of None NaN."""

    class Odd(CountingModel):
        def itm(self, encoded, texts, foils=None):
            return [score for _ in texts]

        def mlm(self, encoded, texts, words):
            return [[score for _ in row] for row in words]

    picture = photograph(tmp_path, 1)
    queries = [Query("mlm", picture, "a [MASK]", ("dog", "cat")), Query("itm", picture, "a dog")]
    CachedScorer(Scorer(Odd(tmp_path / "journal.txt")), store).run(make_plan(queries))
    for answer in store.get_many(queries).values():
        assert re.fullmatch(rf"the model returned scores of type {kind}\d*; they have to be real numbers", answer.error)


@pytest.mark.parametrize(
    "score", [np.float16(0.5), torch.tensor(0.5), torch.tensor(0.5, dtype=torch.float64), 1, np.uint8(0)], ids=repr
)
def test_real_numbers_of_any_format_are_scores(tmp_path: Path, store: ScoreStore, score: object) -> None:
    class Plain(CountingModel):
        def itm(self, encoded, texts, foils=None):
            return [score for _ in texts]

    query = Query("itm", photograph(tmp_path, 1), "a dog")
    CachedScorer(Scorer(Plain(tmp_path / "journal.txt")), store).run(make_plan([query]))
    assert store.get_many([query])[query.key].values == (float(score),)  # type: ignore[arg-type]


def said(answer: Answer) -> str:
    """Return an answer's error without the line of this file that raised it; it has to name one."""
    message, _, place = answer.error.partition(" (")
    assert f"{Path(__file__).name}:" in place or not answer.error
    return message


def test_what_is_masked_is_no_score(tmp_path: Path, store: ScoreStore) -> None:
    """Numpy would take what lies under the mask."""

    class Masked(CountingModel):
        def itm(self, encoded, texts, foils=None):
            return np.ma.masked_invalid([math.nan] * len(texts))

    answer = CachedScorer(Scorer(Masked(tmp_path / "journal.txt")), store).answer(
        Query("itm", photograph(tmp_path, 1), "a dog")
    )
    assert answer.error == "the model returned masked scores; they have to be real numbers"


def test_an_exception_whose_text_raises_is_quoted_by_its_class(tmp_path: Path, store: ScoreStore) -> None:
    class Mumbled(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    class Mumbles(CountingModel):
        def itm(self, encoded, texts, foils=None):
            raise Mumbled

    query = Query("itm", photograph(tmp_path, 1), "a dog")
    CachedScorer(Scorer(Mumbles(tmp_path / "journal.txt")), store).run(make_plan([query]))
    assert store.get_many([query])[query.key].error.startswith("Mumbled: its message cannot be read")


def test_one_bad_text_leaves_the_others_of_its_call_alone(tmp_path: Path, store: ScoreStore) -> None:
    class Slips(CountingModel):
        def mlm(self, encoded, texts, words):
            rows = super().mlm(encoded, texts, words)
            return [rows[0], rows[1][:1]]

    picture = photograph(tmp_path, 1)
    first, second = (Query("mlm", picture, f"a [MASK] {i}", ("dog", "cat")) for i in range(2))

    CachedScorer(Scorer(Slips(tmp_path / "journal.txt")), store).run(make_plan([first, second]))

    kept = store.get_many([first, second])
    assert len(kept[first.key].values) == 2
    assert kept[second.key] == Answer(error="the model returned 1 scores for 2 words")


def test_a_text_that_cannot_be_read_leaves_the_others_of_its_call_alone(tmp_path: Path, store: ScoreStore) -> None:
    class Picky(CountingModel):
        def itm(self, encoded, texts, foils=None):
            if any("giraffe" in text for text in texts):
                raise ValueError("too tall")
            return super().itm(encoded, texts, foils)

    picture = photograph(tmp_path, 1)
    texts = ("a dog", "a giraffe", "a cat")
    dog, giraffe, cat = queries = [Query("itm", picture, text) for text in texts]
    model = Picky(tmp_path / "journal.txt")

    CachedScorer(Scorer(model), store).run(make_plan(queries))

    kept = store.get_many(queries)
    assert said(kept[giraffe.key]) == "ValueError: too tall"
    assert [len(kept[query.key].values) for query in (dog, cat)] == [1, 1]
    assert set(model.asked("encode").values()) == {1}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.0, 0.0])
def test_values_for_the_verdict_to_judge_are_kept(tmp_path: Path, store: ScoreStore, value: float) -> None:
    class Odd(CountingModel):
        def itm(self, encoded, texts, foils=None):
            return np.full(len(texts), value)

    answer = CachedScorer(Scorer(Odd(tmp_path / "journal.txt")), store).answer(
        Query("itm", photograph(tmp_path, 1), "a dog")
    )

    assert answer.error == ""
    np.testing.assert_equal(answer.values, (value,))


@pytest.mark.parametrize(("value", "kept"), [(1 + 5e-7, 1.0), (-5e-7, 0.0)])
def test_what_rounding_carries_past_a_probability_is_carried_back(
    tmp_path: Path, store: ScoreStore, value: float, kept: float
) -> None:
    class Rounding(CountingModel):
        def itm(self, encoded, texts, foils=None):
            return np.full(len(texts), value)

    answer = CachedScorer(Scorer(Rounding(tmp_path / "journal.txt")), store).answer(
        Query("itm", photograph(tmp_path, 1), "a dog")
    )

    assert answer.values == (kept,)


def test_a_text_that_a_model_declines_does_not_apply(tmp_path: Path, store: ScoreStore) -> None:
    class Modest(CountingModel):
        def itm(self, encoded, texts, foils=None):
            if any("giraffe" in text for text in texts):
                raise NotApplicable("no giraffes")
            return super().itm(encoded, texts, foils)

    dog, giraffe = queries = [Query("itm", photograph(tmp_path, 1), text) for text in ("a dog", "a giraffe")]

    answers = CachedScorer(Scorer(Modest(tmp_path / "journal.txt")), store).answers(queries)

    assert len(answers[dog.key].values) == 1
    assert answers[giraffe.key] == Answer(unasked="no giraffes")


def test_a_warning_is_no_answer(tmp_path: Path, store: ScoreStore) -> None:
    class Warns(CountingModel):
        def encode(self, images):
            warnings.warn("slow", UserWarning, stacklevel=1)
            return super().encode(images)

        def itm(self, encoded, texts, foils=None):
            warnings.warn("old", DeprecationWarning, stacklevel=1)
            return super().itm(encoded, texts, foils)

    query = Query("itm", photograph(tmp_path, 1), "a dog")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("error")
        answer = CachedScorer(Scorer(Warns(tmp_path / "journal.txt")), store).answer(query)

    assert len(answer.values) == 1
    assert {str(one.message) for one in said} == {"slow", "old"}


def test_an_error_is_not_asked_again_in_the_same_run(tmp_path: Path, store: ScoreStore) -> None:
    class Counting(CountingModel):
        def itm(self, encoded, texts, foils=None):
            tries.append(texts)
            raise RuntimeError("out of memory")

    tries: list[Sequence[str]] = []
    scorer = CachedScorer(Scorer(Counting(tmp_path / "journal.txt")), store)
    query = Query("itm", photograph(tmp_path, 1), "a dog")

    answers = {scorer.answer(query), scorer.answer(query)}

    assert {said(answer) for answer in answers} == {"RuntimeError: out of memory"}
    assert len(tries) == 1


def test_an_interrupt_passes_through_and_what_was_scored_stays(tmp_path: Path, store: ScoreStore) -> None:
    class Interrupted(CountingModel):
        def itm(self, encoded, texts, foils=None):
            raise KeyboardInterrupt

    *mlm, itm = questions(photograph(tmp_path, 1))

    with pytest.raises(KeyboardInterrupt):
        CachedScorer(Scorer(Interrupted(tmp_path / "journal.txt")), store).run(make_plan([*mlm, itm]))

    assert store.missing(query.key for query in [*mlm, itm]) == {itm.key}


class CannotEncodeOne(CountingModel):
    """Raises where a strip is among the pictures, as processors do that know no such shape."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        if any(image.width > 10 * image.height for image in images):
            raise ValueError("absolute aspect ratio must be smaller than 10")
        return super().encode(images)


def test_a_picture_that_cannot_be_encoded_takes_no_other_with_it(tmp_path: Path, store: ScoreStore) -> None:
    strip = tmp_path / "strip.png"
    Image.new("RGB", (100, 2), "red").save(strip)
    pictures = [photograph(tmp_path, 1), Picture(ImageFile(strip)), photograph(tmp_path, 2)]
    queries = [Query("itm", picture, "a dog") for picture in pictures]
    CachedScorer(Scorer(CannotEncodeOne(tmp_path / "journal"), batch_size=3), store).run(
        make_plan(queries, batch_size=3)
    )
    first, refused, second = (store.get_many(queries)[query.key] for query in queries)
    assert first.values
    assert second.values
    assert said(refused) == "ValueError: absolute aspect ratio must be smaller than 10"


class TellsDogs(CountingModel):
    """Has one class of regions."""

    metrics = frozenset({"mrc"})
    kinds: ClassVar[dict[str, str]] = {"mrc": "masked-region"}

    def mrc(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        if any(word != "dog" for asked in words for word in asked):
            raise NotApplicable("no class of that name")
        return [np.array([chance(digest)]) for digest in encoded.digests]


def test_a_word_that_is_no_class_takes_no_other_with_it(tmp_path: Path, store: ScoreStore) -> None:
    queries = [Query("mrc", photograph(tmp_path, 1), "a [MASK] in a photo", (word,)) for word in ("dog", "lorry")]
    CachedScorer(Scorer(TellsDogs(tmp_path / "journal")), store).run(make_plan(queries))
    dog, lorry = (store.get_many(queries)[query.key] for query in queries)
    assert len(dog.values) == 1
    assert lorry.unasked == "no class of that name"


class CannotSpell(CountingModel):
    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        if any("naïve" in asked for asked in words):
            raise ValueError("cannot spell")
        return super().mlm(encoded, texts, words)


def test_a_word_that_cannot_be_spelled_takes_those_of_no_other_query_with_it(tmp_path: Path, store: ScoreStore) -> None:
    picture = photograph(tmp_path, 1)
    queries = [Query("mlm", picture, "a [MASK]", words) for words in (("dog", "cat"), ("dog", "naïve"))]
    CachedScorer(Scorer(CannotSpell(tmp_path / "journal")), store).run(make_plan(queries))
    spelled, other = (store.get_many(queries)[query.key] for query in queries)
    assert len(spelled.values) == 2
    assert said(other) == "ValueError: cannot spell"


class NoRoom(Brighten):
    """Has no room beside other pictures, or none at all."""

    name = "no room"
    taken: ClassVar[list[int]] = []
    room: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        self.taken.append(1)
        if len(self.taken) > self.room:
            self.taken.clear()
            raise MemoryError
        return super().edit(image)


@pytest.mark.parametrize(("room", "answered"), [(3, [1] * 5), (0, [0] * 5)])
def test_where_pictures_have_no_room_beside_one_another_a_batch_is_halved(
    tmp_path: Path, store: ScoreStore, monkeypatch: pytest.MonkeyPatch, room: int, answered: list[int]
) -> None:
    monkeypatch.setattr(NoRoom, "room", room)
    monkeypatch.setattr(NoRoom, "taken", [])
    queries = [Query("itm", photograph(tmp_path, seed).then(NoRoom(5)), "a dog") for seed in range(5)]
    CachedScorer(Scorer(CountingModel(tmp_path / "journal"), batch_size=8), store).run(make_plan(queries, batch_size=8))
    kept = [store.get_many(queries)[query.key] for query in queries]
    assert [len(answer.values) for answer in kept] == answered
    assert {said(answer) for answer in kept} == ({""} if room else {"MemoryError"})


class Unspeakable(BaseException):
    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize("method", ["encode", "itm"])
@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (pytest.skip.Exception("not today"), "Skipped: not today"),
        (pytest.exit.Exception("enough"), "Exit: enough"),
        (GeneratorExit(), "GeneratorExit"),
        (Unspeakable(), "Unspeakable: its message cannot be read, SystemExit"),
    ],
)
def test_whatever_a_model_raises_is_an_answer(
    tmp_path: Path, store: ScoreStore, monkeypatch: pytest.MonkeyPatch, method: str, raised: BaseException, message: str
) -> None:
    def leave(*asked: object) -> None:
        raise raised

    monkeypatch.setattr(CountingModel, method, leave)
    query = Query("itm", photograph(tmp_path, 1), "a dog")
    answer = CachedScorer(Scorer(CountingModel(tmp_path / "journal")), store).answer(query)
    assert (said(answer), answer.values) == (message, ())
