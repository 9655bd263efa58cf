"""The evaluator: it sends a behavior's queries to the scorer, and its margins to the statistics."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, zip_longest

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.made_trials import RECENT, images_of_trials, parted, taken
from vlcheck.behaviors.schedule import Schedule, images_of
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.blind_control import BlindControl
from vlcheck.evaluation.calibration import Operating
from vlcheck.evaluation.case_findings import CaseReader, HeardTrial
from vlcheck.evaluation.evidence import Judgement, Row
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.inquiry import Ended, Inquiry, findings_of, read_trials
from vlcheck.evaluation.judged_rows import JudgedRows
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.slim_findings import kept_of
from vlcheck.evaluation.steps import Agenda, Round, Step, merged
from vlcheck.evaluation.told import told
from vlcheck.evaluation.verified import Verifier
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.reading import Heard
from vlcheck.metrics.registry import METRICS, hear
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.models.protocol import VisionLanguageModel, lacks
from vlcheck.policy.policy import Policy, Terms
from vlcheck.results.records import ToldRecord, WordingRecord
from vlcheck.scoring.cached import CachedScorer
from vlcheck.stats.verdict import Verdict


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
    _ended: dict[tuple[str, Metric], Ended] = field(default_factory=dict, repr=False)
    _readers: dict[tuple[str, Metric], CaseReader] = field(default_factory=dict, repr=False)

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
        trials = self.trials.of_case(behavior, metric, case)
        Inquiry.settle(self, behavior, metric, trials)
        reader = self._reader_of_all(behavior, metric)
        answers = self.scorer.answers(query for trial in trials for query in trial.queries())
        heard = [HeardTrial.of(trial, answers) for trial in trials]
        return min((reader.row(one, reader.finding(one)) for one in heard), key=_standing)

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
        terms, ended = self.terms(behavior), self._asked(behavior, metric)
        reader = self.reader(behavior, metric, ended.trials)
        findings, rows = self._findings_and_rows(reader, metric, ended)
        verdict = findings.verdict(terms.rule, self.schedule.test)
        judgement = Judgement(
            behavior=behavior,
            metric=metric,
            score_kind=self.adapter.kinds[metric],
            tolerances=asdict(reader.tolerances),
            scale=reader.gauge.record,
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
            asked=images_of(ended.trials),
            offered=max(images_of(ended.trials), images_of(self.trials.of(behavior, metric))),
        )
        del findings  # memory: what follows goes through the rows once more
        self.record(judgement)
        return judgement.verdict

    def _findings_and_rows(self, reader: CaseReader, metric: Metric, ended: Ended) -> tuple[Findings, Sequence[Row]]:
        """Return the findings on the trials that a verdict rests on, and their rows, read again if they are many."""

        def read(places: range) -> list[tuple[HeardTrial, Finding]]:
            return read_trials(self, reader, metric, taken(ended.trials, places), ended.queries(places))

        def rows(found: Iterable[tuple[HeardTrial, Finding]]) -> Iterator[Row]:
            return (reader.row(one, finding) for one, finding in found)

        number, wanted = len(ended.trials), self.wanted(ended.behavior, metric)
        if number <= RECENT:
            found = read(range(number))
            return findings_of(self, reader, tuple(finding for _, finding in found), wanted), tuple(rows(found))
        each = (finding for places in parted(number) for _, finding in read(places))
        kept = tuple(kept_of(each, ended.behavior, number))
        return findings_of(self, reader, kept, wanted), JudgedRows(lambda places: rows(read(places)), number)

    def _in_other_wordings(self, behavior: Behavior, metric: Metric) -> Iterator[WordingRecord]:
        """Yield the verdict in each other wording of the question, if the metric is answered in words."""
        for one in self.reworded if METRICS[metric].worded else ():
            found = one.find(behavior, metric).verdict(one.terms(behavior).rule, one.schedule.test)
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
        """Yield the queries of some tests in rounds, each to be answered before the next, in each wording.

        A scorer is asked a query in one round alone. A decided test asks no more, unless the answers of a verified run
        to other tests put it in doubt again.

        Args:
            stated: the behaviors, each with a metric. Tests whose metric the model lacks, and tests whose own code
                raises, ask nothing.

        Raises:
            UsageError: Under the same conditions as `judge`.
        """
        tests = [one for one in stated if not self.lacks(one[1])]
        worded = [one for one in tests if METRICS[one[1]].worded]
        open_ = [(self, tests), *((one, worded) for one in self.reworded)]
        agendas = [Agenda(one.scorer) for one, _ in open_]
        while any(left for _, left in open_):
            in_each = [one._rounds(left, agenda) for (one, left), agenda in zip(open_, agendas, strict=True)]
            for together in zip_longest(*in_each, fillvalue=()):
                yield from merged(chain.from_iterable(together))
            open_ = [(one, one._reopened(left)) for one, left in open_]

    def _rounds(self, tests: Iterable[tuple[Behavior, Metric]], agenda: Agenda) -> Iterator[list[Round]]:
        open_ = [Inquiry(self, *one).steps() for one in tests]
        while open_:
            begun = _begun(open_)
            open_ = [*begun]
            rounds = agenda.rounds(begun.values())
            del begun  # memory: while they are asked, the queries are in the rounds alone
            if self.verifier:
                rounds = self.verifier.sampled(rounds)
            if any(one.queries for one in rounds):
                yield rounds
            del rounds

    def _reopened(self, tests: Iterable[tuple[Behavior, Metric]]) -> list[tuple[Behavior, Metric]]:
        """Return the tests of which something is in doubt by what is known now; their inquiries have not ended then."""
        ended = ((one, self._ended.get((one[0].name, one[1]))) for one in tests)
        reopened = [one for one, end in ended if end and end.behavior == one[0] and not self._is_settled(end, one[1])]
        for behavior, metric in reopened:
            del self._ended[behavior.name, metric]
        return reopened

    def at_once(self, stated: Iterable[tuple[Behavior, Metric]]) -> Iterator[Query]:
        """Yield all that some tests may ask before further images are drawn, in each wording.

        Args:
            stated: the behaviors, each with a metric; nothing is asked under a metric that the model lacks.
        """
        for behavior, metric in stated:
            for model in (self, *(self.reworded if METRICS[metric].worded else ())):
                with suppress(ForeignFault):  # reported when the test itself is judged
                    if not model.lacks(metric):
                        yield from Inquiry(model, behavior, metric).at_once()

    def find(self, behavior: Behavior, metric: Metric) -> Findings:
        """Return the findings on a behavior's cases, without a verdict; ask the model if answers are missing.

        Args:
            behavior: the behavior.
            metric: the metric.

        Raises:
            UsageError: Under the same conditions as `judge`.
            ForeignFault: Under the same conditions as `judge`.
        """
        ended = self._asked(behavior, metric)
        if ended.found and not self.control:
            reader = self.reader(behavior, metric, ended.trials)
            return findings_of(self, reader, ended.found, self.wanted(behavior, metric))
        return self._findings(behavior, metric, ended.trials, ended.queries)

    def find_in_full(self, behavior: Behavior, metric: Metric) -> Findings:
        """Return the same findings with the model's answers about every view, also of cases that do not count.

        So they can be judged under other tolerances. Raises UsageError and ForeignFault as `judge`.

        Args:
            behavior: the behavior.
            metric: the metric.
        """
        trials = self._asked(behavior, metric).trials
        return self._findings(
            behavior, metric, trials, lambda places: (query for at in places for query in trials[at].queries())
        )

    @contained()
    def _findings(
        self, behavior: Behavior, metric: Metric, trials: Sequence[Trial], queries: Callable[[range], Iterable[Query]]
    ) -> Findings:
        reader = self.reader(behavior, metric, trials)
        parts = ((taken(trials, places), queries(places)) for places in parted(len(trials)))
        found = (finding for part in parts for _, finding in read_trials(self, reader, metric, *part))
        return findings_of(self, reader, tuple(found), self.wanted(behavior, metric))

    def _asked(self, behavior: Behavior, metric: Metric) -> Ended:
        """Return what a verdict rests on; ask the model if answers are missing."""
        found = self._ended.get((behavior.name, metric))
        while found is None or found.behavior != behavior or not self._is_settled(found, metric):
            deque(Inquiry(self, behavior, metric).steps(), maxlen=0)
            found = self._ended[behavior.name, metric]
        return found

    def _is_settled(self, ended: Ended, metric: Metric) -> bool:
        """Return True if nothing that a verdict rests on is in doubt by what is known now."""
        return not self.verifier or ended.is_settled(self.verifier, metric)

    def end(self, metric: Metric, ended: Ended) -> None:
        """Keep what the verdict of a test rests on.

        Args:
            metric: the metric.
            ended: the end of its inquiry.
        """
        self._ended[ended.behavior.name, metric] = ended

    def setting(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> Iterator[Query]:
        """Yield the queries that set the scales of some trials.

        Args:
            behavior: the behavior of the trials.
            metric: the metric.
            trials: the trials.

        Raises:
            UsageError: Under the same conditions as `judge`.
        """
        scaling = self.terms(behavior).scaling(metric, self.adapter.kinds[metric])
        return self.operating.queries(metric, scaling, images_of_trials(trials))

    def reader(self, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> CaseReader:
        """Return the reader of some cases of a behavior; ask the model if answers that set its scale are missing.

        Args:
            behavior: the behavior.
            metric: the metric.
            trials: the trials of all cases that are judged.

        Raises:
            UsageError: the model does not have the metric.
        """
        scaling = self.terms(behavior).scaling(metric, self.adapter.kinds[metric])
        gauge = self.operating.gauge(metric, scaling, images_of_trials(trials))
        return CaseReader(behavior, self._tolerances(behavior, metric), gauge, self.scorer)

    def _reader_of_all(self, behavior: Behavior, metric: Metric) -> CaseReader:
        """Return the reader of all of a behavior's cases; it is made once, and not for each of them."""
        kept = self._readers.get((behavior.name, metric))
        if kept is None or kept.behavior != behavior:
            kept = self.reader(behavior, metric, self.trials.of(behavior, metric))
            self._readers[behavior.name, metric] = kept
        return kept

    def wanted(self, behavior: Behavior, metric: Metric) -> int:
        """Return the number of images that should count; in a sequential run the first ones only set the scale.

        Args:
            behavior: the behavior.
            metric: the metric.
        """
        scaling = self.terms(behavior).scaling(metric, self.adapter.kinds[metric])
        trials = self.trials.of(behavior, metric)
        images = {image for image, askable in zip(trials.images, trials.askable, strict=True) if askable}
        return self.source.images - sum(not self.operating.judges(metric, scaling, image) for image in images)

    def _tolerances(self, behavior: Behavior, metric: Metric) -> Tolerances:
        if reason := self.lacks(metric):
            raise UsageError(reason)
        return self.terms(behavior).tolerances(metric, self.adapter.kinds[metric])

    def terms(self, behavior: Behavior) -> Terms:
        """Return what the policy demands of a behavior."""
        return self.policy.of(behavior.name, behavior.bias)


def _begun(tests: Iterable[Iterator[Step]]) -> dict[Iterator[Step], Step]:
    """Return the next step of each test that has one."""
    found: dict[Iterator[Step], Step] = {}
    for steps in tests:
        with suppress(ForeignFault):  # reported when the test itself is judged
            if step := next(steps, None):
                found[steps] = step
    return found


def _standing(row: Row) -> float:
    """Return the key by which rows are sorted, the worst first: the margin; NaN comes first, no margin last."""
    if row.margin is None:
        return math.inf
    return -math.inf if math.isnan(row.margin) else row.margin
