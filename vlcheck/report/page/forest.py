"""The forest plot of a run: all verdicts at a glance, by bias; each line leads to its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck.report.page.charts.forest import forest_axis, forest_line
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME, title
from vlcheck.results.bias_matrix import Matrix
from vlcheck.results.comparison import Compared
from vlcheck.results.file import Key, key_of
from vlcheck.results.records import VerdictRecord


@dataclass(frozen=True)
class ForestRow:
    """A verdict in the forest plot.

    Attributes:
        id: id of the verdict's element on the page.
        title: the behavior's name in words.
        metric: the metric.
        status: the status.
        drawing: its line; None if nothing was measured.
    """

    id: str
    title: ShownText
    metric: ShownText
    status: str
    drawing: Markup | None


@dataclass(frozen=True)
class ForestScale:
    """Verdicts of a bias that have an axis in common.

    Attributes:
        name: the quantity on the axis.
        axis: its numbers.
        rows: the verdicts, the gravest first.
    """

    name: str
    axis: Markup
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True)
class ForestBias:
    """The verdicts of a bias in the forest plot.

    Attributes:
        bias: the bias.
        scales: its verdicts on rates, then those on means.
    """

    bias: ShownText
    scales: tuple[ForestScale, ...]


@dataclass(frozen=True)
class ForestView:
    """The forest plot.

    Attributes:
        biases: its verdicts by bias, the gravest first.
        compared: True if the release before is drawn.
    """

    biases: tuple[ForestBias, ...]
    compared: bool


def forest_view(matrix: Matrix, names: Mapping[Key, str], changes: Mapping[Key, Compared]) -> ForestView:
    """Return the forest plot of a run.

    Args:
        matrix: the run's matrix of verdicts.
        names: verdict's key -> id of its element on the page.
        changes: verdict's key -> its change since the release before.
    """
    before = {key: value for key, one in changes.items() if (value := _before(one)) is not None}
    biases = [
        ForestBias(shown_text(bias, NAME), tuple(_scales(standing.verdicts, names, before)))
        for bias, standing in matrix.biases.items()
        if standing.verdicts
    ]
    return ForestView(tuple(biases), bool(before))


def _before(change: Compared) -> float | None:
    """Return the value on the paired images in the release before; None for one of several means of a behavior."""
    return change.figure.old if change.figure and not change.about else None


def _scales(
    verdicts: Sequence[VerdictRecord], names: Mapping[Key, str], before: Mapping[Key, float]
) -> Iterator[ForestScale]:
    for mean, name in ((False, "share that violates"), (True, "mean")):
        rows = tuple(
            ForestRow(
                id=names[key_of(one)],
                title=title(one.behavior),
                metric=shown_text(one.metric, NAME),
                status=one.status,
                drawing=forest_line(one, before.get(key_of(one))),
            )
            for one in verdicts
            if (one.claim == "mean") == mean
        )
        if rows:
            yield ForestScale(name, forest_axis(mean), rows)
