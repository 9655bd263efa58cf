"""The evaluator: it sends a behavior's queries to the scorer, and its margins to the statistics."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice, zip_longest

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.schedule import Schedule, images_of
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource
from vlcheck.cases.picture import Picture
from vlcheck.datasets.tags import strange_tags
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.blind_control import BlindControl
from vlcheck.evaluation.calibration import Gauge, Operating
from vlcheck.evaluation.evidence import Judgement, Row, Shown
from vlcheck.evaluation.outcomes import Finding, Findings
from vlcheck.evaluation.told import told
from vlcheck.evaluation.verified import Round, Verifier
from vlcheck.expect.base import AFTER, BEFORE, Sample, Unscaled
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard, Reading
from vlcheck.metrics.registry import METRICS, hear
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.policy.policy import Policy, Terms
from vlcheck.results.records import ToldRecord, WordingRecord
from vlcheck.scoring.cached import CachedScorer
from vlcheck.stats.operating_scale import RAW, Scale
from vlcheck.stats.verdict import Verdict

UNSCALED = "no other images have set the scale to read it on"


def _ignore(judgement: Judgement) -> None:
    """Do nothing; the default of `ModelUnderTest.record`."""


@dataclass(frozen=True)
class ModelUnderTest:
    """A model together with the data, the scorer and the policy that it is tested with.

    Attributes:
        adapter: the model.
        trials: the trials of behaviors on the cases.
        scorer: asks the model, and keeps its answers.
        policy: the policy.
        operating: the model's operating scales.
        control: a control to compare choices between sentences with; None for none.
        reworded: the model in the other wordings of its question, if it is to be judged in them, too.
        verifier: finds what has to be asked in the exact number type, too; None if `scorer` asks in no other.
        record: called with each judgement.
    """

    adapter: VisionLanguageModel
    trials: Trials
    scorer: CachedScorer
    policy: Policy
    operating: Operating
    control: BlindControl | None = None
    reworded: tuple[ModelUnderTest, ...] = ()
    verifier: Verifier | None = None
    record: Callable[[Judgement], None] = _ignore
    _ended: dict[tuple[str, Metric], _Ended] = field(default_factory=dict, repr=False)

    @property
    def schedule(self) -> Schedule:
        """The schedule: how often a verdict is computed while images are asked about."""
        return self.operating.schedule

    @property
    def source(self) -> CaseSource:
        """The source of the cases."""
        return self.trials.source

    def score(self, case: Case, metric: Metric) -> float:
        """Return the score of an unperturbed case, in [0, 1]; for mlm its share of the closed set, if the case has one.

        Args:
            case: the case.
            metric: the metric.

        Raises:
            UsageError: the case cannot be scored.
        """
        try:
            question = self.trials.plain(case, metric)
        except NotApplicable as reason:
            raise UsageError(f"case {case.id}: {reason}") from reason
        answer = hear(question, self.scorer.exact.answers(question.queries.values()))
        if isinstance(answer, Heard):
            return answer.reading.score
        raise UsageError(f"case {case.id}: {answer.error or answer.unasked}")

    def lacks(self, metric: Metric) -> str:
        """Return the reason why the model cannot be asked for a metric; "" if it can."""
        return lacks(self.adapter, metric)

    @contained()
    def examine(self, behavior: Behavior, metric: Metric, case: Case) -> Row:
        """Return the evidence of one of a behavior's cases; ask the model if answers are missing.

        Args:
            behavior: the behavior.
            metric: the metric.
            case: the case.

        Returns:
            The row; with several perturbations, the one that speaks most clearly against the model.

        Raises:
            UsageError: Under the same conditions as `judge`.
            ForeignFault: Under the same conditions as `judge`.
        """
        tolerances = self._tolerances(behavior, metric)
        trials = self.trials.of_case(behavior, metric, case)
        self._look(behavior, metric, trials)  # asks what is missing, also in the exact type
        answers = self.scorer.answers(query for trial in trials for query in trial.queries())
        gauge = self._gauge(behavior, metric, self.trials.of(behavior, metric))
        rows = [_find(trial, behavior, tolerances, answers, gauge, self.scorer.shows)[1] for trial in trials]
        return min(rows, key=_standing)

    @contained()
    def judge(self, behavior: Behavior, metric: Metric) -> Verdict:
        """Return the verdict of a behavior under a metric; ask the model if answers are missing.

        Args:
            behavior: the behavior.
            metric: the metric.

        Raises:
            UsageError: the model does not have the metric, or the data or the policy lacks something.
            ForeignFault: the behavior's selection, perturbation, expectation or tables raise.
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
            told=self._told(behavior, findings, terms),
            wordings=tuple(self._in_other_wordings(behavior, metric)),
            rows=rows,
            tables={
                **{table.name: table.cells(findings.samples) for table in behavior.tables},
                **findings.leads(terms.rule, self.schedule.test),
            },
            asked=images_of(asked),
            offered=max(images_of(asked), images_of(self.trials.of(behavior, metric))),
        )
        self.record(judgement)
        return judgement.verdict

    def _in_other_wordings(self, behavior: Behavior, metric: Metric) -> Iterator[WordingRecord]:
        """Yield the verdict in each other wording of the question, if the metric is answered in words."""
        for one in self.reworded if METRICS[metric].worded else ():
            found = one._verdict(behavior, metric, one._asked(behavior, metric))
            yield WordingRecord(
                wording=one.trials.wording,
                status=found.status,
                reason=found.reason,
                n=found.n,
                rate=found.rate,
                effect=found.effect,
            )

    def against(self, control: BlindControl | None) -> ModelUnderTest:
        """Return the model with a control to compare choices with, in each wording of its question."""
        return replace(self, control=control, reworded=tuple(replace(one, control=control) for one in self.reworded))

    def _told(self, behavior: Behavior, findings: Findings, terms: Terms) -> ToldRecord | None:
        learnt = self.trials.learnt(behavior)
        return told(self.source.accepted(behavior.cases), learnt, findings, terms.rule.alpha) if learnt else None

    def rounds(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[Round]:
        """Yield the queries of some tests in rounds, in each wording; see `_steps`."""
        tests = list(stated)
        worded = [one for one in tests if METRICS[one[1]].worded]
        in_each = [self._steps(tests), *(one._steps(worded) for one in self.reworded)]
        for together in zip_longest(*in_each, fillvalue=()):
            rounds = list(chain.from_iterable(together))
            for scorer in dict.fromkeys(one.scorer for one in rounds):
                yield Round([query for one in rounds if one.scorer is scorer for query in one.queries], scorer)

    def _steps(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[Sequence[Round]]:
        """Yield the queries of some tests in steps, each to be answered before the next; a decided test asks no more.

        Tests whose metric the model lacks, and tests whose own code raises, ask nothing. Raises UsageError as `judge`.
        """
        open_ = [(one, self._stages(*one), 0) for one in stated if not self.lacks(one[1])]
        while open_:
            going, asked, fresh, setting = [], [], list[Query](), list[Query]()
            for one, stages, before in open_:
                with suppress(ForeignFault):  # reported when the test itself is judged
                    if trials := next(stages, None):
                        setting += self.setting(*one, trials)
                        fresh += (query for trial in trials[before:] for query in trial.queries())
                        going.append((one, stages, len(trials)))
                        asked.append((*one, trials))
            open_ = going
            if self.verifier:
                yield from self.verifier.steps(setting, fresh, partial(self._all_doubtful, asked))
            elif setting or fresh:
                yield [Round([*setting, *fresh], self.scorer)]

    def _all_doubtful(self, asked: Iterable[tuple[Behavior, Metric, Sequence[Trial]]]) -> list[Query]:
        """Return the doubtful queries of some tests; those whose own code raises have none."""
        found: list[Query] = []
        for one in asked:
            with suppress(ForeignFault):  # reported when the test itself is judged
                found += self._doubtful(*one)
        return found

    def _doubtful(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> list[Query]:
        """Return the queries to ask in the exact type, so that nothing that a verdict counts of some trials differs."""
        return self._doubts(behavior, metric, trials, self._read(behavior, metric, trials)[0])

    def _doubts(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], findings: Findings) -> list[Query]:
        if self.verifier is None:
            return []
        rule, tolerances = self._terms(behavior).rule, self._tolerances(behavior, metric)
        return self.verifier.doubtful(findings, trials, tolerances, rule, self.schedule.test)

    def _asked(self, behavior: Behavior, metric: Metric) -> Sequence[Trial]:
        """Return all trials that a verdict rests on; ask the model if answers are missing."""
        found = self._ended.get((behavior.name, metric))
        if found is None or found.behavior != behavior:
            deque(self._stages(behavior, metric), maxlen=0)
            found = self._ended[behavior.name, metric]
        return found.trials

    def _stages(self, behavior: Behavior, metric: Metric) -> Iterator[Sequence[Trial]]:
        """Yield the trials asked so far at each look, until the verdict is decided.

        The caller has them answered before it takes the next ones.
        """
        asked: Sequence[Trial] = ()
        for asked in self._drawn(behavior, metric):
            yield asked
            if self.schedule.settled(partial(self._verdict, behavior, metric, asked)):
                break
        self._ended[behavior.name, metric] = _Ended(behavior, asked)

    def _drawn(self, behavior: Behavior, metric: Metric) -> Iterator[Sequence[Trial]]:
        """Yield the trials at each look, and then more of them until the requested number of images counts.

        Further images are drawn for those that do not count. An image counts or not independently of whether it holds
        or is violated, so the number of draws does not depend on the violations. If images are drawn independently,
        those that count are therefore violated as independently, and as often, as in a sample of fixed size: under
        inverse sampling the n-th success ends the drawing, and no other property of the successes does. If the limit on
        images ends it, the same is true given the number that counts.
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
        """Return the number of further images to ask about, so that the requested number counts; 0 or less for none.

        `Trials.of` has replaced the images that the data refuses before they are drawn. This method replaces images
        that turn out to be refused when they are drawn, e.g. because an edit changes nothing. It also replaces images
        that do not count because of the model's answers, as long as the verdict could be valid.
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
        """Return the number of images that should count; in a sequential run the first ones only set the scale."""
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        images = {trial.case.image.key for trial in self.trials.of(behavior, metric) if trial.askable}
        return self.source.images - sum(not self.operating.judges(metric, scaling, image) for image in images)

    def _verdict(self, behavior: Behavior, metric: Metric, asked: Sequence[Trial]) -> Verdict:
        findings, _ = self._look(behavior, metric, asked)
        return findings.verdict(self._terms(behavior).rule, self.schedule.test)

    def find(self, behavior: Behavior, metric: Metric) -> Findings:
        """Return the findings on a behavior's cases, without a verdict; ask the model if answers are missing.

        Args:
            behavior: the behavior.
            metric: the metric.

        Raises:
            UsageError: Under the same conditions as `judge`.
            ForeignFault: Under the same conditions as `judge`.
        """
        return self._look(behavior, metric, self._asked(behavior, metric))[0]

    def setting(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Iterator[Query]:
        """Yield the queries that set the scales of some trials.

        Args:
            behavior: the behavior of the trials.
            metric: the metric.
            trials: the trials.

        Raises:
            UsageError: Under the same conditions as `judge`.
        """
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        return self.operating.queries(metric, scaling, [trial.case.image.key for trial in trials])

    def _gauge(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Gauge:
        scaling = self._terms(behavior).scaling(metric, self.adapter.kinds[metric])
        return self.operating.gauge(metric, scaling, [trial.case.image.key for trial in trials])

    @contained()
    def _look(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> tuple[Findings, tuple[Row, ...]]:
        if self.verifier:
            self.verifier.begin(query for trial in trials for query in trial.queries())
        while True:
            findings, rows = self._read(behavior, metric, trials)
            doubtful = self._doubts(behavior, metric, trials, findings)
            if not (self.verifier and doubtful):
                return findings, rows
            self.verifier.ask_again(doubtful)

    @contained()
    def _read(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> tuple[Findings, tuple[Row, ...]]:
        """Return the findings and evidence on some trials, from the answers that there are."""
        tolerances = self._tolerances(behavior, metric)
        answers = self.scorer.answers(query for trial in trials for query in trial.queries())
        gauge, shows = self._gauge(behavior, metric, trials), self.scorer.shows
        if self.control:
            trials = self.control.beside(behavior, metric, trials)
        seen = [_find(trial, behavior, tolerances, answers, gauge, shows) for trial in trials]
        found, rows = zip(*seen, strict=True) if seen else ((), ())
        strange = "" if seen else strange_tags(behavior.cases, self.source.cases)
        return Findings(behavior, found, gauge.hollow, self._wanted(behavior, metric), strange), rows

    def _tolerances(self, behavior: Behavior, metric: Metric) -> Tolerances:
        if reason := self.lacks(metric):
            raise UsageError(reason)
        return self._terms(behavior).tolerances(metric, self.adapter.kinds[metric])

    def _terms(self, behavior: Behavior) -> Terms:
        return self.policy.of(behavior.name, behavior.bias)


@dataclass(frozen=True)
class _Ended:
    """The trials that a behavior's verdict under a metric rests on."""

    behavior: Behavior
    trials: Sequence[Trial]


def _standing(row: Row) -> float:
    """Return the key by which rows are sorted, the worst first: the margin; NaN comes first, no margin last."""
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
    sample = Sample(trial.case, readings, absent, trial.perturbation, askable, trial.rivals, trial.given)
    if scale is None and not trial.given:
        finding = Finding(sample, {}, Unscaled(UNSCALED), None, False, tuple(errors))
    else:
        finding = Finding.of(sample.on(scale or RAW), behavior.expect, tolerances, tuple(errors))
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
    """Return True if the data allows the case: its pictures can be drawn, and the edits change something."""
    unheard = [trial.arms[arm] for arm in trial.needed if arm in absent]
    return trial.askable and all(shows(one.view.picture) for one in unheard if isinstance(one, Question))


def _show(question: Question, heard: Heard, scale: Scale) -> Shown:
    view, reading = question.view, heard.reading
    level = replace(reading, scale=scale).value
    metric = METRICS[question.metric]
    return Shown(
        picture=view.picture,
        text=metric.said(view),
        target=view.target,
        value=reading.score,
        level=level,
        scores=reading.scores,
        top=heard.top,
        boxes=view.region,
        bar=metric.bar(heard),
    )
