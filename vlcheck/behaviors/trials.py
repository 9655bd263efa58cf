"""The trials of behaviors on a source's cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Self

from vlcheck._util.foreign_code import contained
from vlcheck._util.lazy import Lazy
from vlcheck.behaviors.behavior import Behavior, Staged, Trial
from vlcheck.behaviors.class_words import CanName, among_classes
from vlcheck.behaviors.construction import Construction
from vlcheck.behaviors.made_trials import RECENT, MadeTrials
from vlcheck.cases import Case, CaseSource
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import competes
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.question import Question
from vlcheck.metrics.registry import METRICS, ask
from vlcheck.models.protocol import NamesClasses, StatesSymmetry, VisionLanguageModel, only_compares

MOST_ASKED = 2  # images asked for each that is to count: no verdict is valid if the model knows fewer than half


@dataclass(frozen=True)
class Trials:
    """The trials of behaviors on a source's cases; those of the last RECENT cases of each behavior are kept.

    Attributes:
        source: the cases.
        relative: whether the model's itm score only compares texts.
        method: the attribution method of the model's maps; "" for none.
        code: a digest of the code of the network that is explained; "" for a network of vlcheck.
        can_name: whether the model has a score for a word at the mask; None if it has one for every word.
        wording: the wording in which questions in words are asked; "" for the model's usual one.
        construction: the scores that the model gives alike by construction; None if it states none.
    """

    source: CaseSource
    relative: bool = False
    method: str = ""
    code: str = ""
    can_name: CanName | None = None
    construction: Construction | None = None
    wording: str = ""
    _made: dict[tuple[str, bool], _Made] = field(default_factory=dict, repr=False)
    _learnt: dict[str, tuple[Behavior, Mapping[str, Mapping[str, float]]]] = field(default_factory=dict, repr=False)

    @classmethod
    def for_model(cls, source: CaseSource, model: VisionLanguageModel | None) -> Self:
        """Return the trials as a model can be asked about them.

        Args:
            source: the cases.
            model: the model; None for one that can be asked everything.
        """
        method = model.kinds.get("map", "") if model else ""
        can_name = model.can_name if isinstance(model, NamesClasses) else None
        construction = Construction(model) if isinstance(model, StatesSymmetry) else None
        return cls(source, only_compares(model), method, getattr(model, "network_code", ""), can_name, construction)

    def in_wording(self, wording: str) -> Trials:
        """Return the trials with their questions in a wording."""
        return replace(self, wording=wording, _made={})

    @contained()
    def of(self, behavior: Behavior, metric: Metric) -> MadeTrials:
        """Return the trials of as many images as were requested, not counting cases that the data refuses.

        A chosen case that cannot be asked is replaced by the source's next one that can, as far as that is known before
        its pictures are drawn. Cases that are refused when the pictures are drawn are replaced later, from `spare`.

        Args:
            behavior: the behavior.
            metric: the metric.

        Raises:
            UsageError: Under the same conditions as `CaseSource.select`.
            ForeignFault: If the behavior's own code raises.
        """
        made = self._of(behavior, metric)
        if metric not in made.first:
            made.first[metric] = MadeTrials(self._of_place(made, metric), self._chosen(made, metric))
        return made.first[metric]

    def _chosen(self, made: _Made, metric: Metric) -> Iterator[int]:
        """Yield the places of as many cases as were requested, and of others for those that cannot be asked."""
        of_case, lacking, places = self._of_place(made, metric), 0, enumerate(made.cases)
        for place, _ in islice(places, self.source.images):
            lacking += not _askable(_with_keys(of_case(place)))
            yield place
        spare = (place for place, _ in places if _askable(_with_keys(of_case(place))))
        yield from islice(spare, lacking)

    def spare(self, behavior: Behavior, metric: Metric) -> Iterator[MadeTrials]:
        """Yield the trials of each further image, to replace those that turn out not to count.

        With them a model is asked about at most MOST_ASKED times as many images as were requested.

        Args:
            behavior: the behavior.
            metric: the metric.

        Yields:
            The trials of one image at a time, in the order in which they are used.
        """
        return islice(self._rest(behavior, metric), (MOST_ASKED - 1) * self.source.images)

    def _rest(self, behavior: Behavior, metric: Metric) -> Iterator[MadeTrials]:
        had = {*self.of(behavior, metric).images}
        made = self._of(behavior, metric)
        of_case = self._of_place(made, metric)
        free = ((place, of_case(place)) for place, case in enumerate(made.cases) if case.image.key not in had)
        while (found := _next(free)) is not None:
            if _askable(found[1]):
                yield MadeTrials(of_case, [found[0]])

    @contained()
    def of_case(self, behavior: Behavior, metric: Metric, case: Case) -> list[Trial]:
        """Return the trials of one of the behavior's cases.

        Args:
            behavior: the behavior.
            metric: the metric.
            case: the case.

        Raises:
            UsageError: Under the same conditions as `CaseSource.select`.
            ForeignFault: If the behavior's own code raises.
        """
        made = self._of(behavior, metric)
        if (place := made.by_case(metric).get(case.id)) is not None:
            return self._of_place(made, metric)(place)
        others = self.source.select(behavior.cases)
        return [self._trial(behavior, staged, metric) for staged in self._stage(behavior, metric, case, others)]

    @contained()
    def learnt(self, behavior: Behavior) -> Mapping[str, Mapping[str, float]]:
        """Return the credit of a behavior's rivals that need no model, by the id of the case and their names.

        They learn once, from all cases that the data has for the behavior.

        Args:
            behavior: the behavior; one that claims no lead has no rivals.

        Raises:
            ForeignFault: If the behavior's own code raises.
        """
        if not competes(behavior.expect):
            return MappingProxyType({})
        found = self._learnt.get(behavior.name)
        if found is None or found[0] != behavior:
            found = self._learnt[behavior.name] = behavior, behavior.expect.learn(self.source.accepted(behavior.cases))
        return found[1]

    def plain(self, case: Case, metric: Metric) -> Question:
        """Return the question about an unperturbed case.

        Args:
            case: the case.
            metric: the metric.

        Raises:
            NotApplicable: If the metric cannot be asked about the case.
        """
        return self.question(View.of(case), metric)

    def question(self, view: View, metric: Metric) -> Question:
        """Return the question about a view on its own.

        Args:
            view: the view.
            metric: the metric.

        Raises:
            NotApplicable: If the metric cannot be asked about the view.
        """
        if can_name := self._can_name(metric):
            told = among_classes(view.case, can_name)
            view = replace(view, case=told, candidates=tuple(filter(can_name, view.candidates)))
        foils: list[str] | None = [] if self._relative(metric) else None
        return self._worded(ask(metric, view, foils=foils, method=self._method(metric)))

    def _worded(self, question: Question) -> Question:
        """Return a question in the wording of these trials, if it is one in words."""
        worded = self.wording and METRICS[question.metric].worded
        return question.in_wording(self.wording) if worded else question

    def _stage(self, behavior: Behavior, metric: Metric, case: Case, others: Sequence[Case]) -> Iterator[Staged]:
        """Yield a case in every arm, with the words that the model has scores for; or why it is not asked."""
        can_name = self._can_name(metric)
        try:
            told, unasked = among_classes(case, can_name) if can_name else case, ""
        except NotApplicable as reason:
            told, unasked = case, str(reason)
        rivals = self.learnt(behavior).get(case.id, {})
        for staged in behavior.stage(told, others):
            arms = dict.fromkeys(staged.arms, unasked) if unasked else staged.arms
            yield replace(staged, arms=arms, rivals=rivals)

    def _can_name(self, metric: Metric) -> CanName | None:
        """Return whether the model has a score for a word under a metric; None if it has one for every word."""
        return self.can_name if metric == "mlm" else None

    def _method(self, metric: Metric) -> str:
        """Return what decides an explained metric's answers beside the model: method and code of the network."""
        return " ".join(filter(None, [self.method if metric == "map" else "", self.code]))

    def _of(self, behavior: Behavior, metric: Metric) -> _Made:
        key = behavior.name, self._can_name(metric) is not None
        made = self._made.get(key)
        if made is None or made.behavior != behavior:
            others = self.source.select(behavior.cases)
            cases = Lazy(self.source.candidates(behavior.cases))

            @lru_cache(RECENT)
            def stage(place: int) -> list[Staged]:
                return list(self._stage(behavior, metric, cases[place], others))

            made = self._made[key] = _Made(behavior, cases, stage)
        return made

    def _of_place(self, made: _Made, metric: Metric) -> Callable[[int], list[Trial]]:
        """Return a function that makes the trials of a case, given by its place in the source's order."""
        if metric not in made.of_place:

            @lru_cache(RECENT)
            def of_place(place: int) -> list[Trial]:
                return [self._trial(made.behavior, one, metric) for one in made.stage(place)]

            made.of_place[metric] = of_place
        return made.of_place[metric]

    def _trial(self, behavior: Behavior, staged: Staged, metric: Metric) -> Trial:
        trial = behavior.trial(staged, metric, relative=self._relative(metric), method=self._method(metric))
        given = self.construction.decides(trial, behavior.expect) if self.construction else ""
        if self.wording:
            arms = {arm: one if isinstance(one, str) else self._worded(one) for arm, one in trial.arms.items()}
            trial = replace(trial, arms=arms)
        return replace(trial, arms=dict.fromkeys(trial.arms, given), given=True) if given else trial

    def _relative(self, metric: Metric) -> bool:
        return self.relative and METRICS[metric].compares_texts


