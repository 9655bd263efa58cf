"""A scorer together with the store of its answers. No other module writes answers to the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from PIL import Image

from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.models.protocol import MayChange
from vlcheck.scoring.ahead import one_ahead
from vlcheck.scoring.answer_store import AnswerStore
from vlcheck.scoring.plan import Chunk, Plan, make_plan
from vlcheck.scoring.prefetch import Prefetch
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.render import THUMBNAIL_SIDE, large_jpeg, render_all, size_of_shown, thumbnail_jpeg
from vlcheck.scoring.scorer import Answered, Scorer, ShownPicture
from vlcheck.scoring.store import Thumbnail

BETWEEN_CHECKS = 60.0  # seconds after which a model that others run is asked again whether it is still the same one


class CachedScorer:
    """A scorer with a store: it takes answers from the store, asks the model for missing ones, and keeps them.

    Answers of a model that others run are kept for later runs once `settle` finds that it is still the same one; it is
    asked every minute, so that a run that is killed loses little.

    Args:
        scorer: asks the model.
        store: the answers of the same model.
        thumbnails: whether to keep small copies of the pictures.
        ahead: whether to render the pictures of the next chunk beside the model: it is worth it on a GPU, while the
            processor waits.
    """

    def __init__(self, scorer: Scorer, store: AnswerStore, *, thumbnails: bool = True, ahead: bool = False) -> None:
        self.scorer = scorer
        self.store = store
        self.thumbnails = thumbnails
        self.prefetch = Prefetch(partial(noted, thumbnails=thumbnails), self._note) if ahead else None
        self._may_change = isinstance(scorer.model, MayChange)
        self._unsettled: set[str] = set()  # keys of answers since the last time that the model was asked
        self._noted: dict[str, Thumbnail] = {}  # of pictures that the model was shown, until they are in the store
        self._changed = ""
        self._due = time.monotonic() + BETWEEN_CHECKS
        self._refusals: dict[str, str] = {}

    @property
    def exact(self) -> CachedScorer:
        """The scorer whose answers verdicts are exact by: this one, unless it asks in a fast number type."""
        return self

    def run(self, plan: Plan, progress: Callable[[Progress], None] | None = None) -> None:
        """Answer all queries of a plan, chunk by chunk.

        Args:
            plan: the plan.
            progress: called after each chunk.

        Raises:
            UsageError: the store cannot be read or written.
        """
        started, done = time.monotonic(), 0
        for chunk in one_ahead(map(self.scoring, plan.chunks)):
            done += len(chunk.pictures)
            if progress:
                progress(Progress.since(started, done, plan.n_pictures))

    def score(self, chunk: Chunk) -> None:
        """Ask the queries of a chunk that have no answer yet, and keep each answer as soon as it is known.

        An interrupt passes through; the answers before it are kept.
        """
        for _ in self.scoring(chunk):
            pass

    def scoring(self, chunk: Chunk) -> Iterator[Chunk | None]:
        """Score a chunk as `score` does, with pauses.

        Yields:
            None whenever questions were sent whose answers are not awaited yet, or pictures are rendered that the model
            is not shown yet; the chunk once it is answered.
        """
        left = self.left(chunk)
        if self.prefetch and left.queries:
            with self.prefetch.rendering(left.pictures) as beforehand:
                yield None
                yield from self._ask(left, beforehand)
        else:
            yield from self._ask(left)
        self._keep_noted()
        self._settle_if_due()
        yield chunk

    def _ask(self, chunk: Chunk, beforehand: Iterable[ShownPicture] | None = None) -> Iterator[None]:
        for answered in self.scorer.score(chunk, self._keep, beforehand):
            self._put(answered)
            if not answered:
                yield None

    def left(self, chunk: Chunk) -> Chunk:
        """Return the queries of a chunk that have no answer yet."""
        missing = self.missing(chunk.queries)
        return Chunk(tuple(query for query in chunk.queries if query.key in missing))

    def take_in(self, answered: Answered, pictures: Mapping[str, Thumbnail]) -> None:
        """Keep what a copy of the model answered elsewhere.

        Args:
            answered: queries with their answers.
            pictures: the records of the pictures that the copy was shown, by their keys.
        """
        self._noted.update(pictures)
        self._put(answered)
        self._settle_if_due()

    def settle(self) -> str:
        """Ask a model that others run whether it is still the one of the start; keep its answers for good if it is.

        Returns:
            The change that was found now or at an earlier call, in words; "" for none, and for other models.
        """
        model, asked = self.scorer.model, frozenset(self._unsettled)
        if isinstance(model, MayChange) and not self._changed:
            self._changed = model.changed()
            if not self._changed:
                self.store.confirm(asked)
        self._unsettled -= asked
        self._due = time.monotonic() + BETWEEN_CHECKS
        return self._changed

    def settle_rest(self) -> None:
        """Do as `settle` if there are answers since its last call."""
        if self._unsettled:
            self.settle()

    def has(self, chunk: Chunk) -> bool:
        """Return True if every query of a chunk is answered."""
        return not self.missing(chunk.queries)

    def missing(self, queries: Iterable[Query]) -> set[str]:
        """Return the keys of the queries that have no answer yet."""
        return self.store.missing(query.key for query in queries)

    def answer(self, query: Query) -> Answer:
        """Return the kept answer to a query; ask the model if there is none."""
        return self.answers([query])[query.key]

    def answers(
        self, queries: Iterable[Query], progress: Callable[[Progress], None] | None = None
    ) -> dict[str, Answer]:
        """Return the answers to queries; ask the model for those that are not kept.

        Args:
            queries: the queries; equal ones are asked once.
            progress: called after each chunk of pictures that is asked about now.

        Returns:
            The answers, by the queries' keys.

        Raises:
            UsageError: the store cannot be read or written.
        """
        asked = {query.key: query for query in queries}
        kept = self.kept(asked.values())
        missing = [query for key, query in asked.items() if key not in kept]
        if not missing:
            return kept
        self.run(make_plan(missing, batch_size=self.scorer.batch_size), progress)
        return kept | self.kept(missing)

    def kept(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the answers to those of some queries that have one, by the queries' keys."""
        return self.store.get_many(queries)

    def shows(self, picture: Picture) -> bool:
        """Return True if a picture that was asked about could be rendered, whether or not the model could read it."""
        return self.store.pictures(picture.key) is not None

    def refusal(self, picture: Picture) -> str:
        """Return why a picture cannot be shown to any model; "" if it can. It is rendered unless that is known.

        Args:
            picture: a picture that the model was not asked about.
        """
        if picture.always_applies:
            return ""
        if picture.key not in self._refusals:
            ((_, outcome),) = [("", None)] if self.shows(picture) else render_all([picture])
            self._refusals[picture.key] = outcome.unasked or outcome.error if isinstance(outcome, Answer) else ""
        return self._refusals[picture.key]

    def thumbnail(self, picture: Picture) -> Thumbnail | None:
        """Return a picture's digest and small copy, or None; draw the copy again if it is wanted and missing."""
        kept = self.store.pictures(picture.key)
        if self.thumbnails and not (kept and kept.jpeg):
            for _, outcome in render_all([picture]):
                if isinstance(outcome, Image.Image):
                    self._keep(picture, outcome)
            self._keep_noted()
            kept = self.store.pictures(picture.key)
        return kept

    def enlarged(self, picture: Picture) -> bytes:
        """Return a larger copy of a picture as JPEG; b"" if its small copy has all of its pixels, or none is kept."""
        kept = self.thumbnail(picture)
        if not kept or max(size_of_shown(kept.jpeg), default=0) <= THUMBNAIL_SIDE:
            return b""
        with suppress(MemoryError):  # the small copy is there
            for _, outcome in render_all([picture]):
                return large_jpeg(outcome) if isinstance(outcome, Image.Image) else b""
        return b""

    def _keep(self, picture: Picture, image: Image.Image) -> None:
        self._note(picture, noted(image, thumbnails=self.thumbnails))

    def _note(self, picture: Picture, note: Thumbnail) -> None:
        self._noted[picture.key] = note

    def _keep_noted(self) -> None:
        if self._noted:
            self.store.keep_pictures(self._noted)
            self._noted = {}

    def _put(self, answered: Answered) -> None:
        self._keep_noted()
        self.store.put(answered)
        if self._may_change:
            self._unsettled.update(query.key for query, _ in answered)

    def _settle_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self.settle()


def noted(image: Image.Image, *, thumbnails: bool) -> Thumbnail:
    """Return what is kept of a picture that a model was shown.

    Args:
        image: the picture.
        thumbnails: whether a small copy is kept.
    """
    return Thumbnail(pixel_sha256(image), thumbnail_jpeg(image) if thumbnails else b"")
