"""The runs of a board, read from their results files: which are drawn, and which are left out and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from vlcheck._util.files import followed
from vlcheck._util.foreign_files import demand_file
from vlcheck._util.hashing import brief_digest
from vlcheck.errors import UsageError
from vlcheck.report.board.names import NO_NAMES, BoardNames, shared_name
from vlcheck.results.bias_matrix import Matrix, matrix_of
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.unjudged import unjudged
from vlcheck.results.verdict_lines import read_verdicts

_NO_DATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class BoardRun:
    """A run on the board.

    Attributes:
        number: its number on the board, from 1.
        source: its results file.
        results: its verdicts, without their evidence.
        page: the address of its page; "" if it has none.
        names: the names that a user gave to models and data.
    """

    number: int
    source: Path
    results: ResultLines
    page: str = ""
    names: BoardNames = NO_NAMES

    @property
    def header(self) -> RunRecord:
        """The first line of the results."""
        return self.results.run

    @property
    def model(self) -> tuple[str, str]:
        """The name and the spec of the model, or its given name alone: runs of equal ones are a row."""
        given = shared_name(self.spec, self.names.models)
        return (given, "") if given else (self.header.name, self.spec)

    @property
    def spec(self) -> str:
        """The spec of the model; its name in older files."""
        return self.header.model or self.header.name

    @property
    def data(self) -> str:
        """The given name of the data, else their spec: runs of equal ones can be compared."""
        return shared_name(self.header.data, self.names.data) or self.header.data

    @property
    def version(self) -> str:
        """The version of vlcheck that asked, with the beginning of the digest of its code; "" in older files."""
        known = self.header.versions
        code = brief_digest(str(known.get("vlcheck's code", "")))
        return f"{known['vlcheck']}{f' (code {code})' if code else ''}" if "vlcheck" in known else ""

    @cached_property
    def matrix(self) -> Matrix:
        """The verdicts by bias and metric."""
        return matrix_of(self.results)

    @cached_property
    def date(self) -> datetime | None:
        """The time of the start; None if the results name none, or none with a time zone."""
        try:
            when = datetime.fromisoformat(self.header.started)
        except ValueError:
            return None
        return when if when.tzinfo else None

    @property
    def age(self) -> tuple[datetime, int]:
        """A key that sorts runs from the oldest to the latest; those without a date come first."""
        return self.date or _NO_DATE, self.number

    def tests(self, bias: str, metric: str) -> dict[str, VerdictRecord | None]:
        """Return the selected tests of a bias under a metric, by name; a test without a verdict has None.

        Args:
            bias: the bias.
            metric: the metric.
        """
        judged = {
            _name(one.test): one for one in self.results.verdicts.values() if (one.bias, one.metric) == (bias, metric)
        }
        lacking = zip(self.header.unjudged, unjudged(self.results), strict=True)
        return judged | {_name(test): None for test, one in lacking if (one.bias, one.metric) == (bias, metric)}


@dataclass(frozen=True)
class BoardRuns:
    """The runs of a board.

    Attributes:
        runs: the runs that are drawn, in the order of their files.
        left_out: the reason of each file that is not drawn.
    """

    runs: tuple[BoardRun, ...]
    left_out: tuple[str, ...] = ()


def gather_runs(
    paths: Sequence[Path],
    page_of: Callable[[Path, RunRecord], str] = lambda path, run: "",
    names: BoardNames = NO_NAMES,
) -> BoardRuns:
    """Read the runs of a board; a file that is damaged, or of a run that another one has, is left out and named.

    Args:
        paths: the results files.
        page_of: gives the address of the page of a file's run.
        names: the names that a user gave to models and data.

    Raises:
        UsageError: a file is not there, none of them can be drawn, or a name fits none of them.
    """
    for path in paths:
        demand_file(path)
    runs: list[BoardRun] = []
    left_out: list[str] = []
    for path in paths:
        try:
            results = _read_new(path, runs)
        except UsageError as error:
            left_out.append(str(error))
        else:
            runs.append(BoardRun(len(runs) + 1, path, results, page_of(path, results.run), names))
    if not runs:
        raise UsageError("Nothing can be drawn; the results files of runs are accepted.", *left_out)
    names.demand_fits([run.spec for run in runs], [run.header.data for run in runs])
    return BoardRuns(tuple(runs), tuple(left_out))


def _read_new(path: Path, runs: Sequence[BoardRun]) -> ResultLines:
    """Read a results file. Raises UsageError if it is damaged, or one of `runs` is the same."""
    for run in runs:
        if followed(run.source) == followed(path):
            raise UsageError(f"{path}: is named twice; it is run {run.number}.")
    results = read_verdicts(path)
    for run in runs:
        if (run.header, run.results.verdicts) == (results.run, results.verdicts):
            raise UsageError(f"{path}: is of the same run as {run.source}, which is run {run.number}.")
    return results


def _name(test: str) -> str:
    """Return the name of a test without its file: its folder depends on where pytest was started."""
    return test.rpartition("::")[2]
