"""Walks the pictures once: render, encode a batch, ask every text, keep the answers, drop the features."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
from PIL import Image

from vlcheck._util.foreign_code import contained, told
from vlcheck._util.numbers import brief, counted, duration
from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.models.protocol import AnswersYesNo, ClassifiesRegions, Encoded, NamesWords, VisionLanguageModel
from vlcheck.scoring.plan import Chunk, Plan, make_plan
from vlcheck.scoring.render import render_all, thumbnail_jpeg
from vlcheck.scoring.store import ScoreStore, Thumbnail

TOLERANCE = 1e-6  # by how much rounding may carry a probability past 0 or 1
TEXTS_PER_PICTURE = 4  # texts in one call, per picture of a batch
MOST_WAITING = 50_000_000  # pixels of the pictures that wait for one another to be encoded together


@dataclass(frozen=True)
class Progress:
    """How far a run is; times in seconds, `left` estimated from the mean time a picture took."""

    done: int
    total: int
    seconds: float
    left: float

    @property
    def said(self) -> str:
        """In words."""
        done = f"{self.done:,} of {counted(self.total, 'picture')}"
        return f"{done} in {duration(self.seconds)}, about {duration(self.left)} left"

    @classmethod
    def since(cls, started: float, done: int, total: int) -> Progress:
        """Measure from a `time.monotonic()`; `done` is at least 1."""
        seconds = time.monotonic() - started
        return cls(done, total, seconds, seconds / done * (total - done))


@dataclass(frozen=True)
class _Ask:
    """One text about one picture, and the queries that it answers."""

    queries: tuple[Query, ...]

    @property
    def text(self) -> str:
        return self.queries[0].text

    @property
    def picture(self) -> str:
        return self.queries[0].picture.key

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for query in self.queries for word in query.words))

    def split(self, reply: Answer) -> Iterator[tuple[Query, Answer]]:
        """Give each query its share of the values."""
        for query in self.queries:
            if query.metric == "itm" or not reply.values:
                yield query, reply
            else:
                by_word = dict(zip(self.words, reply.values, strict=True))
                yield query, Answer(tuple(by_word[word] for word in query.words), reply.top)


class Scorer:
    """Asks one model, and keeps what it answers.

    Args:
        model: what is asked.
        store: where answers are kept; what it holds is not asked again.
        batch_size: pictures encoded together, where the scorer chooses; bounds the texts of a call, too.
        thumbnails: whether to keep small copies of the pictures.
        top: how many of the likeliest words to keep, of a model that names them.
    """

    def __init__(
        self,
        model: VisionLanguageModel,
        store: ScoreStore,
        *,
        batch_size: int = 16,
        thumbnails: bool = True,
        top: int = 5,
    ) -> None:
        self.model = model
        self.store = store
        self.batch_size = batch_size
        self.thumbnails = thumbnails
        self.top = top

    def run(self, plan: Plan, progress: Callable[[Progress], None] | None = None) -> None:
        """Score every chunk; `progress` is called after each."""
        started, done = time.monotonic(), 0
        for chunk in plan.chunks:
            self.score(chunk)
            done += len(chunk.pictures)
            if progress:
                progress(Progress.since(started, done, plan.n_pictures))

    def answer(self, query: Query) -> Answer:
        """Return the kept answer, or ask now."""
        return self.answers([query])[query.key]

    def answers(
        self, queries: Iterable[Query], progress: Callable[[Progress], None] | None = None
    ) -> dict[str, Answer]:
        """Return the kept answers by the queries' keys; ask now, in batches, what is missing."""
        asked = {query.key: query for query in queries}
        kept = self.store.get_many(asked.values())
        missing = [query for key, query in asked.items() if key not in kept]
        if missing:
            self.run(make_plan(missing, batch_size=self.batch_size), progress)
        return kept | self.store.get_many(missing)

    def shows(self, picture: Picture) -> bool:
        """Whether a picture that was asked about could be shown, whatever the model made of it."""
        return self.store.pictures(picture.key) is not None

    def thumbnail(self, picture: Picture) -> Thumbnail | None:
        """Return what is kept of a picture, rendered once more where its small copy is wanted and missing."""
        kept = self.store.pictures(picture.key)
        if self.thumbnails and not (kept and kept.jpeg):
            for _, outcome in render_all([picture]):
                if isinstance(outcome, Image.Image):
                    self._keep(picture, outcome)
            kept = self.store.pictures(picture.key)
        return kept

    def score(self, chunk: Chunk) -> None:
        """Answer every query of a chunk that is not answered yet, and keep the answers.

        Pictures are encoded in one batch, or in several where they have more than MOST_WAITING pixels together; the
        features are dropped at the end. What goes wrong with a picture or a model becomes the answer of the queries it
        concerns; a batch without room in memory is halved. An interrupt passes through; what was asked before it is
        kept.
        """
        missing = self.store.missing(query.key for query in chunk.queries)
        queries = self._with_head([query for query in chunk.queries if query.key in missing])
        cramped = None
        try:
            for images in self._rendered(queries):
                self._answer_about(images, [query for query in queries if query.picture.key in images])
        except MemoryError as error:
            cramped = Answer(error=told(error))
        if cramped:  # outside of `except`, which keeps what was rendered in memory
            self._halved(queries, cramped)

    def _answer_about(self, images: dict[str, Image.Image], queries: Sequence[Query]) -> None:
        """Answer queries about pictures, given by their keys and taken out of memory once they are encoded."""
        rows = {key: row for row, key in enumerate(images)}
        encoded = self._encode((*images.values(),))
        images.clear()  # memory: from here on the features stand for them
        if isinstance(encoded, Answer):
            self._halved(queries, encoded)
            return
        for batch in self._batches(queries):
            asked = [rows[ask.picture] for ask in batch]
            replies = zip(asked, batch, self._replies(encoded, asked, batch), strict=True)
            self.store.put([pair for reply in replies for pair in self._answered(encoded, *reply)])

    def _halved(self, queries: Sequence[Query], raised: Answer) -> None:
        """Ask about half of the pictures at a time: one that cannot be encoded must not take the others with it."""
        pictures = list(dict.fromkeys(query.picture.key for query in queries))
        if len(pictures) == 1:
            self.store.put((query, raised) for query in queries)
            return
        first = {*pictures[: len(pictures) // 2]}
        for half in (first, {*pictures} - first):
            self.score(Chunk(tuple(query for query in queries if query.picture.key in half)))

    def _with_head(self, queries: list[Query]) -> list[Query]:
        """Answer those whose metric the model lacks; return the others."""
        lacking = [query for query in queries if query.metric not in self.model.metrics]
        if lacking:
            name = self.model.name
            self.store.put((query, Answer(error=f"{name} has no {query.metric} head")) for query in lacking)
        return [query for query in queries if query.metric in self.model.metrics]

    def _rendered(self, queries: Sequence[Query]) -> Iterator[dict[str, Image.Image]]:
        """Yield the pixels by picture key, of as many pictures as may wait; answer what is asked of the others."""
        waiting: dict[str, Image.Image] = {}
        refusals: dict[str, Answer] = {}
        for picture, outcome in render_all(Chunk(tuple(queries)).pictures):
            if isinstance(outcome, Answer):
                refusals[picture.key] = outcome
                continue
            self._keep(picture, outcome)
            waiting[picture.key] = outcome
            del outcome  # memory: it goes with those that wait
            if sum(image.width * image.height for image in waiting.values()) >= MOST_WAITING:
                yield waiting
                waiting = {}
        if refusals:
            refused = (query for query in queries if query.picture.key in refusals)
            self.store.put((query, refusals[query.picture.key]) for query in refused)
        if waiting:
            yield waiting

    def _keep(self, picture: Picture, image: Image.Image) -> None:
        self.store.keep_picture(picture.key, pixel_sha256(image), thumbnail_jpeg(image) if self.thumbnails else b"")

    def _encode(self, images: Sequence[Image.Image]) -> Encoded | Answer:
        try:
            with contained(), _warnings_are_no_answer():
                encoded = self.model.encode(images)
                found = len(encoded)
        except (NotApplicable, UsageError, ForeignFault) as error:  # what a model raises is an answer, not our end
            return _raised(error)
        if found == len(images):
            return encoded
        return Answer(error=f"the model encoded {counted(found, 'picture')} of {len(images)}")

    def _batches(self, queries: Sequence[Query]) -> Iterator[list[_Ask]]:
        """Group by metric, then by length, so that padding is small."""
        size = self.batch_size * TEXTS_PER_PICTURE
        for metric in get_args(Metric):
            compares = metric != "mlm" or self.model.kinds.get(metric) == "candidates"
            asks = sorted(_asks((query for query in queries if query.metric == metric), compares), key=_length)
            yield from (asks[start : start + size] for start in range(0, len(asks), size))

    def _replies(self, encoded: Encoded, rows: Sequence[int], asks: Sequence[_Ask]) -> list[Answer]:
        """Ask one batch of one metric; one reply an ask."""
        head = {"mlm": self._mlm, "itm": self._itm, "mrc": self._mrc}[asks[0].queries[0].metric]
        try:
            with contained(), _warnings_are_no_answer():
                replies = head(encoded[rows], asks)
        except (NotApplicable, UsageError, ForeignFault) as error:  # as in _encode
            if len(asks) > 1:
                # One text that the model cannot read must not take the others with it.
                return [self._replies(encoded, [row], [ask])[0] for row, ask in zip(rows, asks, strict=True)]
            replies = _raised(error)
        return [replies] * len(asks) if isinstance(replies, Answer) else replies

    def _answered(self, encoded: Encoded, row: int, ask: _Ask, reply: Answer) -> Iterator[tuple[Query, Answer]]:
        """Each query and its answer; a word that the model cannot read must not take those of other queries with it."""
        if reply.values or len(ask.queries) == 1:
            yield from ask.split(reply)
            return
        for query in ask.queries:
            yield query, self._replies(encoded, [row], [_Ask((query,))])[0]

    def _mlm(self, encoded: Encoded, asks: Sequence[_Ask]) -> list[Answer] | Answer:
        texts = tuple(ask.text for ask in asks)  # a tuple: a model may not change what it is asked
        scores = self.model.mlm(encoded, texts, tuple(ask.words for ask in asks))
        if len(scores) != len(texts):
            return _miscounted(len(scores), "texts", len(texts))
        # Straight after mlm, for the same texts: a model that keeps its last forward answers without another.
        tops = self.model.top(encoded, texts, self.top) if isinstance(self.model, NamesWords) else [[]] * len(texts)
        if len(tops) != len(texts):
            return Answer(error=f"the model named likely words for {len(tops)} of {len(texts)} texts")
        return [_words_reply(*reply) for reply in zip(asks, scores, tops, strict=True)]

    def _mrc(self, encoded: Encoded, asks: Sequence[_Ask]) -> list[Answer] | Answer:
        if not isinstance(self.model, ClassifiesRegions):
            return Answer(error=f"{self.model.name} says that it offers mrc, and has no method of that name")
        texts = tuple(ask.text for ask in asks)
        scores = self.model.mrc(encoded, texts, tuple(ask.words for ask in asks))
        if len(scores) != len(texts):
            return _miscounted(len(scores), "texts", len(texts))
        return [_words_reply(ask, own) for ask, own in zip(asks, scores, strict=True)]

    def _itm(self, encoded: Encoded, asks: Sequence[_Ask]) -> list[Answer] | Answer:
        foils = tuple(ask.words for ask in asks)
        texts = tuple(ask.text for ask in asks)
        scores = _numbers(self.model.itm(encoded, texts, foils if any(foils) else None))
        if scores.shape != (len(texts),):
            return _misshapen(scores, "texts", len(texts))
        # Straight after itm, as with `top`.
        answers = self.model.answers(encoded, texts) if isinstance(self.model, AnswersYesNo) else None
        tops = [_yes_and_no(*pair) for pair in zip(*answers, strict=True)] if answers else [()] * len(texts)
        return [_reply([score], top) for score, top in zip(scores.tolist(), tops, strict=True)]


def _yes_and_no(yes: float, no: float) -> tuple[tuple[str, float], ...]:
    return ("yes", float(yes)), ("no", float(no))


def _asks(queries: Iterable[Query], compares: bool) -> list[_Ask]:
    """Gather what one reading of a text answers.

    Where a model compares, with foils or among candidates, or refuses a word that is no class of regions, each query is
    a set of its own: a score that hung on what else is asked would change with the selection of tests. Elsewhere one
    reading gives any words at a mask.
    """
    groups: dict[tuple[str, str, tuple[str, ...]], list[Query]] = {}
    for query in queries:
        compared = query.words if compares else ()
        groups.setdefault((query.picture.key, query.text, compared), []).append(query)
    return [_Ask(tuple(group)) for group in groups.values()]


def _length(ask: _Ask) -> tuple[int, str, str]:
    return len(ask.text), ask.text, ask.picture


def _numbers(scores: Any) -> np.ndarray:
    """A model's scores. Raises UsageError where they are no real numbers: numpy would make some of much else."""
    if np.ma.is_masked(scores):
        raise UsageError("the model returned masked scores; they have to be real numbers")
    array = np.asarray(scores)
    if array.dtype.kind not in "fiu" and array.size:
        raise UsageError(f"the model returned scores of type {array.dtype.name}; they have to be real numbers")
    return array.astype(np.float64)


def _words_reply(ask: _Ask, scores: np.ndarray, top: Sequence[tuple[str, float]] = ()) -> Answer:
    values = _numbers(scores)
    if values.shape != (len(ask.words),):
        return _misshapen(values, "words", len(ask.words))
    return _reply(values.tolist(), tuple((str(word), float(score)) for word, score in top))


def _reply(values: Sequence[float], top: tuple[tuple[str, float], ...] = ()) -> Answer:
    """Refuse what is no probability; NaN and infinity are left for the verdict to call invalid."""
    for value in values:
        if math.isfinite(value) and not -TOLERANCE <= value <= 1 + TOLERANCE:
            return Answer(error=f"the model returned {brief(value)}, which is no probability: it has to lie in [0, 1]")
    return Answer(tuple(np.clip(values, 0.0, 1.0).tolist() if np.isfinite(values).all() else values), top)


def _misshapen(scores: np.ndarray, of: str, n: int) -> Answer:
    if scores.ndim == 1:
        return _miscounted(len(scores), of, n)
    return Answer(error=f"the model returned scores of shape {scores.shape} for {n} {of}")


def _miscounted(found: int, of: str, n: int) -> Answer:
    return Answer(error=f"the model returned {found} scores for {n} {of}")


@contextmanager
def _warnings_are_no_answer() -> Iterator[None]:
    """Keep a model's warnings warnings, also where the run makes errors of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        yield


def _raised(error: NotApplicable | UsageError | ForeignFault) -> Answer:
    if isinstance(error, NotApplicable):
        return Answer(unasked=str(error))
    return Answer(error=printable(str(error)))
