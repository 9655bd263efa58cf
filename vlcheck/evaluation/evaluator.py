"""The evaluator: it sends a behavior's queries to the scorer, and its margins to the statistics."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice, zip_longest

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.schedule import Schedule, images_of
from vlcheck.behaviors.tables import arms_of
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource
from vlcheck.cases.picture import Picture
from vlcheck.datasets.tags import strange_tags
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.blind_control import BlindControl
from vlcheck.evaluation.calibration import Gauge, Operating
from vlcheck.evaluation.evidence import Judgement, Row, Shown
from vlcheck.evaluation.outcomes import Finding, Findings
from vlcheck.evaluation.steps import NOT_COUNTED, Parts, Round, Step, gather, merged, queries_of
from vlcheck.evaluation.told import told
from vlcheck.evaluation.verified import Verifier
from vlcheck.expect.base import AFTER, BEFORE, Sample, Unscaled
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Answers, Heard
from vlcheck.metrics.registry import METRICS, hear
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.policy.policy import Policy, Terms
from vlcheck.results.records import ToldRecord, WordingRecord
from vlcheck.scoring.cached import CachedScorer
from vlcheck.stats.operating_scale import RAW, Scale
from vlcheck.stats.verdict import Verdict

_Asked = Callable[[Behavior, Metric, Sequence[Trial]], list[Query]]
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
        rows = [_find(trial, behavior, tolerances, answers, gauge, self.scorer)[1] for trial in trials]
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
        gauge, samples = self._gauge(behavior, metric, asked), self._tabled(behavior, metric, asked, findings)
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
                **{table.name: table.cells(samples) for table in behavior.tables},
                **findings.leads(terms.rule, self.schedule.test),
            },
            asked=images_of(asked),
            offered=max(images_of(asked), images_of(self.trials.of(behavior, metric))),
        )
        self.record(judgement)
        return judgement.verdict

    def _tabled(
        self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], findings: Findings
    ) -> Sequence[Sample]:
        """Return the samples of some findings, with the readings that only the tables need."""
        if not (aside := self._aside(behavior, metric, trials)):
            return findings.samples
        return self._seen(behavior, metric, trials, [*self._deciding(behavior, metric, trials), *aside])[0].samples

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
        """Yield the queries of some tests in rounds, in each wording; see `_rounds`."""
        tests = list(stated)
        worded = [one for one in tests if METRICS[one[1]].worded]
        in_each = [self._rounds(tests), *(one._rounds(worded) for one in self.reworded)]
        for together in zip_longest(*in_each, fillvalue=()):
            yield from merged(chain.from_iterable(together))

    def _rounds(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[list[Round]]:
        """Yield the queries of some tests in rounds, each to be answered before the next; a decided test asks no more.

        A scorer is asked a query in one round alone. Tests whose metric the model lacks, and tests whose own code
        raises, ask nothing. Raises UsageError as `judge`.
        """
        open_ = [self._steps(*one) for one in stated if not self.lacks(one[1])]
        had: set[tuple[CachedScorer, str]] = set()
        while open_:
            going, together = [], []
            for steps in open_:
                with suppress(ForeignFault):  # reported when the test itself is judged
                    if step := next(steps, None):
                        together.append(step)
                        going.append(steps)
            open_ = going
            fresh = [one.without(had) for one in gather(together, self.scorer)]
            rounds = self.verifier.sampled(fresh) if self.verifier else fresh
            if any(one.queries for one in rounds):
                yield rounds

    def _asked(self, behavior: Behavior, metric: Metric) -> Sequence[Trial]:
        """Return all trials that a verdict rests on; ask the model if answers are missing."""
        found = self._ended.get((behavior.name, metric))
        if found is None or found.behavior != behavior:
            deque(self._steps(behavior, metric), maxlen=0)
            found = self._ended[behavior.name, metric]
        return found.trials

    def _steps(self, behavior: Behavior, metric: Metric) -> Iterator[Step]:
        """Yield what to ask, step by step at each look, until the verdict is decided.

        The caller has a step answered before it takes the next one.
        """
        asked: Sequence[Trial] = ()
        for asked in self._drawn(behavior, metric):
            parts = [Parts.of(trial, behavior.expect) for trial in asked]
            if self.verifier:  # what sets the scale is exact
                yield Step(tuple(self.setting(behavior, metric, asked)), scorer=self.scorer.exact)
            opening = [*self.setting(behavior, metric, asked), *queries_of(part.opening for part in parts)]
            later = queries_of(step for part in parts for step in (part.closing, part.aside))
            yield Step(tuple(opening), tuple(later))
            yield from self._settling(behavior, metric, asked, self._opening)
            if closing := tuple(self._closing(behavior, metric, asked)):
                yield Step(closing)
            yield from self._settling(behavior, metric, asked, self._deciding)
            if self.schedule.settled(partial(self._verdict, behavior, metric, asked)):
                break
        self._ended[behavior.name, metric] = _Ended(behavior, asked)
        if aside := tuple(self._aside(behavior, metric, asked)):
            yield Step(aside)

    def _settling(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], asked: _Asked) -> Iterator[Step]:
        """Yield what to ask in the exact type, until nothing is in doubt that the answers to some queries say.

        Args:
            behavior: the behavior.
            metric: the metric.
            trials: the trials.
            asked: returns the queries.
        """
        if not self.verifier or self.verifier.is_settled(asked.__name__, behavior, metric, trials):
            return
        self.verifier.begin(asked(behavior, metric, trials))
        while doubtful := self._doubtful(behavior, metric, trials, asked(behavior, metric, trials)):
            yield Step(tuple(doubtful), scorer=self.scorer.exact)
            self.verifier.ask_again(doubtful)
        self.verifier.settle(asked.__name__, behavior, metric, trials)

    @contained()
    def _doubtful(
        self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], asked: Sequence[Query]
    ) -> list[Query]:
        """Return the queries to ask in the exact type, as far as the answers to some queries tell."""
        if self.verifier is None:
            return []
        findings, _ = self._seen(behavior, metric, trials, asked)
        rule, tolerances = self._terms(behavior).rule, self._tolerances(behavior, metric)
        keys = {query.key for query in asked}
        return self.verifier.doubtful(findings, trials, keys, tolerances, rule, self.schedule.test)

    @contained()
    def _closing(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> list[Query]:
        """Return the queries about further views of the cases that may count, as far as the first ones tell."""
        parts = [Parts.of(trial, behavior.expect) for trial in trials]
        answers = self.scorer.answers(queries_of(part.opening for part in parts))
        gauge, tolerances = self._gauge(behavior, metric, trials), self._tolerances(behavior, metric)
        return [
            query
            for trial, part in zip(trials, parts, strict=True)
            if part.closing and not _is_out(trial, behavior, tolerances, answers, gauge)
            for query in queries_of([part.closing])
        ]

    @contained()
    def _aside(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> list[Query]:
        """Return the queries that only the tables of a verdict need that says something of the model."""
        parts = [Parts.of(trial, behavior.expect).aside for trial in trials] if behavior.tables else []
        if not any(parts):
            return []
        findings, _ = self._look(behavior, metric, trials)
        if findings.futile:
            return []
        wanted = arms_of(behavior.tables, findings.samples)
        return [
            query
            for part, finding in zip(parts, findings.each, strict=True)
            if finding.margins
            for query in queries_of([{arm: part[arm] for arm in part.keys() & wanted}])
        ]

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

    def find_in_full(self, behavior: Behavior, metric: Metric) -> Findings:
        """Return the same findings with the model's answers about every view, also of cases that do not count.

        So they can be judged under other tolerances. Raises UsageError and ForeignFault as `judge`.

        Args:
            behavior: the behavior.
            metric: the metric.
        """
        trials = self._asked(behavior, metric)
        with contained():
            return self._seen(behavior, metric, trials, [query for trial in trials for query in trial.queries()])[0]

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
        for asked in (self._opening, self._deciding) if self.verifier else ():
            deque(self._settling(behavior, metric, trials, asked), maxlen=0)
        return self._seen(behavior, metric, trials, self._deciding(behavior, metric, trials))

    def _opening(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> list[Query]:
        """Return the queries that tell whether the cases may count."""
        return list(queries_of(Parts.of(trial, behavior.expect).opening for trial in trials))

    def _deciding(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> list[Query]:
        """Return the queries that decide whether the cases count, and whether those that count hold."""
        return [*self._opening(behavior, metric, trials), *self._closing(behavior, metric, trials)]

    def _seen(
        self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], asked: Iterable[Query]
    ) -> tuple[Findings, tuple[Row, ...]]:
        """Return the findings on some trials, and their evidence, from the answers to some of their queries."""
        tolerances, gauge = self._tolerances(behavior, metric), self._gauge(behavior, metric, trials)
        answers = self.scorer.answers(asked)
        if self.control:
            trials = self.control.beside(behavior, metric, trials)
        seen = [_find(trial, behavior, tolerances, answers, gauge, self.scorer) for trial in trials]
        found, rows = zip(*seen, strict=True) if seen else ((), ())
        strange = "" if seen else strange_tags(behavior.cases, self.source.tags)
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
    scorer: CachedScorer,
) -> tuple[Finding, Row]:
    heard = {arm: hear(question, answers) for arm, question in trial.arms.items() if _is_asked(question, answers)}
    absent = {arm: one.unasked or one.error for arm, one in heard.items() if isinstance(one, Answer)}
    errors = tuple(one.error for one in heard.values() if isinstance(one, Answer) and one.error)
    absent |= _refusals(trial, heard, scorer)
    askable = gauge.judges(trial.case) and _askable(trial, absent, scorer.shows)
    sample = _sample(trial, heard, absent, askable)
    finding, scale = _judge(sample, behavior, tolerances, gauge, errors), gauge.scale(trial.case)
    shown = {
        arm: _show(question, one, scale or RAW)
        for arm in (BEFORE, AFTER)
        if isinstance(question := trial.arms.get(arm), Question) and isinstance(one := heard.get(arm), Heard)
    }
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


def _is_out(trial: Trial, behavior: Behavior, tolerances: Tolerances, answers: Answers, gauge: Gauge) -> bool:
    """Return True if a case does not count, whatever the model would answer about the views without an answer."""
    heard = {arm: hear(question, answers) for arm, question in trial.arms.items() if _is_asked(question, answers)}
    absent = {arm: one.unasked or one.error for arm, one in heard.items() if isinstance(one, Answer)}
    sample = _sample(trial, heard, absent, askable=True)
    return isinstance(_judge(sample, behavior, tolerances, gauge).reason, NOT_COUNTED)


def _is_asked(question: Question | str, answers: Answers) -> bool:
    return isinstance(question, str) or all(query.key in answers for query in question.queries.values())


def _sample(trial: Trial, heard: Mapping[str, Heard | Answer], absent: Mapping[str, str], askable: bool) -> Sample:
    readings = {arm: one.reading for arm, one in heard.items() if isinstance(one, Heard)}
    withheld = frozenset(trial.arms) - readings.keys() - absent.keys()
    return Sample(trial.case, readings, absent, trial.perturbation, askable, trial.rivals, trial.given, withheld)


def _judge(
    sample: Sample, behavior: Behavior, tolerances: Tolerances, gauge: Gauge, errors: tuple[str, ...] = ()
) -> Finding:
    scale = gauge.scale(sample.case)
    if scale is None and not sample.given:
        return Finding(sample, {}, Unscaled(UNSCALED), None, False, errors)
    return Finding.of(sample.on(scale or RAW), behavior.expect, tolerances, errors)


def _refusals(trial: Trial, heard: Collection[str], scorer: CachedScorer) -> Mapping[str, str]:
    """Return why the pictures of needed views that the model was not asked about cannot be shown, as far as they can't.

    So it is the data alone that decides whether a case is refused or only not counted.
    """
    unasked = {arm: question for arm, question in trial.arms.items() if arm in trial.needed - set(heard)}
    found = {arm: scorer.refusal(one.view.picture) for arm, one in unasked.items() if isinstance(one, Question)}
    return {arm: reason for arm, reason in found.items() if reason}


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
