"""Calibration: the operating scale of a model, fitted to its scores of own and other pictures.

The scale is fitted to one sample of the data, whichever tests are selected: cases of an object, each with its own
picture, for which the caption is true, and with another one, for which it is false. The suite asks about these pairs
anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeGuard

from vlcheck._util.numbers import brief, counted, figure
from vlcheck.behaviors.made_trials import RECENT
from vlcheck.behaviors.schedule import ONCE, Division, Schedule
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, Selection, with_target
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard, Reading
from vlcheck.metrics.registry import METRICS, OF_PICTURES, RELATIVE, hear
from vlcheck.perturb import OtherImage
from vlcheck.perturb.combine import refuting_case
from vlcheck.policy.policy import Scaling
from vlcheck.results.records import ScaleRecord
from vlcheck.stats.operating_scale import (
    RAW,
    Scale,
    Separation,
    fit_alone,
    fit_closed,
    fit_shares,
    separation,
    with_power,
)

OBJECTS = with_target("object")
FEWEST = 6  # pairs that a scale is fitted to; with fewer, the lower bound of the area never exceeds 0.6
Pair = tuple[Reading, Reading]


@dataclass(frozen=True)
class Lesson:
    """A fitted scale, and how well the scores that it was fitted to separate own pictures from other ones.

    Attributes:
        scale: the scale.
        separation: the area under the ROC curve of own against other pictures.
    """

    scale: Scale
    separation: Separation


@dataclass(frozen=True)
class Gauge:
    """The scales on which the cases of one test are read.

    Attributes:
        lessons: for each group of images, the scale fitted to images of other groups; None where it cannot be used yet.
        division: the division of images into groups; None if raw scores are used.
        whole: the scale fitted to all pairs; None if there are too few pairs, or the policy asks for raw scores.
        reason: why raw scores are used; "" if they are not.
        hollow: why a pass would mean nothing; "" if it means something.
        demanded: the scale that the policy asks for.
        untaught: groups whose scale rests on too few pairs.
    """

    lessons: Mapping[int, Lesson | None]
    division: Division | None = None
    whole: Lesson | None = None
    reason: str = ""
    hollow: str = ""
    demanded: Literal["calibrated", "raw"] = "calibrated"
    untaught: frozenset[int] = frozenset()

    def judges(self, case: Case) -> bool:
        """Return True if a case may count; in a sequential run the first images only set the scale of later ones."""
        return self.division is None or self.division.group(case.image.key) not in self.untaught

    def scale(self, case: Case) -> Scale | None:
        """Return the scale on which a case is read; None if no other images have set one yet."""
        if self.division is None:
            return RAW
        lesson = self.lessons[self.division.group(case.image.key)]
        return lesson.scale if lesson else None

    @property
    def record(self) -> ScaleRecord:
        """The scale as a verdict's line in the results file has it."""
        reason = self.reason or self.hollow
        figures: dict[str, Any] = {}
        if self.whole:
            scale, told = self.whole.scale, self.whole.separation
            figures = {"gain": scale.gain, "offset": scale.offset, "power": scale.power}
            figures |= {"auc": told.auc, "auc_low": told.low, "pairs": told.pairs}
        return ScaleRecord(demanded=self.demanded, used="raw" if reason else "calibrated", reason=reason, **figures)


def raw(reason: str, hollow: str = "", whole: Lesson | None = None) -> Gauge:
    """Return the gauge for raw scores.

    Args:
        reason: why they are used.
        hollow: why a pass would mean nothing; "" if it means something.
        whole: the scale fitted to all pairs, if there is one.
    """
    return Gauge({}, whole=whole, reason=reason, hollow=hollow)


class Paired(NamedTuple):
    """A case, and one with another picture, for which the text of the first is false.

    Attributes:
        own: the case.
        other: the other one.
    """

    own: Case
    other: Case

    @property
    def images(self) -> frozenset[str]:
        """The keys of both pictures."""
        return frozenset({self.own.image.key, self.other.image.key})


