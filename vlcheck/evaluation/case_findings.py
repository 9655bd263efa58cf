"""The finding on one case, and its row of the evidence, from the answers to the queries of its trial."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.evaluation.calibration import Gauge
from vlcheck.evaluation.evidence import Row, Shown
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.steps import NOT_COUNTED
from vlcheck.expect.base import AFTER, BEFORE, Sample, Unscaled
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard
from vlcheck.metrics.registry import METRICS, hear
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.scoring.cached import CachedScorer
from vlcheck.stats.operating_scale import RAW, Scale

UNSCALED = "no other images have set the scale to read it on"


@dataclass(frozen=True)
class HeardTrial:
    """A trial with what the model has answered so far.

    Attributes:
        trial: the trial.
        heard: for each arm that was asked about, the reading, or the answer that says why there is none.
    """

    trial: Trial
    heard: Mapping[str, Heard | Answer]

    @classmethod
    def of(cls, trial: Trial, answers: Answers) -> HeardTrial:
        """Return a trial with the answers that are about it.

        Args:
            trial: the trial.
            answers: answers about any trials, by the queries' keys.
        """
        asked = {arm: one for arm, one in trial.arms.items() if isinstance(one, str) or _is_asked(one, answers)}
        return cls(trial, {arm: hear(question, answers) for arm, question in asked.items()})

    @property
    def absent(self) -> dict[str, str]:
        """The reason why an arm that was asked about has no reading, by arm."""
        return {arm: one.unasked or one.error for arm, one in self.heard.items() if isinstance(one, Answer)}

    @property
    def errors(self) -> tuple[str, ...]:
        """The messages of what went wrong."""
        return tuple(one.error for one in self.heard.values() if isinstance(one, Answer) and one.error)

    def sample(self, absent: Mapping[str, str], askable: bool) -> Sample:
        """Return the case's readings.

        Args:
            absent: the reason why an arm has no reading, by arm; other arms without one are withheld.
            askable: whether the data allows the case.
        """
        trial = self.trial
        readings = {arm: one.reading for arm, one in self.heard.items() if isinstance(one, Heard)}
        withheld = frozenset(trial.arms) - readings.keys() - absent.keys()
        return Sample(trial.case, readings, absent, trial.perturbation, askable, trial.rivals, trial.given, withheld)


@dataclass(frozen=True)
class CaseReader:
    """Reads the cases of a behavior under one metric.

    Attributes:
        behavior: the behavior.
        tolerances: the policy's tolerances.
        gauge: the scales on which the cases are read.
        scorer: knows which pictures can be shown.
    """

    behavior: Behavior
    tolerances: Tolerances
    gauge: Gauge
    scorer: CachedScorer

    def is_out(self, one: HeardTrial) -> bool:
        """Return True if a case does not count, whatever the model would answer about the views that are left."""
        return isinstance(self._finding(one, one.sample(one.absent, askable=True)).reason, NOT_COUNTED)

    def finding(self, one: HeardTrial) -> Finding:
        """Return the finding on a case; views that were not asked about have to be ones that it does not need."""
        absent = one.absent
        absent |= self._refusals(one.trial, one.heard)
        askable = self.gauge.judges(one.trial.case) and self._askable(one.trial, absent)
        return self._finding(one, one.sample(absent, askable))

    def row(self, one: HeardTrial, finding: Finding) -> Row:
        """Return the case's row of the evidence.

        Args:
            one: the trial with the model's answers.
            finding: the finding on it.
        """
        scale = self.gauge.scale(one.trial.case) or RAW
        before, after = (_shown(one, arm, scale) for arm in (BEFORE, AFTER))
        return Row(
            case=one.trial.case,
            margins=finding.margins,
            reason=str(finding.reason or ""),
            violated=finding.violated,
            before=before,
            after=after,
            perturbation=one.trial.perturbation,
            effect=finding.effect,
            shares=finding.shares,
        )

    def _finding(self, one: HeardTrial, sample: Sample) -> Finding:
        scale = self.gauge.scale(sample.case)
        if scale is None and not sample.given:
            return Finding(sample, {}, Unscaled(UNSCALED), None, False, one.errors)
        return Finding.of(sample.on(scale or RAW), self.behavior.expect, self.tolerances, one.errors)

    def _askable(self, trial: Trial, absent: Collection[str]) -> bool:
        """Return True if the data allows the case: its pictures can be drawn, and the edits change something."""
        unheard = [trial.arms[arm] for arm in trial.needed if arm in absent]
        shows = self.scorer.shows
        return trial.askable and all(shows(one.view.picture) for one in unheard if isinstance(one, Question))

    def _refusals(self, trial: Trial, heard: Collection[str]) -> Mapping[str, str]:
        """Return why needed pictures that the model was not asked about cannot be shown, by arm; none for the others.

        So the data alone decides whether a case is refused, or only does not count.
        """
        unasked = {arm: trial.arms.get(arm) for arm in trial.needed if arm not in heard}
        found = {
            arm: self.scorer.refusal(one.view.picture) for arm, one in unasked.items() if isinstance(one, Question)
        }
        return {arm: reason for arm, reason in found.items() if reason}


def _is_asked(question: Question, answers: Answers) -> bool:
    return all(query.key in answers for query in question.queries.values())


def _shown(one: HeardTrial, arm: str, scale: Scale) -> Shown | None:
    """Return a view with the model's answer; None if it has no reading."""
    question, heard = one.trial.arms.get(arm), one.heard.get(arm)
    if not isinstance(question, Question) or not isinstance(heard, Heard):
        return None
    view, reading, metric = question.view, heard.reading, METRICS[question.metric]
    return Shown(
        picture=view.picture,
        text=metric.said(view),
        target=view.target,
        value=reading.score,
        level=replace(reading, scale=scale).value,
        scores=reading.scores,
        top=heard.top,
        boxes=view.region,
        other_boxes=view.other_region,
        bar=metric.bar(heard),
    )
