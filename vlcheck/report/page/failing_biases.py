"""The biases that fail, each with the question that it asks of a model and its clearest case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck._util.numbers import counted
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.evidence import RowView
from vlcheck.report.page.formatting import NAME, briefly
from vlcheck.report.page.matrix import question
from vlcheck.report.page.verdict import VerdictView
from vlcheck.results.bias_matrix import Matrix, Standing
from vlcheck.results.file import Key, key_of
from vlcheck.results.records import VerdictRecord
from vlcheck.results.sentence import tally

_MOST_TESTS = 3


@dataclass(frozen=True)
class TestView:
    """A behavior that fails.

    Attributes:
        id: id of its gravest verdict's element on the page.
        title: the behavior's name in words.
        observed: for each metric, the observed value.
        doc: the reason why a user should care.
    """

    id: str
    title: ShownText
    observed: tuple[tuple[ShownText, str], ...]
    doc: ShownText | None


@dataclass(frozen=True)
class Example:
    """The worst case of a behavior."""

    title: ShownText
    metric: ShownText
    row: RowView


@dataclass(frozen=True)
class FoundView:
    """A bias that fails.

    Attributes:
        bias: the bias.
        status: "fail", or "fail (known)".
        question: the question that the bias asks of a model.
        counts: numbers of its verdicts, by status, in words.
        tests: the gravest of its failing behaviors.
        more: its other failing behaviors, which are folded.
        example: a case of the gravest of them that has one; None if none has.
    """

    bias: ShownText
    status: str
    question: ShownText | None
    counts: str
    tests: tuple[TestView, ...]
    more: tuple[TestView, ...]
    example: Example | None


def found_views(matrix: Matrix, views: Mapping[Key, VerdictView]) -> Iterator[FoundView]:
    """Yield the biases that fail, the gravest first.

    Args:
        matrix: the run's matrix of verdicts.
        views: its verdicts as the page shows them.
    """
    for bias, standing in matrix.biases.items():
        if standing.failing:
            yield _found(bias, standing, views)


def _found(bias: str, standing: Standing, views: Mapping[Key, VerdictView]) -> FoundView:
    shown = [views[key_of(verdict)] for verdict in standing.failing]
    tests: dict[str, list[VerdictRecord]] = {}
    for verdict in standing.failing:
        tests.setdefault(verdict.behavior, []).append(verdict)
    told = [_test(its, views[key_of(its[0])]) for its in tests.values()]
    return FoundView(
        bias=shown_text(bias, NAME),
        status=standing.said,
        question=question(standing.verdicts[0]),
        counts=f"Of {counted(len(standing.verdicts), 'verdict')}, {', '.join(tally(standing.verdicts))}.",
        tests=tuple(told[:_MOST_TESTS]),
        more=tuple(told[_MOST_TESTS:]),
        example=next((Example(view.title, view.metric, view.rows[0]) for view in shown if view.rows), None),
    )


def _test(verdicts: Sequence[VerdictRecord], first: VerdictView) -> TestView:
    ordered = sorted(verdicts, key=lambda verdict: (verdict.metric not in OF_PICTURES[:1], verdict.metric))
    observed = tuple((shown_text(verdict.metric, NAME), briefly(verdict)) for verdict in ordered)
    return TestView(first.id, first.title, observed, first.doc)
