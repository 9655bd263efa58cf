"""A behavior: what a test function states, and the queries it takes to find out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain, islice
from types import MappingProxyType

from vlcheck._util.foreign_code import contained
from vlcheck._util.lazy import Lazy
from vlcheck.behaviors.tables import Table
from vlcheck.cases import MASK, Case, CaseSource, Selection
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, OTHER, Expectation
from vlcheck.metrics.query import UNCHANGED, Metric, Query
from vlcheck.perturb import OPPOSITES, Each, Perturbation, View

MOST_ASKED = 2  # times as many images as are to count: of a model that knows fewer than half, no verdict is valid


@dataclass(frozen=True)
class Question:
    """One view of a case under one metric, and the queries that answer it, by the words they tell of.

    Attributes:
        metric: which score.
        view: what is shown and said.
        queries: mlm, mrc: one query, under "[MASK]"; itm: one for each word filled in, under that word.
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
    """What is asked of a case in every arm, or the reason why nothing is; else as `Staged`.

    Attributes:
        needed: the arms without which the case says nothing.
    """

    case: Case
    arms: Mapping[str, Question | str]
    perturbation: str = ""
    needed: Set[str] = frozenset({BEFORE})

    @property
    def askable(self) -> bool:
        """Whether the data lets the case be asked, as far as that is known before its pictures are drawn."""
        return all(isinstance(self.arms.get(arm), Question) for arm in self.needed)

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
        bias_doc: what the bias asks of a model.
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
    bias_doc: str = ""
    doc: str = ""
    perturb: Perturbation | Each | None = None
    given: Perturbation | None = None
    tables: tuple[Table, ...] = ()

    @property
    def perturbation(self) -> str:
        """The perturbation as results show it, "" where there is none."""
        return self.perturb.label if self.perturb else ""

    def stage(self, case: Case, others: Sequence[Case]) -> Iterator[Staged]:
        """A case in every arm, under each of the perturbations; `others` are all of the behavior's cases."""
        for perturb in self.perturb.parts if isinstance(self.perturb, Each) else (self.perturb,):
            views = self._views(case, perturb, others)
            yield Staged(case, MappingProxyType(views), perturb.label if perturb else "")

    def trial(self, staged: Staged, metric: Metric, *, relative: bool = False) -> Trial:
        """What a metric asks of what is staged; against foils where the model's score is relative."""
        foils = self._contrasted(staged) if relative else None
        arms = {
            arm: self._question(metric, view, foils) if isinstance(view, View) else view
            for arm, view in staged.arms.items()
        }
        return Trial(staged.case, MappingProxyType(arms), staged.perturbation, self._needed)

    @property
    def _needed(self) -> Set[str]:
        """The arms that a case cannot do without; for a mean, only half of the cases have to be known to the model."""
        arms = {BEFORE, *self.expect.arms(), *([AFTER] if self.perturb else [])}
        return arms - {OTHER} if self.expect.competence == "to pass" else arms

    def _contrasted(self, staged: Staged) -> list[str]:
        """The texts before and after, where they are not both true."""
        views = [staged.arms.get(arm) for arm in (BEFORE, AFTER)] if self.expect.contrasts else []
        return [view.filled(view.target) for view in views if isinstance(view, View)]

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

    def _question(self, metric: Metric, view: View, foils: Sequence[str] | None) -> Question | str:
        try:
            compared = [*self.expect.words(view), *(word for table in self.tables for word in table.words(view))]
            return ask(metric, view, compared, foils)
        except NotApplicable as reason:
            return str(reason)


