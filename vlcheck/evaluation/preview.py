"""The preview of a run before anything is scored: its cost, and what its tests can decide."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import cast

import numpy as np
from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck._util.lazy import Lazy
from vlcheck._util.numbers import brief, counted, duration, figure, share, whole
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.construction import GIVEN
from vlcheck.behaviors.schedule import Schedule, images_of
from vlcheck.behaviors.suite import BehaviorTest, sound, subjects
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.cases.foils import asks_foils
from vlcheck.datasets.tags import strange_tags
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable
from vlcheck.evaluation.calibration import Operating, ahead
from vlcheck.evaluation.reachable import fewest_needed, told_by_words
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.registry import COMPARING, METRICS, OF_PICTURES, RELATIVE
from vlcheck.models.protocol import CountsRequests, VisionLanguageModel
from vlcheck.policy.policy import Policy, Rule
from vlcheck.report.text.columns import aligned
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.stats.bounds import Tally, Test, exact, upper
from vlcheck.stats.power import detectable, most_that_pass

_PROBES = 2
_NAMED = 3  # number of tests that a message about lost cases names


@dataclass(frozen=True)
class Prospect:
    """The preview of one test: the number of images that the data has for it, its rule, and its queries.

    Attributes:
        test: the test's name.
        behavior: its behavior.
        metric: its metric.
        rule: the policy's statistical limits.
        n: number of images that may count, as far as that is known before anything is drawn or asked.
        queries: all queries of the test.
        by: the statistical test.
        refused: number of cases that cannot be asked about, by reason.
        spare: the trials of further images, to be asked if some of the first do not count.
        strange: the tags that the behavior asks for and nothing has, in words; "" for none.
        told: the choice by the words alone that leaves no model room to pass, in words; "" if there is none.
    """

    test: str
    behavior: Behavior
    metric: Metric
    rule: Rule
    n: int
    queries: Iterable[Query]
    by: Test = exact
    refused: Mapping[str, int] = field(default_factory=dict)
    spare: Iterable[Trial] = ()
    strange: str = ""
    told: str = ""

    @property
    def hopeless(self) -> bool:
        """True if the test cannot pass, whatever the model answers."""
        return bool(self.told) or self._least is None or self.n < self._least

    @property
    def tells(self) -> str:
        """The verdicts that n images allow, in words."""
        if not self.n:
            return "nothing: no case that can be asked"
        if self.told:
            return f"nothing: {self.told}"
        if self._claims_a_mean:
            return f"a mean to within {figure(self._narrowest(), 2)} at best"
        if self.behavior.expect.claim == "lead":
            return f"a lead of {figure(self._narrowest(), 2)} over choices without the picture, at best"
        fails = "never fails" if self._finds is None else f"detects a rate of {share(self._finds, decimals=0)}"
        return fails if self.hopeless else f"{fails}, passes with {counted(self._most() or 0, 'violation')} at most"

    @property
    def has(self) -> str:
        """The number of images that may count, in words, with the cause if it is a tag that nothing has."""
        return counted(self.n, "image") + (f" ({self.strange})" if self.strange else "")

    @property
    def lacks(self) -> str:
        """The number of images that a pass needs, in words."""
        if self.told:
            return self.told
        if self._least is not None:
            return f"a pass needs {self._least}"
        if self.behavior.expect.claim == "lead":
            return f"none are ahead of chance at an alpha of {brief(self.rule.alpha)}"
        low, high = self.rule.band
        allowed = f"{brief(low)} to {brief(high)}" if self._claims_a_mean else share(self.rule.allowed)
        return f"none pass where {allowed} is allowed"

    def fate(self, tests: int = 1) -> str:
        """Return the consequence of too few images to pass, in words.

        Args:
            tests: number of tests that the words are about.
        """
        is_, it_fails = ("is", "it fails") if tests == 1 else ("are", "they fail")
        if any(self.refused.get(given, 0) > self.n for given in GIVEN):
            return f", and {is_} invalid"
        if self.told:
            return f", and {is_} not asked"
        if self._least is None and self.n:
            return ""
        return f", and {is_} not asked" if self._never_fails else f", and {is_} not asked unless {it_fails}"

    @property
    def cause(self) -> str:
        """The reason why it cannot pass, in words: the images that may count, and those that a pass needs."""
        return f"{self.has}, {self.lacks}"

    @property
    def _never_fails(self) -> bool:
        return not self.n or (self.behavior.expect.claim == "rate" and self._finds is None)

    @property
    def _claims_a_mean(self) -> bool:
        return self.behavior.expect.claim == "mean"

    @property
    def _finds(self) -> float | None:
        """The least true rate of violations that is found with a power of 0.8."""
        return detectable(self.n, self.rule.allowed, self.rule.alpha, test=self.by)

    @property
    def _least(self) -> int | None:
        return fewest_needed(self.behavior.expect.claim, self.rule, self.by)

    def _most(self) -> int | None:
        return most_that_pass(self.n, self.rule.allowed, self.rule.alpha, test=self.by)

    def _narrowest(self) -> float:
        return 2 * upper(self.by, Tally(np.array([0.5]), np.array([self.n])), self.rule.alpha) - 1


@dataclass(frozen=True)
class Foresight:
    """The preview of all selected tests.

    Attributes:
        prospects: the preview of each test.
        setting: queries that set the model's operating scale; the tests may ask some of them as well.
        required: the biases for which the policy requires a pass or a fail.
        faults: a message for each test whose own code raises while it is planned.
        wordings: the other wordings of a question in words, in which its tests ask as well.
    """

    prospects: tuple[Prospect, ...]
    setting: Iterable[Query] = ()
    required: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()

    @property
    def queries(self) -> Iterator[Query]:
        """All queries, as often as the tests ask them."""
        return self.in_wordings(chain(self.setting, *(prospect.queries for prospect in self.prospects)))

    @property
    def at_most(self) -> Iterator[Query]:
        """All queries, and those that may be asked to replace cases that do not count."""
        spare = chain.from_iterable(prospect.spare for prospect in self.prospects)
        return chain(self.queries, self.in_wordings(query for trial in spare for query in trial.queries()))

    def in_wordings(self, queries: Iterable[Query]) -> Iterator[Query]:
        """Yield queries in each wording in which they are asked."""
        for query in queries:
            yield query
            yield from map(query.in_wording, self.wordings if METRICS[query.metric].worded else ())

    @property
    def added(self) -> list[Query]:
        """The queries that only set the scale."""
        asked = {query.key for prospect in self.prospects for query in prospect.queries}
        return [query for query in self.setting if query.key not in asked]

    def hopeless(self) -> list[str]:
        """Return a message for each test that cannot pass with the images there are."""
        return [_cannot_pass([prospect]) for prospect in self.prospects if prospect.hopeless]

    def hopeless_by_cause(self) -> list[str]:
        """Return a message for each cause for which tests cannot pass; a single test is named, more are counted."""
        alike: dict[tuple[str, str], list[Prospect]] = defaultdict(list)
        for prospect in self.prospects:
            if prospect.hopeless:
                alike[prospect.fate(), prospect.cause].append(prospect)
        return [_cannot_pass(tests) for tests in alike.values()]

    def shut(self) -> list[str]:
        """Return a message if the policy requires biases of which no test can pass."""
        open_ = {prospect.behavior.bias for prospect in self.prospects if not prospect.hopeless}
        biases = [bias for bias in self.required if bias not in open_]
        return [f"the policy requires biases of which no test can pass: {', '.join(biases)}"] if biases else []


def _cannot_pass(tests: Sequence[Prospect]) -> str:
    """Return a message about tests that cannot pass for the same cause."""
    first, n = tests[0], len(tests)
    if n == 1:
        return f"{first.test} cannot pass{first.fate()}: {first.cause}"
    biases = Counter(one.behavior.bias for one in tests)
    of = ", ".join(f"{bias} {count}" for bias, count in biases.items())
    return f"{counted(n, 'test')} ({of}) cannot pass{first.fate(n)}: {first.cause}"


def foresee(tests: Sequence[BehaviorTest], operating: Operating, policy: Policy, metrics: Collection[str]) -> Foresight:
    """Preview the tests whose metric is available and that are not marked to be skipped.

    Args:
        tests: the selected tests.
        operating: the model's operating scales.
        policy: the policy.
        metrics: the names of the available metrics.
    """
    prospects: list[Prospect] = []
    setting: list[Iterator[Query]] = []
    faults: list[str] = []
    trials, by = operating.trials, operating.schedule.test
    for test in sound(tests):
        if test.metric not in metrics or test.skipped:
            continue
        behavior, metric = test.behavior, test.metric
        kind = operating.kinds.get(metric, "")
        try:
            asked = trials.of(behavior, metric)
        except ForeignFault as fault:
            faults.append(f"{test.name} cannot be planned: {fault}")
            continue
        scaling = policy.of(behavior.name, behavior.bias).scaling(metric, kind)
        images = asked.images
        setting.append(operating.queries(metric, scaling, images))
        seen = [(one.case.id, _refusal(one, kind), one.rivals) for one in asked]
        judged = [
            (rivals, image)
            for (_, refused, rivals), image in zip(seen, images, strict=True)
            if not refused and operating.judges(metric, scaling, image)
        ]
        rule, n = policy.of(behavior.name, behavior.bias).rule, len({image for _, image in judged})
        counts = Counter(reason for _, reason in {(case, reason) for case, reason, _ in seen} if reason)
        queries = Lazy(_queries_of(asked))
        spare = Lazy(chain.from_iterable(_sound(trials.spare(behavior, metric))))
        strange = "" if asked else strange_tags(behavior.cases, trials.source.tags)
        told = told_by_words([rivals for rivals, _ in judged], [image for _, image in judged], rule, by)
        prospects.append(Prospect(test.name, behavior, metric, rule, n, queries, by, counts, spare, strange, told))
    lost = {prospect.test for prospect in prospects if prospect.hopeless and asks_foils(prospect.behavior.cases)}
    required = tuple(policy.required_of(subjects(test for test in tests if test.name not in lost)))
    return Foresight(tuple(prospects), Lazy(_distinct(chain.from_iterable(setting))), required, tuple(faults))


def _queries_of(trials: Iterable[Trial]) -> Iterator[Query]:
    return (query for trial in trials for query in trial.queries())


def _distinct(queries: Iterable[Query]) -> Iterator[Query]:
    yield from {query.key: query for query in queries}.values()


def _sound(spare: Iterator[Sequence[Trial]]) -> Iterator[Sequence[Trial]]:
    with suppress(ForeignFault):  # reported when the test itself is judged
        yield from spare


def _refusal(trial: Trial, kind: str) -> str:
    """Return the reason why a case cannot be asked about, or ""; a model that only compares words needs two words."""
    arms = [trial.arms.get(arm) for arm in sorted(trial.needed)]
    if told := next((arm for arm in arms if isinstance(arm, str)), ""):
        return told
    queries = [query for arm in arms if isinstance(arm, Question) for query in arm.queries.values()]
    alone = kind in COMPARING - RELATIVE and any(len(query.words) == 1 for query in queries)
    return "the model only compares words, and no other is known to be false" if alone else ""


def _refusals(prospects: Iterable[Prospect]) -> Iterator[str]:
    """Yield a message for each reason why cases are not asked about, with the tests that lose most of them."""
    losses: dict[str, dict[str, int]] = defaultdict(dict)
    for prospect in prospects:
        for reason, count in prospect.refused.items():
            losses[reason][prospect.test] = count
    for reason, tests in losses.items():
        most = sorted(tests, key=lambda test: -tests[test])
        named = ", ".join(f"{test} ({counted(tests[test], 'case')})" for test in most[:_NAMED])
        more = f" and {counted(len(most) - _NAMED, 'other')}" if len(most) > _NAMED else ""
        cure = "; candidates name them" if "known to be false" in reason else ""
        yield f"not asked by {named}{more}: {reason}{cure}"


def preview(
    tests: Sequence[BehaviorTest],
    source: CaseSource,
    policy: Policy,
    model: VisionLanguageModel | None,
    schedule: Schedule,
    wordings: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the preview of a run as lines.

    Args:
        tests: the selected tests.
        source: the cases.
        policy: the policy.
        model: the model; None if none is given, then all metrics are previewed and no time is estimated.
        schedule: the schedule.
        wordings: the other wordings of a question in words, in which its tests ask as well.
    """
    trials = Trials.for_model(source, model)
    operating = ahead(trials, model.kinds if model else {}, schedule)
    seen = foresee(tests, operating, policy, model.metrics if model else METRICS)
    return preview_lines(replace(seen, wordings=tuple(wordings)), model)


