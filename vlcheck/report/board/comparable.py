"""The tables of a board: runs that can be compared, and the cells of them that cannot.

A table holds one metric. Its runs are of the same data and have the same kind of score; a cell stands beside the others
of its column if it is of the same tests, with the same perturbations, expectations, tolerances and limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from vlcheck._util.hashing import brief_digest
from vlcheck._util.numbers import names_in_brief
from vlcheck.metrics.registry import METRICS
from vlcheck.report.board.runs import BoardRun
from vlcheck.results.records import VerdictRecord
from vlcheck.results.terms import differing_limits, differing_terms, terms_of
from vlcheck.suite.shipped import BIASES

_MOST_NAMED = 3  # tests that a sentence names
_CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "kind": "the kind of score",
        "data": "the data",
        "images": "the number of images",
        "seed": "the seed",
        "columns": "the columns of the table",
    }
)


@dataclass(frozen=True)
class Scope:
    """The conditions that all runs of a table have in common.

    Attributes:
        metric: the metric.
        kind: the kind of score.
        data: the data.
        images: the number of images that were requested.
        seed: the seed of the choice of cases.
        sequential: whether each behavior was asked until it was decided.
        columns: the columns that were named of a table of cases; "" for the usual ones.
        lexicons: the folder of the run's own word lists; "" if no option named one.
        words: digest of the words of all lists; "" in results of an older vlcheck, which have the folder alone.
    """

    metric: str
    kind: str
    data: str
    images: int | None
    seed: int | None
    sequential: bool
    columns: str = ""
    lexicons: str = ""
    words: str = ""

    def fits(self, other: Scope) -> bool:
        """Return True if runs of both can stand in one table.

        Args:
            other: other conditions.
        """
        return not any(self.differences(other))

    def differences(self, other: Scope) -> Iterator[str]:
        """Yield the conditions in which another table differs from this one, in words.

        Args:
            other: the conditions of the other table.
        """
        for key, name in _CONDITIONS.items():
            here, there = getattr(self, key), getattr(other, key)
            if here != there:
                yield f"{name}: {_named(here)} here, {_named(there)} there"
        if self.words and other.words and self.words != other.words:
            here, there = (f"{brief_digest(one.words)}{_of_folder(one)}" for one in (self, other))
            yield f"the words of the lexicons: {here} here, {there} there"
        elif not (self.words and other.words) and self.lexicons != other.lexicons:
            here, there = _named(self.lexicons), _named(other.lexicons)
            yield f"the lexicons, which are named by their folder: {here} here, {there} there"
        if self.sequential != other.sequential:
            yield f"each behavior was asked until it was decided {'here' if self.sequential else 'there'} alone"


@dataclass(frozen=True)
class CellTests:
    """The tests of a bias under the metric of a table, in one run.

    Attributes:
        run: the run.
        tests: the verdicts by the names of their tests; None for a test without a verdict.
    """

    run: BoardRun
    tests: Mapping[str, VerdictRecord | None]

    @property
    def terms(self) -> Hashable:
        """The terms of all tests; cells with equal ones can be compared."""
        return frozenset((name, verdict and terms_of(verdict)) for name, verdict in self.tests.items())

    def differences(self, here: CellTests) -> Iterator[str]:
        """Yield how a cell of another run differs from this one: other tests, or other terms of a test.

        Args:
            here: the cell of the other run.
        """
        there, where = (f"in run {cell.run.number}" for cell in (self, here))
        for own, others, place in ((self.tests, here.tests, there), (here.tests, self.tests, where)):
            if alone := [name for name in own if name not in others]:
                yield f"other tests: {names_in_brief(alone, _MOST_NAMED)} {place} alone"
        for name, verdict in self.tests.items():
            other = here.tests.get(name)
            if verdict and other:
                for term in chain(differing_terms(verdict, other), differing_limits(verdict, other)):
                    yield f"{name}: {term.said(there, where)}"


@dataclass
class ComparableRuns:
    """The runs of a table, in the order of their files.

    Attributes:
        scope: the conditions that they have in common.
        runs: the runs.
        apart: the difference of a cell from those of its column, in a sentence, by its run's number and bias.
    """

    scope: Scope
    runs: list[BoardRun] = field(default_factory=list)
    apart: dict[tuple[int, str], str] = field(default_factory=dict)
    _columns: dict[str, dict[Hashable, CellTests]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def biases(self) -> list[str]:
        """The biases of any of the runs under this metric: those of the suite in its order, then others by name."""
        found = {bias for run in self.runs for bias in biases_of(run, self.scope.metric)}
        return [bias for bias in BIASES if bias in found] + sorted(found.difference(BIASES))

    def add(self, run: BoardRun, scope: Scope) -> None:
        """Add a run; its cells that cannot be compared with those of their columns are listed in `apart`.

        Args:
            run: the run.
            scope: its conditions, which fit those of the table.
        """
        self.runs.append(run)
        if not self.scope.words:  # a run of an older version, which does not say what it had
            self.scope = scope
        for bias in biases_of(run, self.scope.metric):
            cell = CellTests(run, run.tests(bias, self.scope.metric))
            if reason := self._difference(cell, bias):
                self.apart[run.number, bias] = reason
            else:
                self._columns[bias].setdefault(cell.terms, cell)

    def fits(self, run: BoardRun) -> bool:
        """Return True if at least half of the cells that a run shares with this table can be compared."""
        metric = self.scope.metric
        shared = [bias for bias in biases_of(run, metric) if self._columns[bias]]
        apart = [bias for bias in shared if self._difference(CellTests(run, run.tests(bias, metric)), bias)]
        return 2 * len(apart) <= len(shared)

    def difference_from(self, other: ComparableRuns) -> str:
        """Return how a cell of another table differs from those of this one, in a sentence; "" if none does."""
        metric = self.scope.metric
        cells = (
            (bias, CellTests(run, run.tests(bias, metric))) for run in other.runs for bias in biases_of(run, metric)
        )
        return next(filter(None, (self._difference(cell, bias) for bias, cell in cells)), "")

    def _difference(self, cell: CellTests, bias: str) -> str:
        """Return how a cell differs from those of a column; "" if it can be compared with each of them."""
        column = self._columns[bias]
        if cell.terms in column:
            return ""
        return next(chain.from_iterable(one.differences(cell) for one in column.values()), "")


def comparable_runs(runs: Sequence[BoardRun]) -> list[ComparableRuns]:
    """Return the runs by tables: those of a metric follow each other, the one with the most models first.

    The terms of a column are those of its latest run: what was asked otherwise before is not comparable with it.
    """
    tables: dict[str, list[ComparableRuns]] = {metric: [] for metric in METRICS}
    for run in sorted(runs, key=lambda run: run.age[0], reverse=True):
        for metric in run.matrix.metrics:
            if not biases_of(run, metric):
                continue
            scope, its = _scope(run, metric), tables.setdefault(metric, [])
            table = next((one for one in its if one.scope.fits(scope) and one.fits(run)), None)
            if table is None:
                table = ComparableRuns(scope)
                its.append(table)
            table.add(run, scope)
    for table in chain(*tables.values()):
        table.runs.sort(key=lambda run: run.number)
    return list(chain.from_iterable(sorted(its, key=_size, reverse=True) for its in tables.values()))


def _size(table: ComparableRuns) -> tuple[int, int]:
    return len({run.model for run in table.runs}), len(table.runs)


def biases_of(run: BoardRun, metric: str) -> list[str]:
    """Return the biases of a run that have a test under a metric.

    Args:
        run: the run.
        metric: the metric.
    """
    return [bias for bias, its in run.matrix.cells if its == metric]


def _scope(run: BoardRun, metric: str) -> Scope:
    header = run.header
    kinds = (one.score_kind for one in run.results.verdicts.values() if one.metric == metric)
    kind = str(header.score_kinds.get(metric) or next(kinds, "unknown"))
    return Scope(
        metric,
        kind,
        run.data,
        header.images,
        header.seed,
        bool(header.sequential),
        columns=header.options.get("columns", ""),
        lexicons=header.options.get("lexicons", ""),
        words=header.lexicons or "",
    )


def _of_folder(scope: Scope) -> str:
    return f" ({scope.lexicons})" if scope.lexicons else ""


def _named(value: object) -> object:
    return "none" if value in ("", None) else value