@dataclass(frozen=True)
class Trials:
    """The trials of behaviors on a source's cases, made once: a run looks ahead at what it will judge.

    Attributes:
        relative: whether the model's itm only compares texts.
    """

    source: CaseSource
    relative: bool = False
    _made: dict[str, _Made] = field(default_factory=dict, repr=False)

    @contained()
    def of(self, behavior: Behavior, metric: Metric) -> list[Trial]:
        """Return those of as many images as the source was asked for, not counting what the data refuses.

        In place of a chosen case that cannot be asked, as far as that is known before its pictures are drawn, the
        source's next one that can is taken; one that is refused when they are drawn is replaced by the judge, from
        `spare`. Raises UsageError as `CaseSource.select`, ForeignFault of the behavior's parts.
        """
        made = self._of(behavior)
        if metric not in made.first:
            each = iter(self._each(made, metric))
            chosen = list(islice(each, self.source.images))
            lacking = self.source.images - sum(map(_askable, chosen))
            trials = list(chain(*chosen, *islice(filter(_askable, each), lacking)))
            _demand_keys(trials)
            made.first[metric] = trials
        return made.first[metric]

    def spare(self, behavior: Behavior, metric: Metric) -> Iterator[list[Trial]]:
        """Yield those of each further image, in the order in which they are drawn where some of the first do not count.

        With them a model is asked about MOST_ASKED times as many images as are to count, and about no more. Raises as
        `of`.
        """
        return islice(self._rest(behavior, metric), (MOST_ASKED - 1) * self.source.images)

    def _rest(self, behavior: Behavior, metric: Metric) -> Iterator[list[Trial]]:
        had = {trial.case.image.key for trial in self.of(behavior, metric)}
        rest = iter(self._each(self._of(behavior), metric))
        while (trials := _next(rest)) is not None:
            if _askable(trials) and trials[0].case.image.key not in had:
                yield trials

    @contained()
    def of_case(self, behavior: Behavior, metric: Metric, case: Case) -> list[Trial]:
        """Those of one of the behavior's cases. Raises as `of`."""
        others = self.source.select(behavior.cases)
        return [self._trial(behavior, staged, metric) for staged in behavior.stage(case, others)]

    def plain(self, case: Case, metric: Metric) -> Question:
        """What is asked of a case as it is. Raises NotApplicable as `ask`."""
        return self.question(View.of(case), metric)

    def question(self, view: View, metric: Metric) -> Question:
        """What is asked of a view on its own. Raises NotApplicable as `ask`."""
        return ask(metric, view, foils=[] if self._relative(metric) else None)

    def _of(self, behavior: Behavior) -> _Made:
        made = self._made.get(behavior.name)
        if made is None or made.behavior != behavior:
            others = self.source.select(behavior.cases)
            staged = (list(behavior.stage(case, others)) for case in self.source.candidates(behavior.cases))
            made = self._made[behavior.name] = _Made(behavior, Lazy(staged))
        return made

    def _each(self, made: _Made, metric: Metric) -> Iterable[list[Trial]]:
        """The trials of each case that the source has for a behavior."""
        if metric not in made.each:
            trials = ([self._trial(made.behavior, one, metric) for one in staged] for staged in made.staged)
            made.each[metric] = Lazy(trials)
        return made.each[metric]

    def _trial(self, behavior: Behavior, staged: Staged, metric: Metric) -> Trial:
        return behavior.trial(staged, metric, relative=self._relative(metric))

    def _relative(self, metric: Metric) -> bool:
        return self.relative and metric == "itm"


def _demand_keys(trials: Iterable[Trial]) -> None:
    """Let a perturbation that cannot be told from others fail here, where its own test alone is concerned."""
    for query in (query for trial in trials for query in trial.queries()):
        _ = query.key


@dataclass
class _Made:
    """A behavior's cases, as far as they have been staged.

    Attributes:
        each: the trials of each case, by metric.
        first: those of as many images as were asked for, by metric.
    """

    behavior: Behavior
    staged: Lazy[list[Staged]]
    each: dict[Metric, Lazy[list[Trial]]] = field(default_factory=dict)
    first: dict[Metric, list[Trial]] = field(default_factory=dict)


@contained()
def _next(rest: Iterator[list[Trial]]) -> list[Trial] | None:
    trials = next(rest, None)
    _demand_keys(trials or ())
    return trials


def _askable(trials: Iterable[Trial]) -> bool:
    return any(trial.askable for trial in trials)


def ask(metric: Metric, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
    """Word the question for a view: its target, and the words it is compared with.

    Args:
        metric: which score.
        view: what is shown and said.
        compared: words that are asked about beside the target.
        foils: itm of a model that only compares texts: texts beside those with another of the view's words filled in.

    Raises:
        NotApplicable: such a model, and no text to compare with; a word that is asked about and not told.
    """
    fillings = dict.fromkeys([view.target, *compared])
    # All words in one order, so that behaviors that share a view share its query.
    closed = {*fillings, *view.candidates, *(OPPOSITES[word] for word in [view.target] if word in OPPOSITES)}
    words = tuple(sorted(closed))
    if metric == "mrc":
        return Question(metric, view, {MASK: Query("mrc", view.picture, view.text, tuple(fillings))})
    if not view.told:
        raise NotApplicable("the text does not say the word that is asked about")
    if metric == "mlm":
        return Question(metric, view, {MASK: Query("mlm", view.picture, view.template, words)})
    told = {*map(view.filled, words), *foils} if foils is not None else set()
    if len(told) == 1:
        raise NotApplicable("the model only compares texts, and no other is known to be false")
    queries = {word: _match(view, view.filled(word), told) for word in fillings}
    return Question(metric, view, queries)


def _match(view: View, text: str, told: Set[str]) -> Query:
    return Query("itm", view.picture, text, tuple(sorted(told - {text})))


def _attempt(perturbation: Perturbation | None, view: View, others: Sequence[Case]) -> View | str:
    if perturbation is None:
        return view
    try:
        return perturbation(view, others)
    except NotApplicable as reason:
        return str(reason)
