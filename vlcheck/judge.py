"""Where the two halves meet: a behavior's queries go to the scorer, its margins to the statistics."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

from vlcheck.behavior import Behavior, Question, Trial, Trials
from vlcheck.cases import Case, CaseSource
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.expect import AFTER, BEFORE, Reading, Sample
from vlcheck.findings import Finding, Findings
from vlcheck.foreign import contained
from vlcheck.judgement import Judgement, Row, Shown
from vlcheck.looks import Looks, images_of
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.operating import Gauge, Operating
from vlcheck.policy import Policy, Terms, Tolerances
from vlcheck.query import Metric, Picture, Query
from vlcheck.reading import Answers, Heard, hear
from vlcheck.scale import RAW, Scale
from vlcheck.scoring.scorer import Scorer
from vlcheck.verdict import Verdict

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
    scorer: Scorer
    policy: Policy
    operating: Operating
    record: Callable[[Judgement], None] = _ignore

    @property
    def looks(self) -> Looks:
        """How often a verdict is looked at before all cases are asked about."""
        return self.operating.looks

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
        trials = self.trials.of(behavior, metric)
        for asked in self.looks.stages(trials):
            findings, rows = self._look(behavior, metric, asked)
            verdict = findings.verdict(terms.rule, self.looks.test)
            if verdict.decided:
                break
        gauge = self._gauge(behavior, metric, asked)
        judgement = Judgement(
            behavior=behavior,
            metric=metric,
            score_kind=self.adapter.kinds[metric],
            tolerances=asdict(self._tolerances(behavior, metric)),
            scale=gauge.as_dict(),
            verdict=verdict,
            known=terms.known(metric),
            rows=rows,
            tables={table.name: table.cells(findings.samples) for table in behavior.tables},
            asked=images_of(asked),
            offered=images_of(trials),
        )
        self.record(judgement)
        return judgement.verdict

    def rounds(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[list[Query]]:
        """All queries of some tests, in rounds to be answered one after the other: who is decided asks no more.

        Raises UsageError as `judge`, for metrics that the model has; of a test with a ForeignFault nothing is asked.
        """
        planned = ((one, self._stages(*one)) for one in stated if not self.lacks(one[1]))
        open_ = [(one, stages) for one, stages in planned if stages]
        for at in count():
            fresh = [trial for _, stages in open_ for trial in stages[at][len(stages[at - 1]) if at else 0 :]]
            setting = [query for one, stages in open_ for query in self.setting(*one, stages[at])]
            yield [*setting, *(query for trial in fresh for query in trial.queries())]
            more = [(one, stages) for one, stages in open_ if at + 1 < len(stages)]
            open_ = [(one, stages) for one, stages in more if not self._decided(*one, stages[at])]
            if not open_:
                return

    def _stages(self, behavior: Behavior, metric: Metric) -> list[list[Trial]]:
        """What is asked at each look; nothing where the behavior cannot be planned, which its own test says."""
        try:
            return list(self.looks.stages(self.trials.of(behavior, metric)))
        except ForeignFault:
            return []

    def _decided(self, behavior: Behavior, metric: Metric, asked: Sequence[Trial]) -> bool:
        try:
            findings, _ = self._look(behavior, metric, asked)
        except ForeignFault:  # likewise
            return True
        return findings.verdict(self._terms(behavior).rule, self.looks.test).decided

    def find(self, behavior: Behavior, metric: Metric) -> Findings:
        """What came of each case, before any verdict; scores what is not kept yet. Raises UsageError as `judge`."""
        return self._look(behavior, metric, self.trials.of(behavior, metric))[0]

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
        return Findings(behavior, tuple(finding for finding, _ in seen), gauge.hollow), tuple(row for _, row in seen)

    def _tolerances(self, behavior: Behavior, metric: Metric) -> Tolerances:
        if reason := self.lacks(metric):
            raise UsageError(reason)
        return self._terms(behavior).tolerances(metric, self.adapter.kinds[metric])

    def _terms(self, behavior: Behavior) -> Terms:
        return self.policy.of(behavior.name, behavior.bias)


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
        finding = Finding(sample, {}, NotApplicable(UNSCALED), None, False, tuple(errors))
    else:
        finding = Finding.of(sample.on(scale), behavior.expect, tolerances, tuple(errors))
    row = Row(
        case=trial.case,
        margins=finding.margins,
        reason=str(finding.reason or ""),
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
    text = view.template if question.metric == "mlm" else view.text
    level = replace(reading, scale=scale).value
    return Shown(view.picture, text, view.target, reading.score, level, reading.scores, heard.top, view.region)