def preview_lines(foresight: Foresight, model: VisionLanguageModel | None) -> Iterator[str]:
    """Yield a preview as lines.

    Args:
        foresight: the preview.
        model: the model, to estimate the time; None for no estimate.
    """
    rows = [["test", "n", "tells"]]
    rows += [[prospect.test, whole(prospect.n), prospect.tells] for prospect in foresight.prospects]
    yield from aligned(rows)
    yield from map(printable, _refusals(foresight.prospects))
    yield from map(printable, [*foresight.hopeless_by_cause(), *foresight.shut(), *foresight.faults])
    plan = make_plan(foresight.queries)
    yield f"{counted(plan.n_pictures, 'picture')} to encode, {counted(plan.texts, 'text')} to ask about them"
    yield from _at_most(foresight, plan)
    if foresight.added:
        rest = make_plan(foresight.in_wordings(chain.from_iterable(one.queries for one in foresight.prospects)))
        pictures, texts = plan.n_pictures - rest.n_pictures, plan.texts - rest.texts
        more = f"{counted(pictures, 'picture')} and {counted(texts, 'text')}"
        yield f"{more} of these only set the model's operating scale"
    if model:
        yield (
            _by_requests(model, plan)
            if isinstance(model, CountsRequests)
            else _duration(model, plan.n_pictures, plan.texts)
        )


