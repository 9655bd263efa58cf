"""Trials that a model decides by construction: it answers after an edit as before, whatever its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Trial
from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.expect.base import AFTER, BEFORE, Expectation
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.models.protocol import StatesSymmetry

GIVEN = "the model answers before and after the edit alike by construction"


@dataclass(frozen=True)
class Construction:
    """What a model answers alike by construction, as it states itself.

    Queries are compared, not names of perturbations: a mirror of a user's own is found by its pixels.

    Attributes:
        model: the model.
    """

    model: StatesSymmetry
    _pixels: dict[str, str | None] = field(default_factory=dict, repr=False)

    def decides(self, trial: Trial, expect: Expectation) -> bool:
        """Return True if each query after is answered as one before, and the expectation is about nothing else.

        Args:
            trial: the questions about a case.
            expect: the expectation.

        Raises:
            ForeignFault: the model states no query.
        """
        before, after = trial.arms.get(BEFORE), trial.arms.get(AFTER)
        if not isinstance(before, Question) or not isinstance(after, Question) or getattr(expect, "of_truth", False):
            return False
        images = list(self._images(before))
        return bool(images) and all(
            any(self._asks_the_same(query, image) for image in images) for query in after.queries.values()
        )

    def _images(self, question: Question) -> Iterator[Query]:
        """Yield the other query of each pair that the model answers alike."""
        for query in question.queries.values():
            image = self.model.symmetric(query)
            if image is None:
                continue
            if not isinstance(image, Query):
                raise ForeignFault(f"the model's symmetric returned {type(image).__name__}, not a Query or None")
            yield image

    def _asks_the_same(self, query: Query, image: Query) -> bool:
        texts = (query.metric, query.text, {*query.words}) == (image.metric, image.text, {*image.words})
        return texts and self._shows_the_same(query.picture, image.picture)

    def _shows_the_same(self, picture: Picture, image: Picture) -> bool:
        if picture.key == image.key:
            return True
        # An edit of vlcheck has one name for what it does; only foreign edits are worth drawing both pictures.
        drawn = _is_foreign(picture, image) and self._sha256(picture)
        return bool(drawn) and drawn == self._sha256(image)

    def _sha256(self, picture: Picture) -> str | None:
        """Return a hash of a picture's pixels; None if it cannot be drawn."""
        if picture.key not in self._pixels:
            self._pixels[picture.key] = _drawn(picture)
        return self._pixels[picture.key]


def _is_foreign(picture: Picture, image: Picture) -> bool:
    """Return True if code that is not vlcheck's made a picture different from another one."""
    if picture.source.key != image.source.key:
        return type(picture.source) is not type(image.source) and not _is_ours(picture.source)
    return not all(map(_is_ours, picture.edits))


def _is_ours(part: object) -> bool:
    return type(part).__module__.startswith("vlcheck.")


def _drawn(picture: Picture) -> str | None:
    try:
        with contained():
            return pixel_sha256(to_rgb(picture.render()))
    except (NotApplicable, UsageError, ForeignFault):  # the answer to its queries has the reason
        return None
