"""A scorer and the store of its answers: the one place where they meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from PIL import Image

from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.plan import Chunk, Plan, make_plan
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.render import render_all, thumbnail_jpeg
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore, Thumbnail


class CachedScorer:
    """Answer queries from a store; ask a scorer what is missing, and keep it.

    Args:
        scorer: asks the model.
        store: of the same model's answers.
        thumbnails: whether to keep small copies of the pictures.
    """

    def __init__(self, scorer: Scorer, store: ScoreStore, *, thumbnails: bool = True) -> None:
        self.scorer = scorer
        self.store = store
        self.thumbnails = thumbnails

    def run(self, plan: Plan, progress: Callable[[Progress], None] | None = None) -> None:
        """Score every chunk; call `progress` after each."""
        started, done = time.monotonic(), 0
        for chunk in plan.chunks:
            self.score(chunk)
            done += len(chunk.pictures)
            if progress:
                progress(Progress.since(started, done, plan.n_pictures))

    def score(self, chunk: Chunk) -> None:
        """Ask the queries of a chunk that are not answered yet, and keep each answer as soon as it is known.

        An interrupt passes through; the answers before it are kept.
        """
        missing = self.store.missing(query.key for query in chunk.queries)
        left = Chunk(tuple(query for query in chunk.queries if query.key in missing))
        for answered in self.scorer.score(left, self._keep):
            self.store.put(answered)

    def has(self, chunk: Chunk) -> bool:
        """Return whether every query of a chunk is answered."""
        return not self.store.missing(query.key for query in chunk.queries)

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
            self.run(make_plan(missing, batch_size=self.scorer.batch_size), progress)
        return kept | self.store.get_many(missing)

    def shows(self, picture: Picture) -> bool:
        """Return whether a picture that was asked about could be shown, whatever the model made of it."""
        return self.store.pictures(picture.key) is not None

    def thumbnail(self, picture: Picture) -> Thumbnail | None:
        """Return the kept copy of a picture; render the picture once more where a copy is wanted and missing."""
        kept = self.store.pictures(picture.key)
        if self.thumbnails and not (kept and kept.jpeg):
            for _, outcome in render_all([picture]):
                if isinstance(outcome, Image.Image):
                    self._keep(picture, outcome)
            kept = self.store.pictures(picture.key)
        return kept

    def _keep(self, picture: Picture, image: Image.Image) -> None:
        self.store.keep_picture(picture.key, pixel_sha256(image), thumbnail_jpeg(image) if self.thumbnails else b"")
