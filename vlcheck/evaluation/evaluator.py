"""Where the two halves meet: a behavior's queries go to the scorer, its margins to the statistics."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.schedule import Schedule, images_of
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource
from vlcheck.cases.picture import Picture
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.calibration import Gauge, Operating
from vlcheck.evaluation.evidence import Judgement, Row, Shown
from vlcheck.evaluation.outcomes import Finding, Findings
from vlcheck.expect.base import AFTER, BEFORE, Sample, Unscaled
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard, Reading
from vlcheck.metrics.registry import METRICS, hear
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.policy.policy import Policy, Terms
from vlcheck.scoring.cached import CachedScorer
from vlcheck.stats.operating_scale import RAW, Scale
from vlcheck.stats.verdict import Verdict

UNSCALED = "no other images have set the scale to read it on"


def _ignore(judgement: Judgement) -> None:
    """Keep nothing of a judgement but its verdict."""


@dataclass(frozen=True)
class ModelUnderTest:
    """A model with the data it is asked about, the scorer that asks it and the policy it is held to.

    Attributes:
        adapter: the model itself.
        trials: of any behavior, on the cases.
        operating: the model's operating scales.
        record: is handed every judgement.
    """

    adapter: VisionLanguageModel
    trials: Trials
    scorer: CachedScorer
    policy: Policy
    operating: Operating
    record: Callable[[Judgement], None] = _ignore
    _ended: dict[tuple[str, Metric], _Ended] = field(default_factory=dict, repr=False)

    @property
    def schedule(self) -> Schedule:
        """How often a verdict is looked at before all cases are asked about."""
        return self.operating.schedule

    @property
    def source(self) -> CaseSource:
        """The cases."""
        return self.trials.source

    def score(self, case: Case, metric: Metric) -> float:
        """The score of a case as it is, in [0, 1]; mlm over the closed set where there is one.

        Raises:
            UsageError: where it cannot be scored.
        """
        try:
            question = self.trials.plain(case, metric)
        except NotApplicable as reason:
            raise UsageError(f"case {case.id}: {reason}") from reason
        answer = hear(question, self.scorer.answers(question.queries.values()))
        if isinstance(answer, Heard):
            return answer.reading.score
        raise UsageError(f"case {case.id}: {answer.error or answer.unasked}")

    def lacks(self, metric: Metric) -> str:
        """Why the model cannot be asked for a metric; "" where it can."""
        return lacks(self.adapter, metric)

    @contained()
    def examine(self, behavior: Behavior, metric: Metric, case: Case) -> Row:
        """The evidence of one of the behavior's cases; scores what is not kept yet. Raises UsageError as `judge`.

        Of several perturbations it is the row of the one that speaks most clearly against the model.
        """
        tolerances = self._tolerances(behavior, metric)
        trials = self.trials.of_case(behavior, metric, case)
        answers = self.scorer.answers(query for trial in trials for query in trial.queries())
        gauge = self._gauge(behavior, metric, self.trials.of(behavior, metric))
        rows = [_find(trial, behavior, tolerances, answers, gauge, self.scorer.shows)[1] for trial in trials]
        return min(rows, key=_standing)

    @contained()
    def judge(self, behavior: Behavior, metric: Metric) -> Verdict:
        """Score what is not kept yet, and say whether the behavior holds.

        Raises:
            UsageError: where the model cannot be asked for the metric, or the data or the policy lacks something.
            ForeignFault: where the behavior's selection, perturbation, expectation or tables raise.
        """
        terms = self._terms(behavior)
        asked = self._asked(behavior, metric)
        findings, rows = self._look(behavior, metric, asked)
        verdict = findings.verdict(terms.rule, self.schedule.test)
        gauge = self._gauge(behavior, metric, asked)
        judgement = Judgement(
            behavior=behavior,
            metric=metric,
            score_kind=self.adapter.kinds[metric],
            tolerances=asdict(self._tolerances(behavior, metric)),
            scale=gauge.record,
            verdict=verdict,
            known=terms.known(metric),
            gates=terms.on(verdict.status) == "fail",
            rows=rows,
            tables={table.name: table.cells(findings.samples) for table in behavior.tables},
            asked=images_of(asked),
            offered=max(images_of(asked), images_of(self.trials.of(behavior, metric))),
        )
        self.record(judgement)
        return judgement.verdict

    def rounds(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[list[Query]]:
        """All queries of some tests, in rounds to be answered one after the other: who is decided asks no more.

        Raises UsageError as `judge`, for metrics that the model has; of a test with a ForeignFault nothing is asked.
        """
        open_ = [(one, self._stages(*one), 0) for one in stated if not self.lacks(one[1])]
        while open_:
            going, queries = [], []
            for one, stages, before in open_:
                with suppress(ForeignFault):  # which its own test says
                    if asked := next(stages, None):
                        fresh = (query for trial in asked[before:] for query in trial.queries())
                        queries += [*self.setting(*one, asked), *fresh]
                        going.append((one, stages, len(asked)))
            open_ = going
            if queries:
                yield queries

    def _asked(self, behavior: Behavior, metric: Metric) -> Sequence[Trial]:
        """Return all that a verdict rests on; scores what is not kept yet."""
        found = self._ended.get((behavior.name, metric))
        if found is None or found.behavior != behavior:
            deque(self._stages(behavior, metric), maxlen=0)
            found = self._ended[behavior.name, metric]
        return found.trials

    def _stages(self, behavior: Behavior, metric: Metric) -> Iterator[Sequence[Trial]]:
        """Yield what has been asked at each look, the last one that at which it ends: to be resumed once answered."""
        asked: Sequence[Trial] = ()
        for asked in self._drawn(behavior, metric):
            yield asked
            if self.schedule.settled(partial(self._verdict, behavior, metric, asked)):
                break
        self._ended[behavior.name, metric] = _Ended(behavior, asked)

    def _drawn(self, behavior: Behavior, metric: Metric) -> Iterator[Sequence[Trial]]:
        """Yield what is asked, and more of it until as many images count as were asked for.

        An image counts or not, whether it holds or is violated: how many are drawn hangs on the first alone. Of images
        that are drawn independently, those that count therefore violate as independently, and as often, as in a
        sample of fixed size (inverse sampling: the n-th success ends it, and no mark of the successes does). Where the
        cap ends it, the same is true given how many count.
        """
        asked: Sequence[Trial] = ()
        for asked in self.schedule.stages(self.trials.of(behavior, metric)):
            yield asked
        spare = self.trials.spare(behavior, metric)
        for first in spare:
            lacking = self._lacking(behavior, metric, asked)
            if lacking <= 0:
                return
            asked = [*asked, *first, *chain.from_iterable(islice(spare, lacking - 1))]
            yield asked

    def _lacking(self, behavior: Behavior, metric: Metric, asked: Sequence[Trial]) -> int:
        """Return how many more images to ask about, so that as many count as were asked for.

        An image that the data refuses when it is drawn, as one whose edit changes nothing, is replaced; those that it
        refuses undrawn `Trials.of` has replaced. One that does not count for what the model answers is replaced as
        long as a verdict could be valid.
        """
        findings, _ = self._look(behavior, metric, asked)
        if findings.broken():
            return 0
        n = self._wanted(behavior, metric)
        refused = n - findings.askable
        if refused > 0 or findings.futile:
            return refused
        return n - findings.images

    def _wanted(self, behavior: Behavior, metric: Metric) -> int:
        """Return how many images are to count: where a run is sequential, the first ones only set the scale."""
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        images = {trial.case.image.key for trial in self.trials.of(behavior, metric) if trial.askable}
        return self.source.images - sum(not self.operating.judges(metric, scaling, image) for image in images)

    def _verdict(self, behavior: Behavior, metric: Metric, asked: Sequence[Trial]) -> Verdict:
        findings, _ = self._look(behavior, metric, asked)
        return findings.verdict(self._terms(behavior).rule, self.schedule.test)

    def find(self, behavior: Behavior, metric: Metric) -> Findings:
        """What came of each case, before any verdict; scores what is not kept yet. Raises UsageError as `judge`."""
        return self._look(behavior, metric, self._asked(behavior, metric))[0]

    def setting(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Iterator[Query]:
        """Yield the queries that set the scale of some trials. Raises UsageError as `judge`."""
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        return self.operating.queries(metric, scaling, [trial.case.image.key for trial in trials])

    def _gauge(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Gauge:
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        return self.operating.gauge(metric, scaling, [trial.case.image.key for trial in trials])

    @contained()
    def _look(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> tuple[Findings, tuple[Row, ...]]:
        tolerances = self._tolerances(behavior, metric)
        answers = self.scorer.answers(query for trial in trials for query in trial.queries())
        gauge, shows = self._gauge(behavior, metric, trials), self.scorer.shows
        seen = [_find(trial, behavior, tolerances, answers, gauge, shows) for trial in trials]
        found, rows = zip(*seen, strict=True) if seen else ((), ())
        return Findings(behavior, found, gauge.hollow, self._wanted(behavior, metric)), rows

    def _tolerances(self, behavior: Behavior, metric: Metric) -> Tolerances:
        if reason := self.lacks(metric):
            raise UsageError(reason)
        return self._terms(behavior).tolerances(metric, self.adapter.kinds[metric])

    def _terms(self, behavior: Behavior) -> Terms:
        return self.policy.of(behavior.name, behavior.bias)


@dataclass(frozen=True)
class _Ended:
    """What a behavior's verdict under a metric rests on."""

    behavior: Behavior
    trials: Sequence[Trial]