@dataclass(frozen=True)
class Operating:
    """The operating scales of a model.

    Attributes:
        trials: the questions about the data's cases.
        kinds: the model's kind of score by metric.
        schedule: the schedule; it determines which images may set the scale of which others.
        ask: function that answers queries.
    """

    trials: Trials
    kinds: Mapping[str, str]
    schedule: Schedule
    ask: Callable[[Iterable[Query]], Answers]
    _pairs: dict[Metric, tuple[Paired, ...]] = field(default_factory=dict, repr=False)
    _taught: dict[tuple[Metric, int], list[Paired]] = field(default_factory=dict, repr=False)
    _lessons: dict[tuple[Metric, int], Lesson | None] = field(default_factory=dict, repr=False)
    _made: dict[tuple[Metric, str], tuple[Question, Question]] = field(default_factory=dict, repr=False)

    def gauge(self, metric: Metric, scaling: Scaling, images: Iterable[str]) -> Gauge:
        """Return the scales on which the cases of some images are read.

        Args:
            metric: the metric.
            scaling: the policy's scale for it.
            images: keys of all images that are judged.
        """
        if scaling.scale == "raw" or metric not in OF_PICTURES:
            reason = "the policy asks for them" if scaling.scale == "raw" else f"{metric} has no other scale"
            return Gauge({}, reason=reason, demanded="raw")
        if few := self._too_few(metric):
            return raw(few, few if scaling.uncalibrated == "invalid" else "")
        groups = {self._division.group(image) for image in images}
        summit = self._division.summit(groups)
        whole = self._lesson(metric, summit)
        hollow = _hollow(whole, scaling.auc)
        if hollow and not self._division.continues(summit):
            return raw(hollow, hollow, whole)
        lessons = {group: None if hollow else self._sound(metric, group) for group in groups}
        untaught = frozenset(group for group in groups if len(self._teaching(metric, group)) < FEWEST)
        return Gauge(lessons, self._division, whole, hollow=hollow, untaught=untaught)

    def judges(self, metric: Metric, scaling: Scaling, image: str) -> bool:
        """Return True if an image may count; in a sequential run the first images only set the scale of the later ones.

        Args:
            metric: the metric.
            scaling: the policy's scale for it.
            image: the image's key.
        """
        if scaling.scale == "raw" or metric not in OF_PICTURES or self._too_few(metric):
            return True
        return len(self._teaching(metric, self._division.group(image))) >= FEWEST

    def queries(self, metric: Metric, scaling: Scaling, images: Iterable[str]) -> Iterator[Query]:
        """Yield the queries that set the scales of some images.

        Args:
            metric: the metric.
            scaling: the policy's scale for it.
            images: keys of the images that are judged.
        """
        if scaling.scale == "raw" or metric not in OF_PICTURES or self._too_few(metric):
            return
        summit = self._division.summit({self._division.group(image) for image in images})
        yield from self._asked(metric, self._teaching(metric, summit))

    def _too_few(self, metric: Metric) -> str:
        """Return the reason why the data has too few pairs to fit a scale; "" if it has enough."""
        if all(len(self._teaching(metric, group)) >= FEWEST for group in self._division.demanded):
            return ""
        found = f"{counted(len(self._paired(metric)), 'pair')} of an own and another picture: too few to calibrate"
        return f"{found}: each image needs {FEWEST} of other images"

    def _lesson(self, metric: Metric, group: int) -> Lesson | None:
        """Return a group's fitted scale; None if too few pairs could be scored."""
        if (metric, group) not in self._lessons:
            teaching = self._teaching(metric, group)
            answers = self.ask(self._asked(metric, teaching))
            both = (self._questions(metric, pair) for pair in teaching)
            heard = ((hear(own, answers), hear(other, answers)) for own, other in both)
            told = [(own.reading, other.reading) for own, other in heard if _heard(own) and _heard(other)]
            self._lessons[metric, group] = learn(metric, self.kinds[metric], told)
        return self._lessons[metric, group]

    def _sound(self, metric: Metric, group: int) -> Lesson | None:
        """Return a group's fitted scale if its gain is above 0, else None."""
        lesson = self._lesson(metric, group)
        return lesson if lesson and lesson.scale.gain > 0 else None

    def _teaching(self, metric: Metric, group: int) -> list[Paired]:
        """Return the pairs that set a group's scale."""
        if (metric, group) not in self._taught:
            teaches = self._division.teaches
            found = [pair for pair in self._paired(metric) if all(teaches(image, group) for image in pair.images)]
            self._taught[metric, group] = found
        return self._taught[metric, group]

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        """The cases that scales are fitted to: objects, as most tests ask about; all cases if there are few objects."""
        source = self.trials.source
        objects = source.select(OBJECTS)
        enough = len(objects) >= 2 * FEWEST
        return objects if enough else source.select(Selection(tuple(sorted(source.tags))))

    @cached_property
    def _division(self) -> Division:
        return self.schedule.division([case.image.key for case in self._cases])

    def _paired(self, metric: Metric) -> tuple[Paired, ...]:
        if metric not in self._pairs:
            self._pairs[metric] = tuple(self._pair_up(metric))
        return self._pairs[metric]

    def _pair_up(self, metric: Metric) -> Iterator[Paired]:
        others: dict[int, tuple[Case, ...]] = {}
        for case in self._cases:
            group = self._division.group(case.image.key)
            if group not in others:
                beside = self._division.beside(case.image.key)
                chosen = tuple(one for one in self._cases if beside(one.image.key))
                others[group] = self._cases if len(chosen) == len(self._cases) else chosen  # memory: as good as equal
            try:
                pair = Paired(case, refuting_case(case, others[group]))
                self._questions(metric, pair)
            except NotApplicable:
                continue
            yield pair

    def _questions(self, metric: Metric, pair: Paired) -> tuple[Question, Question]:
        """Return the questions about a case with its own picture and with the other one; the first ones are kept.

        Raises:
            NotApplicable: the metric cannot be asked about the case.
        """
        at = metric, pair.own.id
        if found := self._made.get(at):
            return found
        own = View.of(pair.own)
        other = OtherImage()(own, [pair.other])
        made = self.trials.question(own, metric), self.trials.question(other, metric)
        if len(self._made) < RECENT:
            self._made[at] = made
        return made

    def _asked(self, metric: Metric, pairs: Iterable[Paired]) -> Iterator[Query]:
        """Yield the queries about some pairs."""
        for pair in pairs:
            for question in self._questions(metric, pair):
                yield from question.queries.values()


