"""A behavior: what a test function states, and the queries it takes to find out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from vlcheck.cases import MASK, Case, CaseSource, Selection
from vlcheck.errors import NotApplicable
from vlcheck.expect import AFTER, BEFORE, Expectation
from vlcheck.perturb import OPPOSITES, Each, Perturbation, View
from vlcheck.query import UNCHANGED, Metric, Query
from vlcheck.tables import Table


@dataclass(frozen=True)
class Question:
    """One view of a case under one metric, and the queries that answer it, by the words they tell of.

    Attributes:
        metric: which score.
        view: what is shown and said.
        queries: mlm: one query, under "[MASK]"; itm: one for each word filled in, under that word.
    """

    metric: Metric
    view: View
    queries: Mapping[str, Query]


@dataclass(frozen=True)
class Staged:
    """A case in every arm, before anything is asked: a view, or the reason why there is none.

    Attributes:
        perturbation: which one leads from before to after, as results show it; "" where there is none.
    """

    case: Case
    arms: Mapping[str, View | str]
    perturbation: str = ""


@dataclass(frozen=True)
class Trial:
    """What is asked of a case in every arm, or the reason why nothing is; else as `Staged`."""

    case: Case
    arms: Mapping[str, Question | str]
    perturbation: str = ""

    def queries(self) -> Iterator[Query]:
        for arm in self.arms.values():
            if isinstance(arm, Question):
                yield from arm.queries.values()


@dataclass(frozen=True, kw_only=True)
class Behavior:
    """A bias's cases, how they are perturbed and what is expected of the scores.

    Attributes:
        name: the test function's name; the policy knows the behavior by it.
        bias: "modality", "color", "position"...
        doc: why a user should care.
        cases: which cases of the data it is about.
        expect: from scores to margins.
        perturb: before -> after; None for what is right or wrong on its own; Each for several, a row for each.
        given: what is done to the case first, so that it holds before as well as after: Bare() reads the bare text.
        tables: what the results show beside the verdict.
    """

    name: str
    bias: str
    cases: Selection
    expect: Expectation
    doc: str = ""
    perturb: Perturbation | Each | None = None
    given: Perturbation | None = None
    tables: tuple[Table, ...] = ()

    @property
    def perturbation(self) -> str:
        """The perturbation as results show it, "" where there is none."""
        return self.perturb.label if self.perturb else ""

    def trials_of(self, case: Case, metric: Metric, others: Sequence[Case]) -> Iterator[Trial]:
        """Those of one case; `others` are all of the behavior's cases."""
        return (self.trial(staged, metric) for staged in self.stage(case, others))

    def stage(self, case: Case, others: Sequence[Case]) -> Iterator[Staged]:
        """A case in every arm, under each of the perturbations; `others` are all of the behavior's cases."""
        for perturb in self.perturb.parts if isinstance(self.perturb, Each) else (self.perturb,):
            views = self._views(case, perturb, others)
            yield Staged(case, MappingProxyType(views), perturb.label if perturb else "")

    def trial(self, staged: Staged, metric: Metric) -> Trial:
        """What a metric asks of what is staged."""
        arms = {
            arm: self._question(metric, view) if isinstance(view, View) else view for arm, view in staged.arms.items()
        }
        return Trial(staged.case, MappingProxyType(arms), staged.perturbation)

    def _views(self, case: Case, perturb: Perturbation | None, others: Sequence[Case]) -> dict[str, View | str]:
        whole = View.of(case)
        before = _attempt(self.given, whole, others)
        views: dict[str, View | str] = {}
        for table in self.tables:
            for arm, perturbation in table.arms().items():
                views[arm] = _attempt(perturbation, whole, others)
        views[BEFORE] = before
        arms = dict(self.expect.arms())
        if perturb:
            arms[AFTER] = perturb
        for arm, perturbation in arms.items():
            views[arm] = _attempt(perturbation, before, others) if isinstance(before, View) else before
        after = views.get(AFTER)
        if isinstance(before, View) and isinstance(after, View) and before.key == after.key:
            views[AFTER] = UNCHANGED
        return views

    def _question(self, metric: Metric, view: View) -> Question | str:
        try:
            compared = [*self.expect.words(view), *(word for table in self.tables for word in table.words(view))]
        except NotApplicable as reason:
            return str(reason)
        return ask(metric, view, compared)


@dataclass(frozen=True)
class Trials:
    """The trials of behaviors on a source's cases, made once: a run looks ahead at what it will judge."""

    source: CaseSource
    _made: dict[str, _Made] = field(default_factory=dict, repr=False)

    def of(self, behavior: Behavior, metric: Metric) -> list[Trial]:
        """Those of all of a behavior's cases. Raises UsageError as `CaseSource.select`."""
        made = self._made.get(behavior.name)
        if made is None or made.behavior != behavior:
            cases = self.source.select(behavior.cases)
            staged = [staged for case in cases for staged in behavior.stage(case, cases)]
            made = self._made[behavior.name] = _Made(behavior, staged)
        if metric not in made.trials:
            made.trials[metric] = [behavior.trial(staged, metric) for staged in made.staged]
        return made.trials[metric]


@dataclass
class _Made:
    behavior: Behavior
    staged: list[Staged]
    trials: dict[Metric, list[Trial]] = field(default_factory=dict)


def ask(metric: Metric, view: View, compared: Iterable[str] = ()) -> Question:
    """Word the question for a view: its target, and the words it is compared with."""
    if metric == "itm":
        fillings = dict.fromkeys([view.target, *compared])
        return Question(metric, view, {word: Query("itm", view.picture, view.filled(word)) for word in fillings})
    # One query with all words in one order, so that behaviors that share a view share it.
    words = {view.target, *view.candidates, *compared}
    if view.target in OPPOSITES:
        words.add(OPPOSITES[view.target])
    return Question(metric, view, {MASK: Query("mlm", view.picture, view.template, tuple(sorted(words)))})


def _attempt(perturbation: Perturbation | None, view: View, others: Sequence[Case]) -> View | str:
    if perturbation is None:
        return view
    try:
        return perturbation(view, others)
    except NotApplicable as reason:
        return str(reason)
