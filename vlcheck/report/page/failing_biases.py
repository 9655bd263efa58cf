"""The biases that fail, each with what it asks of a model and the case that shows it best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck._util.numbers import counted
from vlcheck.report.page.escaping import Said, said
from vlcheck.report.page.evidence import RowView
from vlcheck.report.page.formatting import NAME, briefly
from vlcheck.report.page.matrix import question
from vlcheck.report.page.verdict import VerdictView
from vlcheck.results.conclusion import METRICS, Matrix, Standing, tally
from vlcheck.results.file import Key, key_of
from vlcheck.results.records import VerdictRecord

_MOST_TESTS = 3


@dataclass(frozen=True)
class TestView:
    """A behavior that fails.

    Attributes:
        id: of the place on the page of its gravest verdict.
        observed: by metric, what was seen.
        doc: why a user should care.
    """

    id: str
    title: Said
    observed: tuple[tuple[Said, str], ...]
    doc: Said | None


@dataclass(frozen=True)
class Example:
    """The worst case of a behavior."""

    title: Said
    metric: Said
    row: RowView


@dataclass(frozen=True)
class FoundView:
    """A bias that fails.

    Attributes:
        status: "fail", or "fail (known)".
        question: what it asks of a model.
        counts: how many of its verdicts fail, pass...
        tests: the gravest of its behaviors that fail.
        more: how many others there are.
        example: of the gravest of them that shows a case; None where none does.
    """

    bias: Said
    status: str
    question: Said | None
    counts: str
    tests: tuple[TestView, ...]
    more: int
    example: Example | None


def found_views(matrix: Matrix, views: Mapping[Key, VerdictView]) -> Iterator[FoundView]:
    """The biases that fail, the gravest first.

    Args:
        matrix: the run's.
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
    return FoundView(
        bias=said(bias, NAME),
        status=standing.said,
        question=question(standing.verdicts[0]),
        counts=f"Of {counted(len(standing.verdicts), 'verdict')}, {', '.join(tally(standing.verdicts))}.",
        tests=tuple(_test(its, views[key_of(its[0])]) for its in list(tests.values())[:_MOST_TESTS]),
        more=max(0, len(tests) - _MOST_TESTS),
        example=next((Example(view.title, view.metric, view.rows[0]) for view in shown if view.rows), None),
    )


def _test(verdicts: Sequence[VerdictRecord], first: VerdictView) -> TestView:
    ordered = sorted(verdicts, key=lambda verdict: (verdict.metric not in METRICS[:1], verdict.metric))
    observed = tuple((said(verdict.metric, NAME), briefly(verdict)) for verdict in ordered)
    return TestView(first.id, first.title, observed, first.doc)
