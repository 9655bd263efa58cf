"""Behaviors: the statement of a test function, and the queries that it takes to check it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from vlcheck.behaviors.tables import Table
from vlcheck.cases import Case, Selection
from vlcheck.cases.picture import UNCHANGED
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, OTHER, Expectation
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.registry import ask
from vlcheck.perturb import Each, Perturbation
from vlcheck.perturb.base import perturbed


@dataclass(frozen=True)
class Staged:
    """A case in every arm, before a model is asked.

    Attributes:
        case: the case.
        arms: the view of each arm, or the reason why there is none.
        perturbation: the perturbation from before to after, as results show it; "" if there is none.
        rivals: credit of others for the case, for an expectation of a lead; else empty.
    """

    case: Case
    arms: Mapping[str, View | str]
    perturbation: str = ""
    rivals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Trial:
    """The questions about a case in every arm.

    Attributes:
        case: the case.
        arms: the question of each arm, or the reason why there is none.
        perturbation: the perturbation from before to after, as results show it; "" if there is none.
        needed: the arms that a case cannot do without.
        rivals: credit of others for the case, for an expectation of a lead; else empty.
        given: whether the model decides the case by construction; then nothing is asked.
    """

    case: Case
    arms: Mapping[str, Question | str]
    perturbation: str = ""
    needed: Set[str] = frozenset({BEFORE})
    rivals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    given: bool = False

    @property
    def askable(self) -> bool:
        """True if the data has a question for every needed arm, as far as is known before its pictures are drawn."""
        return self.given or all(isinstance(self.arms.get(arm), Question) for arm in self.needed)

    def queries(self) -> Iterator[Query]:
        """Yield the queries of all arms."""
        for arm in self.arms.values():
            if isinstance(arm, Question):
                yield from arm.queries.values()


@dataclass(frozen=True, kw_only=True)
class Behavior:
    """A testable statement about a model: cases, a perturbation of them, and an expectation of the scores.

    Attributes:
        name: the test function's name, by which the policy refers to the behavior.
        bias: the bias that it belongs to: "modality", "color", "position"...
        bias_doc: the question that the bias asks of a model.
        doc: the reason why a user should care.
        cases: the selection of cases.
        expect: the expectation; it computes a case's margins from the model's scores.
        perturb: the perturbation whose effect is tested; Each for several, with a row for each; None if the expectation
            compares no two views.
        given: a perturbation that the views before and after `perturb` both get, e.g. Bare() for the text without the
            hint.
        tables: tables that the results show beside the verdict.
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
        """The label of the perturbation, as results show it; "" if there is none."""
        return self.perturb.label if self.perturb else ""

    def stage(self, case: Case, others: Sequence[Case]) -> Iterator[Staged]:
        """Yield a case in every arm, under each of the perturbations.

        Args:
            case: the case.
            others: all of the behavior's cases, for perturbations that take something from another case.
        """
        for perturb in self.perturb.parts if isinstance(self.perturb, Each) else (self.perturb,):
            views = self._views(case, perturb, others)
            yield Staged(case, MappingProxyType(views), perturb.label if perturb else "")

    def trial(self, staged: Staged, metric: Metric, *, relative: bool = False, method: str = "") -> Trial:
        """Return the questions that a metric asks about a staged case.

        Args:
            staged: the case in every arm.
            metric: the metric.
            relative: whether the model's score is relative, so that it needs foils.
            method: the method that explains the model, for a metric whose answers depend on it; "" for none.
        """
        foils = self._contrasted(staged) if relative else None
        arms = {
            arm: self._question(metric, view, foils, method) if isinstance(view, View) else view
            for arm, view in staged.arms.items()
        }
        return Trial(staged.case, MappingProxyType(arms), staged.perturbation, self._needed, staged.rivals)

    @property
    def _needed(self) -> Set[str]:
        """The arms that a case cannot do without.

        For a mean it is enough that half of the cases are known to the model, so that the other picture may be missing.
        """
        arms = {BEFORE, *self.expect.arms(), *([AFTER] if self.perturb else [])}
        return arms - {OTHER} if self.expect.competence == "to pass" else arms

    def _contrasted(self, staged: Staged) -> list[str]:
        """Return the texts before and after if they cannot both be true."""
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

    def _question(self, metric: Metric, view: View, foils: Sequence[str] | None, method: str) -> Question | str:
        try:
            compared = [*self.expect.words(view), *(word for table in self.tables for word in table.words(view))]
            return ask(metric, view, compared, foils, method=method)
        except NotApplicable as reason:
            return str(reason)


def _attempt(perturbation: Perturbation | None, view: View, others: Sequence[Case]) -> View | str:
    if perturbation is None:
        return view
    try:
        return perturbed(perturbation, view, others)
    except NotApplicable as reason:
        return str(reason)
