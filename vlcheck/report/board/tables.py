"""The tables of a board as its page shows them: models by biases under one metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vlcheck._util.hashing import brief_digest
from vlcheck._util.numbers import counted, day, moment
from vlcheck.metrics.registry import METRICS
from vlcheck.report.board.cells import BoardCell, board_cell, passes_in_words
from vlcheck.report.board.comparable import ComparableRuns
from vlcheck.report.board.runs import BoardRun
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME

_LONGEST = 1_000  # characters of a sentence


@dataclass(frozen=True)
class BoardRow:
    """A model of a table.

    Attributes:
        model: its name.
        run: number of its latest run in this table.
        page: the address of that run's page; "" if it has none.
        date: the day of that run; the text of the results if it is no time.
        order: a number by which rows are sorted by date.
        about: remarks on its runs.
        cells: a cell for each bias; None for one that was not asked about.
    """

    model: ShownText
    run: int
    page: str
    date: ShownText
    order: float
    about: tuple[ShownText, ...]
    cells: tuple[BoardCell | None, ...]


@dataclass(frozen=True)
class HistoryRow:
    """A run of a model: its number, its date, and for each bias the status and its verdicts that pass, in words."""

    run: int
    date: ShownText
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class History:
    """The runs of a model that has several, from the oldest to the latest."""

    model: ShownText
    rows: tuple[HistoryRow, ...]


@dataclass(frozen=True)
class BoardTable:
    """A table.

    Attributes:
        number: its number, from 1.
        metric: the metric.
        meaning: the question of the metric; "" for an unknown one.
        about: the conditions that its runs have in common.
        versions: the versions of vlcheck that asked, with their runs; None if it is one.
        apart: the reason why its runs are in no table before it; None for the first table of a metric.
        biases: the heads of its columns.
        rows: its rows, in the order of the files.
        histories: the dates behind its lines.
    """

    number: int
    metric: ShownText
    meaning: str
    about: tuple[ShownText, ...]
    versions: ShownText | None
    apart: ShownText | None
    biases: tuple[ShownText, ...]
    rows: tuple[BoardRow, ...]
    histories: tuple[History, ...]


def board_tables(tables: Sequence[ComparableRuns]) -> Iterator[BoardTable]:
    """Yield the tables of a board."""
    latest: dict[tuple[str, str], BoardRun] = {}
    for run in sorted((run for table in tables for run in table.runs), key=lambda run: run.age):
        latest[run.model] = run
    for number, table in enumerate(tables, start=1):
        models: dict[tuple[str, str], list[BoardRun]] = {}
        for run in table.runs:
            models.setdefault(run.model, []).append(run)
        dated = [sorted(runs, key=lambda run: run.age) for runs in models.values()]
        metric = table.scope.metric
        yield BoardTable(
            number=number,
            metric=shown_text(metric, NAME),
            meaning=METRICS[metric].meaning if metric in METRICS else "",
            about=tuple(_conditions(table)),
            versions=_versions(table.runs),
            apart=_apart(tables, number),
            biases=tuple(shown_text(bias, NAME) for bias in table.biases),
            rows=tuple(_row(table, runs, latest[runs[-1].model]) for runs in dated),
            histories=tuple(_history(table, runs) for runs in dated if len(runs) > 1),
        )


def _conditions(table: ComparableRuns) -> Iterator[ShownText]:
    scope = table.scope
    yield shown_text(f"kind of score: {scope.kind}")
    specs = list(dict.fromkeys(run.header.data for run in table.runs))
    given = "" if specs == [scope.data] else f", given as the name of {', '.join(specs)}"
    yield shown_text(f"data: {scope.data}{given}")
    if scope.images is not None:
        yield shown_text(f"up to {counted(scope.images, 'image')} a behavior, seed {scope.seed}")
    if scope.sequential:
        yield shown_text("each behavior was asked until it was decided")
    if by_folder := [run for run in table.runs if run.header.options.get("lexicons") and not run.header.lexicons]:
        said = ", ".join(str(run.number) for run in by_folder)
        yield shown_text(f"lexicons of run {said}: named by their folder, as an older vlcheck keeps them")


def _versions(runs: Sequence[BoardRun]) -> ShownText | None:
    """Return the versions of vlcheck that asked, with the numbers of their runs; None if it is one."""
    by_version: dict[str, list[str]] = {}
    for run in runs:
        by_version.setdefault(run.version or "unknown", []).append(str(run.number))
    if len(by_version) == 1:
        return None
    said = "; ".join(f"{version} in run {', '.join(numbers)}" for version, numbers in by_version.items())
    return shown_text(f"Asked by different versions of vlcheck: {said}.", _LONGEST)


def _apart(tables: Sequence[ComparableRuns], number: int) -> ShownText | None:
    """Return why the runs of a table are in none before it: by one of the same conditions, else by the first one."""
    table = tables[number - 1]
    before = [place for place in range(1, number) if tables[place - 1].scope.metric == table.scope.metric]
    if not before:
        return None
    nearest = next((place for place in before if tables[place - 1].scope.fits(table.scope)), before[0])
    other = tables[nearest - 1]
    said = "; ".join(table.scope.differences(other.scope)) or other.difference_from(table)
    return shown_text(f"Not comparable with table {nearest}: {said}.", _LONGEST)


def _row(table: ComparableRuns, runs: Sequence[BoardRun], latest: BoardRun) -> BoardRow:
    run = runs[-1]
    return BoardRow(
        model=shown_text(run.model[0], NAME),
        run=run.number,
        page=run.page,
        date=started(run),
        order=run.date.timestamp() if run.date else 0.0,
        about=tuple(_remarks(runs, latest)),
        cells=tuple(board_cell(table, runs, bias) for bias in table.biases),
    )


def started(run: BoardRun) -> ShownText:
    """Return the day on which a run started, or the text of the results if that is no time."""
    return shown_text(day(run.date) if run.date else run.header.started, NAME)


def _remarks(runs: Sequence[BoardRun], latest: BoardRun) -> Iterator[ShownText]:
    """Yield remarks on the runs of a model: its weights, how many runs, and what no line shows."""
    run = runs[-1]
    if run.model[0] != run.header.name:
        yield shown_text(f"spec {run.spec}")
    prints = list(dict.fromkeys(run.header.fingerprint for run in runs))
    yield shown_text(f"fingerprint {brief_digest(prints[-1])}")
    if len(runs) > 1:
        other = f", {len(prints)} fingerprints: its weights or code changed" if len(prints) > 1 else ""
        yield shown_text(f"the latest of {len(runs)} runs{other}")
    if len({one.version for one in runs}) > 1:
        yield shown_text("its runs are of different versions of vlcheck")
    if undated := sum(run.date is None for run in runs if len(runs) > 1):
        yield shown_text(f"{counted(undated, 'run')} without a date, in no line")
    if latest.age > run.age:
        yield shown_text(f"a later one, run {latest.number}, is not in this table")


def _history(table: ComparableRuns, runs: Sequence[BoardRun]) -> History:
    return History(
        shown_text(runs[-1].model[0], NAME),
        tuple(
            HistoryRow(
                run.number,
                shown_text(moment(run.header.started), NAME),
                tuple(_past(table, run, bias) for bias in table.biases),
            )
            for run in runs
        ),
    )


def _past(table: ComparableRuns, run: BoardRun, bias: str) -> tuple[str, str]:
    """Return the status of a cell in a run of the past, and how many of its verdicts pass."""
    standing = run.matrix.cells.get((bias, table.scope.metric))
    if standing is None:
        return "not asked", ""
    if (run.number, bias) in table.apart:
        return "not comparable", ""
    return standing.status, passes_in_words(standing)
