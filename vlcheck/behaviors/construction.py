"""Trials that a model decides by construction, whatever its weights.

It answers after an edit as before, or answers one word about a picture as the other word about the picture's image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Trial
from vlcheck.cases.case import MASK
from vlcheck.cases.image_notes import pixel_sha256
from vlcheck.cases.picture import Picture, identity
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.expect.base import AFTER, BEFORE, Expectation
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.registry import METRICS
from vlcheck.models.protocol import StatesSymmetry

ALIKE = "the model answers before and after the edit alike by construction"
IMPARTIAL = "the model prefers none of the words to another by construction"
GIVEN = (ALIKE, IMPARTIAL)


class _Score(NamedTuple):
    """A number in the answer to a query: that of a word, or the only one, whose word is ""."""

    query: Query
    word: str

    @property
    def asked(self) -> tuple[str, str, str, frozenset[str]]:
        """The question without its picture."""
        return self.word, self.query.metric, self.query.text, frozenset(self.query.words)


@dataclass(frozen=True)
class Construction:
    """The scores that a model gives alike by construction, as it states itself.

    Queries are compared, not names of perturbations: a mirror of a user's own is found by its pixels.

    Attributes:
        model: the model.
    """

    model: StatesSymmetry
    _pixels: dict[str, str | None] = field(default_factory=dict, repr=False)

    def decides(self, trial: Trial, expect: Expectation) -> str:
        """Return the reason why a case says nothing of the model, one of GIVEN; "" if it says something.

        Args:
            trial: the questions about a case.
            expect: the expectation.

        Raises:
            ForeignFault: the model states something that is no query.
        """
        before, after, about = trial.arms.get(BEFORE), trial.arms.get(AFTER), getattr(expect, "about", "change")
        if not isinstance(before, Question):
            return ""
        if about == "preference" and self._is_impartial(list(_scores(before, expect))):
            return IMPARTIAL
        if about == "change" and isinstance(after, Question) and self._is_alike(before, after, expect):
            return ALIKE
        return ""

    def _is_alike(self, before: Question, after: Question, expect: Expectation) -> bool:
        """Return True if all that is read after is the same as what is read before."""
        same = [image for score in _scores(before, expect) if (image := self._image(score))]
        return bool(same) and all(any(self._is(score, image) for image in same) for score in _scores(after, expect))

    def _is_impartial(self, scores: Sequence[_Score]) -> bool:
        """Return True if each score is, about the image of the picture, that of another word or text."""
        images = [(score, self._image(score)) for score in scores]
        return len(scores) > 1 and all(
            image and any(image.asked == other.asked for other in scores if other != score) for score, image in images
        )

    def _image(self, score: _Score) -> _Score | None:
        """Return the other score of a pair that is alike; None if there is none, as for maps, which move along."""
        query = score.query
        image = None if METRICS[query.metric].explained else self.model.symmetric(query)
        if image is None:
            return None
        if not isinstance(image, Query):
            raise ForeignFault(f"the model's symmetric returned {type(image).__name__}, not a Query or None")
        if len(image.words) != len(query.words):
            raise ForeignFault(f"the model's symmetric returned {len(image.words)} words for {len(query.words)}")
        return _Score(image, image.words[query.words.index(score.word)] if score.word else "")

    def _is(self, score: _Score, other: _Score) -> bool:
        return score.asked == other.asked and self._shows_the_same(score.query.picture, other.query.picture)

    def _shows_the_same(self, picture: Picture, image: Picture) -> bool:
        if picture.key == image.key:
            return True
        # An edit of vlcheck has one name for what it does: both pictures are drawn only if a foreign edit or another
        # order of the same edits may show the same.
        drawn = (_is_foreign(picture, image) or _is_reordered(picture, image)) and self._sha256(picture)
        return bool(drawn) and drawn == self._sha256(image)

    def _sha256(self, picture: Picture) -> str | None:
        """Return a hash of a picture's pixels; None if it cannot be drawn."""
        if picture.key not in self._pixels:
            self._pixels[picture.key] = _drawn(picture)
        return self._pixels[picture.key]


def _scores(question: Question, expect: Expectation) -> Iterator[_Score]:
    """Yield the scores that an expectation reads: those of the target, and of the words that it is compared with."""
    read = {question.view.target, *expect.words(question.view)}
    for key, query in question.queries.items():
        if key in read:
            yield _Score(query, "")
        elif key == MASK:
            yield from (_Score(query, word) for word in query.words if word in read)


def _is_foreign(picture: Picture, image: Picture) -> bool:
    """Return True if code that is not vlcheck's made a picture different from another one."""
    if picture.source.key != image.source.key:
        return type(picture.source) is not type(image.source) and not _is_ours(picture.source)
    return not all(map(_is_ours, picture.edits))


def _is_reordered(picture: Picture, image: Picture) -> bool:
    """Return True if two pictures have the same source, and the same edits in different orders."""
    same_source = picture.source.key == image.source.key
    return same_source and sorted(map(identity, picture.edits)) == sorted(map(identity, image.edits))


def _is_ours(part: object) -> bool:
    return type(part).__module__.startswith("vlcheck.")


def _drawn(picture: Picture) -> str | None:
    try:
        with contained():
            return pixel_sha256(to_rgb(picture.render()))
    except (NotApplicable, UsageError, ForeignFault):  # the answer to its queries has the reason
        return None
