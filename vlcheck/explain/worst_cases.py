"""The worst cases of a run, and their explanations as lines of the results file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from vlcheck._util.foreign_code import contained
from vlcheck._util.numbers import rounded
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.evaluation.evidence import Judgement, Row, Shown
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.trust import trust_sentence
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.models.differentiable import Differentiable
from vlcheck.results.file import ResultLines
from vlcheck.results.records import ExplanationRecord, MethodRecord
from vlcheck.stats.decision import BY_GRAVITY, Status

AT_ONCE = 8  # pictures that are in memory together

Order = tuple[int, int, str, str]
Side = Literal["before", "after"]


@dataclass(frozen=True, order=True)
class WorstCase:
    """A case that speaks clearly against a model.

    Attributes:
        order: its place among the cases of the run: first the gravest verdicts, of these the worst case of each.
        test: the test's id.
        metric: the metric.
        row: its evidence.
    """

    order: Order
    test: str = field(compare=False)
    metric: str = field(compare=False)
    row: Row = field(compare=False)

    @property
    def rank(self) -> int:
        """Its rank among the cases of its verdict, 1 for the worst."""
        return self.order[1]

    @property
    def sides(self) -> list[tuple[Side, Shown]]:
        """The views before and after the perturbation, with their names."""
        views: tuple[tuple[Side, Shown | None], ...] = (("before", self.row.before), ("after", self.row.after))
        return [(name, view) for name, view in views if view]


class WorstCases:
    """Keeps the worst cases of the verdicts that it is given.

    Of several processes of a run, each keeps as many as the whole run wants: the worst of the run are among them.

    Args:
        count: number of cases to keep.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: list[WorstCase] = []

    def add(self, test: str, judgement: Judgement) -> None:
        """Take in the worst cases of a verdict, in place of those of an earlier verdict of the same test.

        Args:
            test: the test's id.
            judgement: its verdict with the evidence.
        """
        others = [one for one in self._kept if (one.test, one.metric) != (test, judgement.metric)]
        if judgement.metric in OF_PICTURES:
            status, rows = judgement.verdict.status, judgement.worst(self._count)
            others += [
                WorstCase(order_of(status, rank, test, judgement.metric), test, judgement.metric, row)
                for rank, row in enumerate(rows, start=1)
            ]
        self._kept = heapq.nsmallest(self._count, others)

    def __iter__(self) -> Iterator[WorstCase]:
        """Yield the kept cases, the worst first."""
        return iter(self._kept)


def order_of(status: Status, rank: int, test: str, metric: str) -> Order:
    """Return the place of a case among the cases of a run, the worst first.

    Args:
        status: the status of its verdict.
        rank: its rank among the cases of the verdict, 1 for the worst.
        test: the test's id.
        metric: the metric.
    """
    return BY_GRAVITY.index(status), rank, test, metric


class CaseExplainer:
    """Explains the worst cases of a run with an attribution method.

    Args:
        model: the model.
        method: the method.
        count: number of cases to explain.

    Attributes:
        record: the method as the first line of the results names it.
    """

    def __init__(self, model: Differentiable, method: AttributionMethod, count: int) -> None:
        self._model, self._method = model, method
        self._cases = WorstCases(count)
        self.record = method_record(method, count)

    def add(self, test: str, judgement: Judgement) -> None:
        """Take in a verdict. See `WorstCases.add`.

        Args:
            test: the test's id.
            judgement: its verdict with the evidence.
        """
        self._cases.add(test, judgement)

    def lines(self) -> Iterator[ExplanationRecord]:
        """Explain the scores of both views of the worst cases so far, and yield the lines of the results.

        Views that cannot be explained are left out. Only the pictures of a few cases are in memory at a time.
        """
        views = [(case, side, shown) for case in self._cases for side, shown in case.sides]
        for metric in OF_PICTURES:
            chosen = [view for view in views if view[0].metric == metric]
            for start in range(0, len(chosen), AT_ONCE):
                yield from _explained(self._model, self._method, metric, chosen[start : start + AT_ONCE])


def method_record(method: AttributionMethod, count: int) -> MethodRecord:
    """Return a method as the first line of the results names it, with its measured trust.

    Args:
        method: the method.
        count: number of cases that it is to explain.
    """
    return MethodRecord(
        name=method.name, title=method.title, meaning=method.meaning, trust=trust_sentence(method.name), count=count
    )


def keep_worst(results: ResultLines) -> None:
    """Keep the explanations of the worst cases of a run: as many for each method as the run asked for.

    Args:
        results: results of all processes of the run, each of which explained its own worst cases.
    """
    statuses = {(verdict.test, verdict.metric): verdict.status for verdict in results.verdicts.values()}
    kept: list[ExplanationRecord] = []
    for method in results.run.explained:
        by_case: dict[Order, list[ExplanationRecord]] = {}
        for one in results.explanations:
            if one.method == method.name and (status := statuses.get((one.test, one.metric))):
                by_case.setdefault(order_of(status, one.rank, one.test, one.metric), []).append(one)
        kept += [one for _, its in sorted(by_case.items())[: method.count] for one in its]
    results.explanations[:] = kept


def _explained(
    model: Differentiable, method: AttributionMethod, metric: str, views: Sequence[tuple[WorstCase, Side, Shown]]
) -> Iterator[ExplanationRecord]:
    """Explain views together; if one of them cannot be explained, explain each by itself."""
    shown = [view for _, _, view in views]
    words = [view.target for view in shown] if metric == "mlm" else None
    try:
        with contained():
            images = [view.picture.render() for view in shown]
            found = attribute(model, method, images, [view.text for view in shown], words)
    except (NotApplicable, UsageError, ForeignFault):
        if len(views) > 1:
            for one in views:
                yield from _explained(model, method, metric, [one])
        return
    for (case, side, view), attribution in zip(views, found, strict=True):
        if np.isfinite(attribution.image.values).all():
            yield _record(case, side, attribution, view.target if words else "")


def _record(case: WorstCase, side: Side, found: Attribution, word: str) -> ExplanationRecord:
    cells = found.image.grid()
    tokens = found.token_values
    return ExplanationRecord(
        test=case.test,
        metric=case.metric,
        case=case.row.case.id,
        perturbation=case.row.perturbation,
        side=side,
        rank=case.rank,
        method=found.method,
        word=word,
        rows=cells.shape[0],
        columns=cells.shape[1],
        values=[rounded(value) for value in cells.ravel().tolist()],
        tokens=None if tokens is None else list(zip(found.tokens, map(rounded, tokens.tolist()), strict=True)),
        error=found.error,
    )