def _standing(row: Row) -> float:
    """The margin as rows are put in order by it: no number is worst, and none at all says nothing."""
    if row.margin is None:
        return math.inf
    return -math.inf if math.isnan(row.margin) else row.margin


def _find(
    trial: Trial,
    behavior: Behavior,
    tolerances: Tolerances,
    answers: Answers,
    gauge: Gauge,
    shows: Callable[[Picture], bool],
) -> tuple[Finding, Row]:
    scale = gauge.scale(trial.case)
    readings: dict[str, Reading] = {}
    absent: dict[str, str] = {}
    errors: list[str] = []
    shown: dict[str, Shown] = {}
    for arm, question in trial.arms.items():
        heard = hear(question, answers)
        if isinstance(heard, Heard):
            readings[arm] = heard.reading
            if isinstance(question, Question) and arm in (BEFORE, AFTER):
                shown[arm] = _show(question, heard, scale or RAW)
        else:
            absent[arm] = heard.unasked or heard.error
            errors += [heard.error] if heard.error else []
    askable = gauge.judges(trial.case) and _askable(trial, absent, shows)
    sample = Sample(trial.case, readings, absent, trial.perturbation, askable)
    if scale is None:
        finding = Finding(sample, {}, Unscaled(UNSCALED), None, False, tuple(errors))
    else:
        finding = Finding.of(sample.on(scale), behavior.expect, tolerances, tuple(errors))
    row = Row(
        case=trial.case,
        margins=finding.margins,
        reason=str(finding.reason or ""),
        violated=finding.violated,
        before=shown.get(BEFORE),
        after=shown.get(AFTER),
        perturbation=trial.perturbation,
        effect=finding.effect,
    )
    return finding, row


def _askable(trial: Trial, absent: Collection[str], shows: Callable[[Picture], bool]) -> bool:
    """Whether the data lets the case be asked: an edit may turn out to change nothing when the picture is drawn."""
    unheard = [trial.arms[arm] for arm in trial.needed if arm in absent]
    return trial.askable and all(shows(one.view.picture) for one in unheard if isinstance(one, Question))


def _show(question: Question, heard: Heard, scale: Scale) -> Shown:
    view, reading = question.view, heard.reading
    level = replace(reading, scale=scale).value
    text = METRICS[question.metric].said(view)
    return Shown(view.picture, text, view.target, reading.score, level, reading.scores, heard.top, view.region)
