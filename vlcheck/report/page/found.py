"""The biases that fail, each with what it asks of a model and the case that shows it best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlcheck.report.conclusion import Matrix, Standing
from vlcheck.report.page.evidence import RowView
from vlcheck.report.page.matrix import question
from vlcheck.report.page.measures import NAME
from vlcheck.report.page.verdicts import VerdictView
from vlcheck.report.page.words import Said, said
from vlcheck.report.results import Key, key_of

_MOST_TESTS = 3


@dataclass(frozen=True)
class TestView:
    """A behavior that fails.

    Attributes:
        id: of the place on the page of its gravest verdict.
        metrics: under which it does.
        doc: why a user should care.
    """

    id: str
    title: Said
    metrics: tuple[Said, ...]
    doc: Said | None


@dataclass(frozen=True)
class FoundView:
    """A bias that fails.

    Attributes:
        status: "fail", or "fail (known)".
        question: what it asks of a model.
        fails: in how many of its verdicts the model does not do it.
        tests: the gravest of its behaviors that fail.
        more: how many others there are.
        example: the worst case of the gravest of them; None where no case is shown.
    """

    bias: Said
    status: str
    question: Said | None
    fails: str
    tests: tuple[TestView, ...]
    more: int
    example: RowView | None


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
    failing = [views[key_of(verdict)] for verdict in standing.failing]
    tests: dict[str, list[VerdictView]] = {}
    for verdict, view in zip(standing.failing, failing, strict=True):
        tests.setdefault(verdict["behavior"], []).append(view)
    return FoundView(
        bias=said(bias, NAME),
        status=standing.said,
        question=question(standing.verdicts[0]),
        fails=f"{len(failing)} of {len(standing.verdicts)}",
        tests=tuple(_test(its) for its in list(tests.values())[:_MOST_TESTS]),
        more=max(0, len(tests) - _MOST_TESTS),
        example=next((view.rows[0] for view in failing if view.rows), None),
    )


def _test(views: list[VerdictView]) -> TestView:
    first = views[0]
    return TestView(first.id, first.title, tuple(view.metric for view in views), first.doc)
