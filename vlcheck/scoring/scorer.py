"""The scorer: it renders the pictures of a chunk, encodes them in a batch, and asks a model about every text."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import cast

from PIL import Image

from vlcheck._util.foreign_code import contained, describe_error
from vlcheck._util.memory import lacks_memory, let_go
from vlcheck._util.numbers import counted
from vlcheck._util.warning_filters import filtering
from vlcheck.cases.picture import Picture
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded
from vlcheck.metrics.itm import Rewords
from vlcheck.metrics.model_output import encode_images
from vlcheck.metrics.pictures import Pictures
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS
from vlcheck.models.protocol import AsksAhead, VisionLanguageModel
from vlcheck.scoring.batch_size import FoundSize
from vlcheck.scoring.batches import ends_of_batches
from vlcheck.scoring.plan import Chunk
from vlcheck.scoring.render import render_all

Answered = Sequence[tuple[Query, Answer]]
Rendered = Callable[[Picture, Image.Image], object]
ShownPicture = tuple[Picture, Image.Image | Answer]
Render = Callable[[Iterable[Picture]], Iterator[ShownPicture]]
TEXTS_PER_PICTURE = 4  # texts in one call, per picture of a batch
MOST_WAITING = 50_000_000  # number of pixels at which the collected pictures are encoded


@dataclass(frozen=True)
class _Ask:
    """A text about a picture, and the queries that one reading of it answers."""

    queries: tuple[Query, ...]

    @property
    def text(self) -> str:
        return self.queries[0].text

    @property
    def picture(self) -> str:
        return self.queries[0].picture.key

    @property
    def wording(self) -> str:
        return self.queries[0].wording

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for query in self.queries for word in query.words))

    def split(self, reply: Answer) -> Iterator[tuple[Query, Answer]]:
        """Yield each query with its part of the values."""
        for query in self.queries:
            yield query, METRICS[query.metric].of_query(query, self.words, reply) if reply.values else reply


class _Cramped(MemoryError):
    """Want of memory that a model met beside some pictures; the answer says so, and nothing of the model's is kept."""

    def __init__(self, answer: Answer, pictures: int) -> None:
        super().__init__(answer.error)
        self.answer = answer
        self.pictures = pictures


