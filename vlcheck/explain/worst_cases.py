"""The worst cases of a run, and their explanations as lines of the results file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np

from vlcheck._util.foreign_code import contained
from vlcheck._util.memory import lacks_memory
from vlcheck._util.numbers import rounded
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable
from vlcheck.evaluation.evidence import Judgement, Row, Shown
from vlcheck.explain.attribution.attribute import Attribution, attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.trust import trust_sentence
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.results.explained_cases import Order, order_of
from vlcheck.results.parts import reread
from vlcheck.results.records import ExplanationRecord, MethodRecord

AT_ONCE = 8  # pictures that are in memory together
ENDED = "the run or its worker ended before the case was explained"

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
    def views(self) -> list[CaseView]:
        """The views before and after the perturbation."""
        sides: tuple[tuple[Side, Shown | None], ...] = (("before", self.row.before), ("after", self.row.after))
        return [CaseView(self, side, shown) for side, shown in sides if shown]


@dataclass(frozen=True)
class CaseView:
    """One view of a case.

    Attributes:
        case: the case.
        side: "before" or "after" the perturbation.
        shown: the view with the model's answer.
    """

    case: WorstCase
    side: Side
    shown: Shown

    def named(self, method: str) -> Mapping[str, Any]:
        """Return the keys of its line in the results that name it.

        Args:
            method: the method that explains it.
        """
        row = self.case.row
        return {
            "test": self.case.test,
            "metric": self.case.metric,
            "case": row.case.id,
            "perturbation": row.perturbation,
            "side": self.side,
            "rank": self.case.rank,
            "method": method,
        }


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


class CaseExplainer:
    """Explains the worst cases of a run with attribution methods.

    Args:
        model: the model.
        counts: the methods, each with the number of cases that it explains; at least one.

    Attributes:
        records: the methods as the first line of the results names them.
    """

    def __init__(self, model: VisionLanguageModel, counts: Sequence[tuple[AttributionMethod, int]]) -> None:
        self._model, self._counts = model, counts
        self._cases = WorstCases(max(count for _, count in counts))
        self.records = tuple(method_record(method, count, model.name) for method, count in counts)

    def add(self, test: str, judgement: Judgement) -> None:
        """Take in a verdict. See `WorstCases.add`.

        Args:
            test: the test's id.
            judgement: its verdict with the evidence.
        """
        self._cases.add(test, judgement)

    def pending(self, test: str) -> Iterator[ExplanationRecord]:
        """Yield the lines of a test's worst cases that hold until `lines` replaces them: they say that the run ended.

        Args:
            test: the test's id.
        """
        for method, count in self._counts:
            for view in self._views(count):
                if view.case.test == test:
                    yield ExplanationRecord(**view.named(method.name), reason=ENDED)

    def lines(self) -> Iterator[ExplanationRecord]:
        """Explain the scores of both views of the worst cases so far, and yield the lines of the results.

        A view that cannot be explained has a line with the reason. Only the pictures of a few cases are in memory at a
        time.
        """
        for method, count in self._counts:
            views = self._views(count)
            for metric in OF_PICTURES:
                chosen = [view for view in views if view.case.metric == metric]
                for start in range(0, len(chosen), AT_ONCE):
                    yield from self._explained(method, metric, chosen[start : start + AT_ONCE])

    def _views(self, count: int) -> list[CaseView]:
        """Return the views of the worst cases so far."""
        return [view for case in islice(self._cases, count) for view in case.views]

    def _explained(
        self, method: AttributionMethod, metric: Metric, views: Sequence[CaseView]
    ) -> Iterator[ExplanationRecord]:
        """Explain views together; if one of them cannot be explained, explain each by itself."""
        try:
            with contained():
                found = self._attributions(method, metric, [view.shown for view in views])
                records = [reread(_record(view, one)) for view, one in zip(views, found, strict=True)]
        except (NotApplicable, UsageError, ForeignFault) as error:
            reason = _reason(error)
        else:
            yield from records
            return
        if len(views) == 1:
            yield ExplanationRecord(**views[0].named(method.name), reason=reason)
            return
        for view in views:
            yield from self._explained(method, metric, [view])

    def _attributions(self, method: AttributionMethod, metric: Metric, shown: Sequence[Shown]) -> list[Attribution]:
        """Explain the scores of views. May raise any error of the model."""
        network, images = differentiable(self._model, metric), [view.picture.render() for view in shown]
        words = [view.target for view in shown] if metric == "mlm" else None
        return attribute(network, method, images, [view.text for view in shown], words)


def method_record(method: AttributionMethod, count: int, model: str = "") -> MethodRecord:
    """Return a method as the first line of the results names it, with its measured trust.

    Args:
        method: the method.
        count: number of cases that it is to explain.
        model: name of the explained model; "" if it is not known.
    """
    return MethodRecord(
        name=method.name,
        title=method.title,
        meaning=method.meaning,
        trust=trust_sentence(method.name, model),
        count=count,
    )


def _record(view: CaseView, found: Attribution) -> ExplanationRecord:
    """Return the line of an explained view; of values that tell nothing, the line with the reason."""
    named, cells, tokens = view.named(found.method), found.image.grid(), found.token_values
    if reason := _without_content(cells, tokens):
        return ExplanationRecord(**named, reason=reason)
    return ExplanationRecord(
        **named,
        word=view.shown.target if view.case.metric == "mlm" else "",
        rows=cells.shape[0],
        columns=cells.shape[1],
        values=[rounded(value) for value in cells.ravel().tolist()],
        tokens=None if tokens is None else list(zip(found.tokens, map(rounded, tokens.tolist()), strict=True)),
        error=found.error,
    )


def _without_content(cells: np.ndarray, tokens: np.ndarray | None) -> str:
    """Return why values are no explanation; "" if they are one.

    Args:
        cells: the map as it is drawn.
        tokens: the values of the tokens; None if the method gives none.
    """
    if not np.isfinite(cells).all():
        return "the map is not finite"
    if tokens is not None and not np.isfinite(tokens).all():
        return "the values of the words are not finite"
    return "" if cells.any() else "the map is 0 everywhere"


def _reason(error: Exception) -> str:
    """Return why a view cannot be explained, for people."""
    if lacks_memory(error.__cause__):
        return "no memory for one pair"
    return printable(str(error))
