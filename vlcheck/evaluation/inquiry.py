"""An inquiry: one test of a model while it is asked, step by step, and what the answers come to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Literal, get_args

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.made_trials import RECENT, parted, taken, with_further
from vlcheck.behaviors.tables import arms_of
from vlcheck.datasets.tags import strange_tags
from vlcheck.evaluation.case_findings import CaseReader, HeardTrial
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.slim_findings import kept_of
from vlcheck.evaluation.steps import Parts, Step, queries_of
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.stats.operating_scale import Scale
from vlcheck.stats.verdict import Verdict

if TYPE_CHECKING:
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.evaluation.verified import Verifier

Stage = Literal["opening", "deciding"]
STAGES: tuple[Stage, ...] = get_args(Stage)
FEW = 300  # trials of a test whose answers stay in memory, some 2 kB each, so that its verdict need not read them again


@dataclass(frozen=True)
class Ended:
    """The trials that a verdict rests on, and what was asked about them.

    Attributes:
        behavior: the behavior.
        trials: the trials, in the order in which they were asked about.
        out: indices of those about which only the opening was asked, since they do not count.
        aside: the queries that only tables need.
        looks: the number of trials at each look.
        found: the finding on each trial, if all answers were read and none may change; else empty.
        heard: the model's answers about the trials that may count, by their places; empty unless each trial has a
            finding, and they are few.
    """

    behavior: Behavior
    trials: Sequence[Trial]
    out: frozenset[int] = frozenset()
    aside: tuple[Query, ...] = ()
    looks: tuple[int, ...] = ()
    found: tuple[Finding, ...] = field(default=(), repr=False)
    heard: Mapping[int, HeardTrial] = field(default_factory=dict, repr=False)

    def queries(self, places: Iterable[int]) -> Iterator[Query]:
        """Yield all queries that were asked about the trials at some places, also for the sake of other trials."""
        for at in places:
            parts = self._parts(at)
            yield from parts.queries(closing=at not in self.out)
            yield from (query for query in queries_of([parts.aside]) if query.key in self._keys_aside)
            if at in self.out:
                yield from (query for query in queries_of([parts.closing]) if query.key in self._keys_of_others)

    def _parts(self, at: int) -> Parts:
        return Parts.of(self.trials[at], self.behavior.expect)

    @cached_property
    def _keys_of_others(self) -> frozenset[str]:
        """Keys of closing queries of trials that are out, and that other trials ask: all black pictures are one."""
        closing = {query.key for at in self.out for query in queries_of([self._parts(at).closing])}
        others = (at for at in range(len(self.trials)) if closing and at not in self.out)
        asked = (query.key for at in others for query in self._parts(at).queries(closing=True))
        return frozenset(key for key in asked if key in closing)

    @cached_property
    def _keys_aside(self) -> frozenset[str]:
        return frozenset(query.key for query in self.aside)

    def is_settled(self, verifier: Verifier, metric: Metric) -> bool:
        """Return True if nothing was in doubt at any look, by what is known now.

        Args:
            verifier: knows what is in doubt.
            metric: the metric.
        """
        looks = [self.trials[:number] for number in self.looks]
        return all(verifier.is_settled(stage, self.behavior, metric, look) for look in looks for stage in STAGES)


class Inquiry:
    """One test of a model while it is asked.

    Args:
        model: the model.
        behavior: the behavior.
        metric: the metric.

    Attributes:
        trials: the trials asked about so far.
    """

    def __init__(self, model: ModelUnderTest, behavior: Behavior, metric: Metric) -> None:
        self._model, self._behavior, self._metric = model, behavior, metric
        self.trials: Sequence[Trial] = ()
        self._looks: list[int] = []
        self._scales: list[Scale | None] = []  # on which each trial was read when it was decided what to ask about it
        self._out: set[int] = set()
        self._found: dict[int, Finding] = {}
        self._heard: dict[int, HeardTrial] = {}  # of those that were found, if they are few

    def steps(self) -> Iterator[Step]:
        """Yield what to ask, step by step at each look, until the verdict is decided.

        The caller has a step answered before it takes the next one.
        """
        for trials in self._drawn():
            self._looks.append(len(trials))
            fresh = range(len(self.trials), len(trials))
            self.trials = trials
            if self._model.verifier:  # what sets the scale is exact
                yield Step(tuple(self._setting()), scorer=self._model.scorer.exact)
            yield self._opening(fresh)
            yield from self._settling("opening")
            yield from self._closing_steps()
            yield from self._settling("deciding")
            if self._model.schedule.settled(self._verdict):
                break
        aside = tuple(self._aside())
        self._model.end(self._metric, self._ended(aside))
        if aside:
            yield Step(aside)

    @classmethod
    def settle(cls, model: ModelUnderTest, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> None:
        """Ask in the exact type what is in doubt about some trials.

        Args:
            model: the model.
            behavior: the behavior of the trials.
            metric: the metric.
            trials: the trials.
        """
        if model.verifier:
            self = cls(model, behavior, metric)
            self.trials = trials
            for stage in STAGES:
                deque(self._settling(stage), maxlen=0)

    def _ended(self, aside: tuple[Query, ...]) -> Ended:
        again = self._model.control or self._model.verifier  # they may know more of the answers later
        few = len(self.trials) <= RECENT  # memory
        read = few and not aside and not again and len(self._found) == len(self.trials)
        found = tuple(self._found[i] for i in range(len(self.trials))) if read else ()
        whole = found and len(self.trials) <= FEW and not self._behavior.tables
        heard = {i: one for i, one in self._heard.items() if i not in self._out} if whole else {}
        return Ended(self._behavior, self.trials, frozenset(self._out), aside, tuple(self._looks), found, heard)

    def _settling(self, stage: Stage) -> Iterator[Step]:
        """Yield what to ask in the exact type, until nothing is in doubt that the answers at a stage say."""
        verifier, at = self._model.verifier, (stage, self._behavior, self._metric, self.trials)
        if not verifier or verifier.is_settled(*at):
            return
        verifier.begin(self._at(stage))
        while doubtful := self._doubtful(stage):
            yield Step(tuple(doubtful), scorer=self._model.scorer.exact)
            verifier.ask_again(doubtful)
            self._scales = []  # other answers: what is out is decided again
            verifier.begin(self._at(stage))
        verifier.settle(*at)

    @contained()
    def _doubtful(self, stage: Stage) -> list[Query]:
        """Return the queries to ask in the exact type, as far as the answers at a stage tell."""
        model, queries, reader = self._model, self._at(stage), self._reader
        if model.verifier is None:
            return []
        found = read_trials(model, reader, self._metric, self.trials, queries)
        findings = findings_of(model, reader, tuple(finding for _, finding in found), self._wanted)
        keys = {query.key for query in queries}
        rule, test = model.terms(self._behavior).rule, model.schedule.test
        return model.verifier.doubtful(findings, self.trials, keys, reader.tolerances, rule, test)

    def _at(self, stage: Stage) -> list[Query]:
        """Return the queries that are asked until a stage."""
        if stage == "deciding":
            self._closing()
        counts = (stage == "deciding" and i not in self._out for i in range(len(self.trials)))
        parts = (Parts.of(trial, self._behavior.expect) for trial in self.trials)
        return [query for part, one in zip(parts, counts, strict=True) for query in part.queries(closing=one)]

    def at_once(self) -> Iterator[Query]:
        """Yield all that the inquiry may ask before further images are drawn."""
        trials = self._model.trials.of(self._behavior, self._metric)
        yield from self._model.setting(self._behavior, self._metric, trials)
        yield from (query for trial in trials for query in trial.queries())

    @contained()
    def _opening(self, fresh: Iterable[int]) -> Step:
        """Return what to ask first about the trials at some places, which no look before had."""
        needed, beside = [*self._setting()], list[Query]()
        for parts in map(self._parts, fresh):
            needed += queries_of([parts.opening])
            beside += queries_of([parts.closing, parts.aside])
        return Step(tuple(needed), tuple(beside))

    def _parts(self, at: int) -> Parts:
        return Parts.of(self.trials[at], self._behavior.expect)

    def _setting(self) -> Iterator[Query]:
        return self._model.setting(self._behavior, self._metric, self.trials)

    def _closing_steps(self) -> Iterator[Step]:
        if closing := tuple(self._closing()):
            yield Step(closing)

    @contained()
    def _closing(self) -> list[Query]:
        """Return the queries about further views of the cases that may count, as far as the first ones tell.

        Scales may change from look to look, so that a case that was out may count.
        """
        reader = self._reader
        return [query for places in parted(len(self.trials)) for query in self._closing_of(reader, places)]

    def _closing_of(self, reader: CaseReader, places: Iterable[int]) -> Iterator[Query]:
        """Yield those about the trials at some places, in ascending order."""
        changed = [i for i in places if self._has_changed(i, reader.gauge.scale(self.trials[i].case))]
        parts = {i: self._parts(i) for i in changed}
        answers = self._model.scorer.answers(queries_of(part.opening for part in parts.values()))
        for i, part in parts.items():
            self._found.pop(i, None)
            self._out.discard(i)
            if not part.closing:
                continue
            if reader.is_out(HeardTrial.of(self.trials[i], answers)):
                self._out.add(i)
            else:
                yield from queries_of([part.closing])

    def _has_changed(self, at: int, scale: Scale | None) -> bool:
        """Note the scale of a trial; return True if it was another one at the last look, or there was none."""
        if at == len(self._scales):
            self._scales.append(scale)
            return True
        before, self._scales[at] = self._scales[at], scale
        return scale != before

    @contained()
    def _aside(self) -> list[Query]:
        """Return the queries that only the tables need, beside a verdict that says something of the model."""
        if not self._behavior.tables or not any(self._parts(at).aside for at in range(len(self.trials))):
            return []
        findings = self._findings()
        if findings.futile:
            return []
        wanted = arms_of(self._behavior.tables, findings.samples)
        counted = (self._parts(at).aside for at, one in enumerate(findings.each) if one.margins)
        return [*queries_of({arm: aside[arm] for arm in aside.keys() & wanted} for aside in counted)]

    def _drawn(self) -> Iterator[Sequence[Trial]]:
        """Yield the trials at each look, and then more of them until the requested number of images counts.

        Further images are drawn for those that do not count. An image counts or not independently of whether it holds
        or is violated, so the number of draws does not depend on the violations. If images are drawn independently,
        those that count are therefore violated as independently, and as often, as in a sample of fixed size: under
        inverse sampling the n-th success ends the drawing, and no other property of the successes does. If the limit on
        images ends it, the same is true given the number that counts.
        """
        source, asked = self._model.trials, self.trials
        for asked in self._model.schedule.stages(source.of(self._behavior, self._metric)):
            yield asked
        spare = source.spare(self._behavior, self._metric)
        for first in spare:
            lacking = self._lacking()
            if lacking <= 0:
                return
            asked = with_further(asked, [first, *islice(spare, lacking - 1)])
            yield asked

    def _lacking(self) -> int:
        """Return the number of further images to ask about, so that the requested number counts; 0 or less for none.

        `Trials.of` has replaced the images that the data refuses before they are drawn. This method replaces images
        that turn out to be refused when they are drawn, e.g. because an edit changes nothing. It also replaces images
        that do not count because of the model's answers, as long as the verdict could be valid.
        """
        findings = self._findings()
        if findings.broken():
            return 0
        refused = self._wanted - findings.askable
        if refused > 0 or findings.futile:
            return refused
        return self._wanted - findings.images

    def _verdict(self) -> Verdict:
        return self._findings().verdict(self._model.terms(self._behavior).rule, self._model.schedule.test)

    @contained()
    def _findings(self) -> Findings:
        """Return the findings on the trials asked about so far; ask the model if answers are missing."""
        reader = self._reader
        left = [i for i in range(len(self.trials)) if i not in self._found]
        for places in parted(len(left)):
            self._found |= self._read(reader, left[places.start : places.stop])
        each = tuple(self._found[i] for i in range(len(self.trials)))
        return findings_of(self._model, reader, each, self._wanted)

    def _read(self, reader: CaseReader, places: Sequence[int]) -> dict[int, Finding]:
        """Return the findings on the trials at some places, by these."""
        queries = (query for i in places for query in self._parts(i).queries(closing=i not in self._out))
        found = read_trials(self._model, reader, self._metric, taken(self.trials, places), queries)
        if len(self.trials) <= FEW:
            self._heard |= {i: heard for i, (heard, _) in zip(places, found, strict=True)}
        findings = kept_of([finding for _, finding in found], self._behavior, len(self.trials))
        return dict(zip(places, findings, strict=True))

    @property
    def _reader(self) -> CaseReader:
        return self._model.reader(self._behavior, self._metric, self.trials)

    @cached_property
    def _wanted(self) -> int:
        return self._model.wanted(self._behavior, self._metric)


def read_trials(
    model: ModelUnderTest, reader: CaseReader, metric: Metric, trials: Sequence[Trial], queries: Iterable[Query]
) -> list[tuple[HeardTrial, Finding]]:
    """Return trials with what the model answers to some queries, and the findings on them.

    Args:
        model: the model; it is asked if answers are missing.
        reader: reads the cases.
        metric: the metric.
        trials: the trials.
        queries: those of their queries that are asked.
    """
    answers = model.scorer.answers(queries)
    beside = model.control.beside(reader.behavior, metric, trials) if model.control else trials
    heard = [HeardTrial.of(trial, answers) for trial in beside]
    return [(one, reader.finding(one)) for one in heard]


def findings_of(model: ModelUnderTest, reader: CaseReader, each: tuple[Finding, ...], wanted: int) -> Findings:
    """Return the findings on a behavior's cases as a whole.

    Args:
        model: the model.
        reader: has read the cases.
        each: the finding on each case.
        wanted: the number of images that should count at most.
    """
    behavior = reader.behavior
    strange = "" if each else strange_tags(behavior.cases, model.source.tags)
    return Findings(behavior, each, reader.gauge.hollow, wanted, strange)