class Scorer:
    """A scorer asks one model about the chunks of a plan; it keeps no answer.

    Args:
        model: the model that is asked.
        batch_size: the most pictures that are encoded together; it bounds the number of texts in a call as well.
        start: number of pictures to begin with; None for the most.
        top: number of the likeliest words to take from a model that names them.
        load: loads the same model in another process, where an engine asks it; it is sent there. None if the model
            itself is sent.
        render: gives the pixels of pictures, as `render_all` does.
    """

    def __init__(
        self,
        model: VisionLanguageModel,
        *,
        batch_size: int = 16,
        top: int = 5,
        load: Callable[[], VisionLanguageModel] | None = None,
        start: int | None = None,
        render: Render = render_all,
    ) -> None:
        self.model = model
        self.render = render
        self.size = FoundSize(batch_size, start)
        self.texts = FoundSize(batch_size * TEXTS_PER_PICTURE)
        self.load = load
        self.batch_size = batch_size
        self.top = top

    def score(
        self, chunk: Chunk, rendered: Rendered, beforehand: Iterable[ShownPicture] | None = None
    ) -> Iterator[Answered]:
        """Answer each query of a chunk once, a batch of texts at a time.

        Pictures are encoded in one batch, or in several if they are more than `size`, or have more than MOST_WAITING
        pixels together; the features are dropped at the end. An error of a picture or of the model becomes the answer
        of the queries that it concerns. A batch for which there is no memory is halved, and so are those after it,
        until there was room for some of them. An interrupt passes through.

        Args:
            chunk: queries, grouped by their pictures.
            rendered: called with the pixels of each picture that can be rendered, before the model sees them.
            beforehand: the pictures of the chunk, rendered in this order elsewhere, of which nothing else is to be
                told; None to render them here.

        Yields:
            Some of the queries with their answers, as soon as these are known; none of them once a model that asks
            ahead was sent all questions about some pictures, before the answers are awaited.
        """
        if lacking := [query for query in chunk.queries if query.metric not in self.model.metrics]:
            yield [(query, Answer(error=f"{self.model.name} has no {query.metric} head")) for query in lacking]
        queries = [query for query in chunk.queries if query.metric in self.model.metrics]
        answered: set[str] = set()
        cramped, beside = None, 1
        try:
            for part in self._parts(queries, rendered, beforehand):
                answered.update(query.key for query, _ in part)
                yield part
        except MemoryError as error:
            cramped = error.answer if isinstance(error, _Cramped) else Answer(error=describe_error(error))
            beside = error.pictures if isinstance(error, _Cramped) else self._at_most(queries, answered)
        left = [query for query in queries if query.key not in answered]
        if cramped and left:  # after `except`, since the exception keeps pictures and tensors in memory
            self.size.failed(beside)
            let_go()
            rest = Chunk(tuple(left))
            # The last picture of a batch whose others are answered was not asked about alone: now it may fit.
            now_alone = beside > 1 and len(rest.pictures) == 1
            yield from self.score(rest, rendered) if now_alone else self._halved(left, cramped, rendered)

    def _at_most(self, queries: Sequence[Query], answered: Container[str]) -> int:
        """Return the number of pictures of a batch about the queries that are not answered."""
        return min(self.size.now, len({query.picture.key for query in queries if query.key not in answered}))

    def _parts(
        self, queries: Sequence[Query], rendered: Rendered, beforehand: Iterable[ShownPicture] | None = None
    ) -> Iterator[Answered]:
        """Render pictures, and answer the queries about them whenever enough have been collected for a batch."""
        waiting: dict[str, Image.Image] = {}
        pixels = 0  # of those that wait
        refusals: dict[str, Answer] = {}
        wanted = {picture.key: picture for picture in Chunk(tuple(queries)).pictures}
        for picture, outcome in self.render(wanted.values()) if beforehand is None else beforehand:
            if picture.key not in wanted:  # the model lacks the metric of all queries about it
                continue
            if isinstance(outcome, Answer):
                refusals[picture.key] = outcome
                continue
            if beforehand is None:
                rendered(picture, outcome)
            waiting[picture.key] = outcome
            pixels += outcome.width * outcome.height
            del outcome  # memory: freed together with `waiting`
            if len(waiting) >= self.size.now or pixels >= MOST_WAITING:
                yield from self._about(waiting, queries, rendered)
                pixels = 0
        if refusals:
            refused = [query for query in queries if query.picture.key in refusals]
            yield [(query, refusals[query.picture.key]) for query in refused]
        if waiting:
            yield from self._about(waiting, queries, rendered)

    def _about(
        self, images: dict[str, Image.Image], queries: Sequence[Query], rendered: Rendered
    ) -> Iterator[Answered]:
        """Answer the queries about the given pictures; empty `images`, which has them by key, once they are encoded.

        Raises:
            MemoryError: there is no room for all of them at once.
        """
        rows = {key: row for row, key in enumerate(images)}
        queries = [query for query in queries if query.picture.key in rows]
        pictures = Pictures(tuple(images.values()))
        images.clear()
        explained = [query for query in queries if METRICS[query.metric].explained]
        if explained:
            yield from self._ask(rows, explained, pictures, rendered)
        if len(explained) < len(queries):
            encoded = self._encode(pictures.images)
            del pictures  # memory: only the features are needed from here on
            others = [query for query in queries if not METRICS[query.metric].explained]
            yield from self._ask(rows, others, encoded, rendered)
        self.size.fitted(len(rows))

    def _ask(
        self, rows: Mapping[str, int], queries: Sequence[Query], encoded: Encoded | Answer, rendered: Rendered
    ) -> Iterator[Answered]:
        """Answer the queries about pictures that are encoded, each in the row that `rows` gives by its key."""
        if isinstance(encoded, Answer):
            yield from self._halved(queries, encoded, rendered)
            return
        batches = [*self._batches(queries)]
        if isinstance(self.model, AsksAhead):
            for batch in batches:
                self._send(encoded, [rows[ask.picture] for ask in batch], batch)
            yield []
        for batch in batches:
            asked = [rows[ask.picture] for ask in batch]
            replies = zip(asked, batch, self._replies(encoded, asked, batch), strict=True)
            yield [pair for reply in replies for pair in self._answered(encoded, *reply)]

    def _halved(self, queries: Sequence[Query], raised: Answer, rendered: Rendered) -> Iterator[Answered]:
        """Ask about each half of the pictures separately: one that cannot be encoded must not spoil the others."""
        pictures = list(dict.fromkeys(query.picture.key for query in queries))
        if len(pictures) == 1:
            yield [(query, raised) for query in queries]
            return
        first = {*pictures[: len(pictures) // 2]}
        for half in (first, {*pictures} - first):
            yield from self.score(Chunk(tuple(query for query in queries if query.picture.key in half)), rendered)

    def _encode(self, images: Sequence[Image.Image]) -> Encoded | Answer:
        """Return the images as the model encodes them, or the answer if it raises an error but for want of memory."""
        try:
            with contained(), _warnings_are_no_answer():
                encoded = encode_images(self.model, images)
                found = len(encoded)
        except (NotApplicable, UsageError, ForeignFault) as error:  # a model's exception does not end the run
            raised, cramped = _raised(error), lacks_memory(error.__cause__)
        else:
            wrong = f"the model encoded {counted(found, 'picture')} of {len(images)}"
            return encoded if found == len(images) else Answer(error=wrong)
        if cramped:  # after `except`, since the model's exception keeps its tensors in memory
            raise _Cramped(raised, len(images))
        return raised

    def _batches(self, queries: Sequence[Query]) -> Iterator[list[_Ask]]:
        """Yield batches of texts, each of one metric and wording, and of similar length: little is padded."""
        for name, metric in METRICS.items():
            shares = metric.shares_text(self.model.kinds.get(name))
            size = metric.most_texts or min(self.size.now * TEXTS_PER_PICTURE, self.texts.now)
            of_metric = [query for query in queries if query.metric == name]
            for wording in dict.fromkeys(query.wording for query in of_metric):
                own = (query for query in of_metric if query.wording == wording)
                asks = sorted(_asks(own, shares), key=_length)
                ends = ends_of_batches([len(ask.text) for ask in asks], size)
                yield from (asks[start:end] for start, end in pairwise([0, *ends]))

    def _send(self, encoded: Encoded, rows: Sequence[int], asks: Sequence[_Ask]) -> None:
        """Let a model that asks ahead send one batch of texts of one metric; faults are met with the answers."""
        texts, words = tuple(ask.text for ask in asks), tuple(ask.words for ask in asks)
        with suppress(NotApplicable, UsageError, ForeignFault), contained():
            model = cast(AsksAhead, _in_wording(self.model, asks[0].wording))
            model.begin(asks[0].queries[0].metric, encoded[rows], texts, words)

    def _replies(self, encoded: Encoded, rows: Sequence[int], asks: Sequence[_Ask]) -> list[Answer]:
        """Ask about one batch of texts of one metric and wording; return one reply a text."""
        metric = METRICS[asks[0].queries[0].metric]
        texts, words = tuple(ask.text for ask in asks), tuple(ask.words for ask in asks)
        try:
            with contained(), _warnings_are_no_answer():
                replies = metric.score(_in_wording(self.model, asks[0].wording), encoded[rows], texts, words, self.top)
        except (NotApplicable, UsageError, ForeignFault) as error:  # as in _encode
            raised, cramped = _raised(error), lacks_memory(error.__cause__)
        else:
            self.texts.fitted(len(asks))
            return [replies] * len(asks) if isinstance(replies, Answer) else replies
        return self._replies_apart(encoded, rows, asks, raised, cramped=cramped)

    def _replies_apart(
        self, encoded: Encoded, rows: Sequence[int], asks: Sequence[_Ask], raised: Answer, *, cramped: bool
    ) -> list[Answer]:
        """Ask the texts of a batch that failed again: fewer at once if memory was short, else one by one."""
        if cramped:
            self.texts.failed(len(asks))
            let_go()
            if len(asks) == 1 and len(encoded) > 1:  # there may be room beside fewer pictures
                raise _Cramped(raised, len(encoded))
        if len(asks) == 1:
            return [raised]
        # A text that the model cannot read must not spoil the answers to the others.
        size = self.texts.now if cramped else 1
        parts = (slice(start, start + size) for start in range(0, len(asks), size))
        return [reply for part in parts for reply in self._replies(encoded, rows[part], asks[part])]

    def _answered(self, encoded: Encoded, row: int, ask: _Ask, reply: Answer) -> Iterator[tuple[Query, Answer]]:
        """Yield each query with its answer; on an error ask again query by query, as one word may be the cause."""
        if reply.values or len(ask.queries) == 1:
            yield from ask.split(reply)
            return
        for query in ask.queries:
            yield query, self._replies(encoded, [row], [_Ask((query,))])[0]


def _asks(queries: Iterable[Query], share_text: bool) -> list[_Ask]:
    """Group queries that one reading of a text answers; those for other words are included if `share_text` is True."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Query]] = {}
    for query in queries:
        words = () if share_text else query.words
        groups.setdefault((query.picture.key, query.text, words), []).append(query)
    return [_Ask(tuple(group)) for group in groups.values()]


def _in_wording(model: VisionLanguageModel, wording: str) -> object:
    """Return the model that asks in a wording. Raises UsageError if it has only its usual one."""
    if not wording:
        return model
    if not isinstance(model, Rewords):
        raise UsageError(f"{model.name} is not asked a question in words")
    return model.in_wording(wording)


def _length(ask: _Ask) -> tuple[int, str, str]:
    return len(ask.text), ask.text, ask.picture


@contextmanager
def _warnings_are_no_answer() -> Iterator[None]:
    """Let a model's warnings stay warnings, also if the run turns warnings into errors."""
    with filtering("default"):
        yield


def _raised(error: NotApplicable | UsageError | ForeignFault) -> Answer:
    if isinstance(error, NotApplicable):
        return Answer(unasked=str(error))
    return Answer(error=printable(str(error)))