def _at_most(foresight: Foresight, plan: Plan) -> Iterator[str]:
    """Yield what may be asked in addition, if the data has more images than requested."""
    drawn = [(images_of([*prospect.spare]), prospect.n) for prospect in foresight.prospects]
    further, n = max(drawn, key=sum, default=(0, 0))
    if not further:
        return
    most = make_plan(foresight.at_most)
    pictures, texts = most.n_pictures - plan.n_pictures, most.texts - plan.texts
    more = f"{counted(pictures, 'picture')} and {counted(texts, 'text')}"
    yield (
        f"up to {counted(n + further, 'image')} a test are asked about so that {whole(n)} count: others are drawn"
        f" where the model does not know some, or an edit changes nothing; that takes {more} more at most"
    )


def _by_requests(model: CountsRequests, plan: Plan) -> str:
    """Return how many requests a plan takes, and how long they take together."""
    requests = sum(model.requests(query) for chunk in plan.chunks for query in chunk.queries)
    asked = f"{counted(requests, 'request')}, {model.at_once} at a time"
    return f"{asked}: {_duration(cast(VisionLanguageModel, model), 0, requests, model.at_once)}"


def _duration(model: VisionLanguageModel, pictures: int, texts: int, at_once: int = _PROBES) -> str:
    try:
        with contained():
            return f"about {duration(_seconds(model, pictures, texts, at_once))} with {model.name}"
    except (NotApplicable, UsageError, ForeignFault) as error:
        return printable(f"{model.name} cannot be timed. {error}")


def _seconds(model: VisionLanguageModel, pictures: int, texts: int, at_once: int) -> float:
    """Measure on blank pictures how long a picture and a text take; the first round only warms up."""
    blank = [Image.new("RGB", (640, 480), "grey")] * at_once
    *_, name = (name for name in OF_PICTURES if name in model.metrics)
    text, word = METRICS[name].sample
    for _ in range(2):
        began = time.perf_counter()
        encoded = model.encode(blank)
        done = time.perf_counter()
        METRICS[name].score(model, encoded, (text,) * at_once, ((word,),) * at_once, 1)
        asked = time.perf_counter()
    return (pictures * (done - began) + texts * (asked - done)) / at_once