def ahead(trials: Trials, kinds: Mapping[str, str], schedule: Schedule = ONCE) -> Operating:
    """Return the scales of a model for a preview: the queries that set them are known, and none is asked.

    Args:
        trials: the questions about the data's cases.
        kinds: the model's kind of score by metric.
        schedule: the schedule.
    """

    def refuse(queries: Iterable[Query]) -> Answers:
        raise AssertionError("no scale is fitted before something is scored")

    return Operating(trials, kinds, schedule, refuse)


def learn(metric: Metric, kind: str, told: Sequence[Pair]) -> Lesson | None:
    """Fit a scale to readings of own and other pictures.

    Args:
        metric: the metric.
        kind: the model's kind of score for it.
        told: for each case the reading with its own picture and with another one.

    Returns:
        The scale; None if fewer than FEWEST pairs have finite scores.
    """
    told = [pair for pair in told if all(math.isfinite(score) for one in pair for score in one.scores.values())]
    if len(told) < FEWEST:
        return None
    own, other = ([reading.score for reading in readings] for readings in zip(*told, strict=True))
    return Lesson(_fit(metric, kind, told), separation(own, other))


def _fit(metric: Metric, kind: str, told: Sequence[Pair]) -> Scale:
    if kind in RELATIVE:
        return fit_shares([(reading.raw, max(reading.foils, 1)) for reading, _ in told])
    alone = fit_alone([reading.raw for reading, _ in told], [reading.raw for _, reading in told])
    closed = [(one.raw, [one.scores[word] for word in one.candidates]) for one, _ in told if one.candidates]
    if not METRICS[metric].closed_sets:
        return alone
    return with_power(alone, fit_closed(closed) if closed else max(alone.gain, 0.0))


def _hollow(lesson: Lesson | None, least: float) -> str:
    """Return the reason why a pass would mean nothing; "" if it means something."""
    if lesson is None:
        return "the pairs of pictures that set the scale could not be scored"
    told = lesson.separation
    if told.low > least:
        return "" if lesson.scale.gain > 0 else "own pictures score no higher on average than other ones"
    return (
        f"own and other pictures are not told apart: area under the curve {figure(told.auc, 2)}, at least"
        f" {figure(told.low, 2, (least,))} in {counted(told.pairs, 'pair')}, has to be above {brief(least)}"
    )


def _heard(answer: Heard | Answer) -> TypeGuard[Heard]:
    return isinstance(answer, Heard)
