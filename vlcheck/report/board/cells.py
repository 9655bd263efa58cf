"""The cells of a board's tables, and the dates behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import verb
from vlcheck.report.board.comparable import ComparableRuns
from vlcheck.report.board.runs import BoardRun
from vlcheck.report.board.sparkline import DatedCell, sparkline
from vlcheck.report.links import verdict_address
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import briefly, title
from vlcheck.results.bias_matrix import NO_VERDICT, STATUSES, Standing
from vlcheck.stats.decision import NOT_ASKED

_LONGEST = 1_000  # characters of a reason


@dataclass(frozen=True)
class BoardCell:
    """A bias of a model under the metric of a table, in its latest run there.

    Attributes:
        status: the gravest status of its verdicts.
        said: the status in words with remarks: see `Standing.said`.
        passes: the number of verdicts that pass, in words.
        worst: the worst behavior and what was observed, unless all pass; None if nothing was measured.
        href: the address of the worst behavior on the run's page; "" if it has none.
        order: a number by which cells are sorted, the gravest first.
        apart: the difference from the cells of its column; None if it can be compared with them.
        trend: the line over the dates of the model's runs; None for a single run.
    """

    status: str
    said: str
    passes: str
    worst: ShownText | None
    href: str
    order: float
    apart: ShownText | None
    trend: Markup | None


def board_cell(table: ComparableRuns, runs: Sequence[BoardRun], bias: str) -> BoardCell | None:
    """Return the cell of a bias; None if the latest run was not asked about it.

    Args:
        table: the table.
        runs: the runs of a model in it, from the oldest to the latest.
        bias: the bias.
    """
    latest = runs[-1]
    standing = latest.matrix.cells.get((bias, table.scope.metric))
    if standing is None:
        return None
    apart = table.apart.get((latest.number, bias))
    dated = dated_cells(table, runs, bias)
    return BoardCell(
        status=standing.status,
        said=standing.said,
        passes=passes_in_words(standing),
        worst=_worst(standing),
        href=_href(latest, standing),
        order=_order(standing),
        apart=shown_text(apart, _LONGEST) if apart else None,
        trend=sparkline(dated) if len(dated) > 1 and not apart else None,
    )


def dated_cells(table: ComparableRuns, runs: Sequence[BoardRun], bias: str) -> list[DatedCell]:
    """Return a cell in each run of a model that has a date, and that can be compared with those of its column.

    Args:
        table: the table.
        runs: the runs of the model in it, from the oldest to the latest.
        bias: the bias.
    """
    found = []
    for run in runs:
        standing = run.matrix.cells.get((bias, table.scope.metric))
        if standing and run.date and (run.number, bias) not in table.apart:
            found.append(DatedCell(run.date, standing.status, standing.passes, standing.tests))
    return found


def passes_in_words(standing: Standing) -> str:
    """Return e.g. "5 of 7 pass" or "1 of 7 passes"."""
    return f"{standing.passes} of {standing.tests} {verb(standing.passes, 'passes', 'pass')}"


def _worst(standing: Standing) -> ShownText | None:
    if standing.status in ("pass", NOT_ASKED, NO_VERDICT) or not (seen := briefly(standing.verdicts[0])):
        return None
    return shown_text(f"{title(standing.verdicts[0].behavior).text}: {seen}", _LONGEST)


def _href(run: BoardRun, standing: Standing) -> str:
    """Return the address of the worst behavior on a run's page; "" if the run has no page."""
    return verdict_address(run.page, standing.verdicts[0]) if run.page and standing.verdicts else run.page


def _order(standing: Standing) -> float:
    """Return a number that is smaller for graver cells: by status, known biases after others, then by fewer passes."""
    share = standing.passes / max(standing.tests, 1)
    return round(STATUSES.index(standing.status) + 0.5 * standing.known + 0.4 * share, 3)