def _with_keys(trials: list[Trial]) -> list[Trial]:
    """Compute the keys of all queries, so that a perturbation without a valid key fails here, in its own test alone."""
    for query in (query for trial in trials for query in trial.queries()):
        _ = query.key
    return trials


@dataclass
class _Made:
    """A behavior's cases in every arm, and its trials; the recent ones are kept.

    Attributes:
        behavior: the behavior.
        cases: the cases in the source's order.
        stage: returns a case in every arm, given by its place.
        of_place: returns the trials of a case, given by its place, by metric.
        first: the trials of as many images as were requested, by metric.
    """

    behavior: Behavior
    cases: Lazy[Case]
    stage: Callable[[int], list[Staged]]
    of_place: dict[Metric, Callable[[int], list[Trial]]] = field(default_factory=dict)
    first: dict[Metric, MadeTrials] = field(default_factory=dict)
    _places: dict[Metric, dict[str, int]] = field(default_factory=dict)

    def by_case(self, metric: Metric) -> Mapping[str, int]:
        """Return the places of the cases of `first` by their ids; none before they are chosen."""
        if metric in self.first and metric not in self._places:
            self._places[metric] = {self.cases[place].id: place for place in self.first[metric].cases}
        return self._places.get(metric, {})


@contained()
def _next(rest: Iterator[tuple[int, list[Trial]]]) -> tuple[int, list[Trial]] | None:
    found = next(rest, None)
    return (found[0], _with_keys(found[1])) if found else None


def _askable(trials: Iterable[Trial]) -> bool:
    return any(trial.askable for trial in trials)
