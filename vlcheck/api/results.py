"""The results of a run in Python: its verdicts, its page, its table, and how two runs compare."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from vlcheck._util.paths import expanded
from vlcheck.api.arguments import PLACE
from vlcheck.errors import UsageError, argument, demand_type, printable
from vlcheck.report import page, table
from vlcheck.report.text.summary import biases, summary_lines
from vlcheck.results import comparison, file
from vlcheck.results.comparison import ALPHA, Comparison
from vlcheck.results.conclusion import conclude
from vlcheck.results.gate import objections
from vlcheck.results.records import VerdictRecord

_RESULTS = "results, as read_results or evaluate gives them"
_DTYPES = {"text": "string", "whole number": "Int64", "number": "float64", "flag": "boolean", "JSON": "string"}


@dataclass(frozen=True, repr=False)
class Results:
    """The results of one run: an iterable of its verdicts, in the order of the results file.

    Attributes:
        lines: the contents of the results file.
        errors: why a test has no verdict, by its id, where its own code or the data is at fault.
        source: the file that they were read from, or the function that gave them.
        control: the results of the control; None without one, and for results that were read.

    Example:
        A run without a verdict is not green:

        >>> from vlcheck.results.file import ResultLines
        >>> results = Results(ResultLines())
        >>> results.passed, len(results), results.objections
        (False, 0, ('No verdict came of this run: nothing was checked.',))
    """

    lines: file.ResultLines
    errors: dict[str, str] = field(default_factory=dict)
    source: str = "vlcheck.evaluate"
    control: Results | None = None

    @cached_property
    def verdicts(self) -> Sequence[VerdictRecord]:
        """The verdicts, by test and metric, as `vlcheck.Verdict`: the fields of their lines in the results file."""
        return tuple(verdict for _, verdict in sorted(self.lines.verdicts.items()))

    @property
    def objections(self) -> Sequence[str]:
        """Why no release may rest on the run, a sentence each; () where all is as the policy has it."""
        return tuple(objections(self.lines))

    @property
    def passed(self) -> bool:
        """True if the run is green: pytest would end with 0."""
        return not self.objections

    def __iter__(self) -> Iterator[VerdictRecord]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __str__(self) -> str:
        """Return the summary that a terminal is shown."""
        return "\n".join(map(printable, summary_lines(self.lines, self.control.lines if self.control else None)))

    def __repr__(self) -> str:
        return f"<Results: {printable(conclude(self.lines).sentence)}>"

    def _repr_html_(self) -> str:
        """Return the matrix of biases by metrics, for a notebook."""
        head, *rows = ([html.escape(printable(cell)) for cell in row] for row in biases(self.lines))
        body = "".join(
            f"<tr><th>{bias}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for bias, *cells in rows
        )
        found = html.escape(printable(conclude(self.lines).sentence))
        return f"<p>{found}</p><table><tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>{body}</table>"

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each verdict.

        It is the table that `vlcheck report --to verdicts.csv` writes, with the columns of
        `vlcheck.report.table.COLUMNS`: nullable Int64 for whole numbers, float64 with NaN, nullable flags, and text.
        Columns of JSON, as `scale`, hold text for `json.loads`.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            pandas = import_module("pandas")  # no dependency: it is asked for here alone
        except ImportError as error:
            raise UsageError("to_frame: needs the package pandas. Install it, or iterate over the results.") from error
        columns = table.column_cells([*table.table_rows(self.lines)])
        return pandas.DataFrame({one.name: pandas.Series(cells, dtype=_DTYPES[one.kind]) for one, cells in columns})

    def report(self, path: str | Path, *, beside: Results | None = None, baseline: Results | None = None) -> None:
        """Write the page for reviewers, over an older page at most.

        Args:
            path: the file of the page.
            beside: results of a control on the same data, e.g. of a model that sees no picture; those of `control`
                unless given.
            baseline: results of the previous release, with which these are compared.

        Raises:
            UsageError: the file cannot be written, or the other results do not fit these.
        """
        demand_type("path", path, str | Path, PLACE)
        page.check_page_path(Path(path), {}, "report")
        beside = self.control if beside is None else beside
        control = self._beside(beside) if beside is not None else None
        compared = compare(baseline, self) if baseline is not None else None
        drawn = page.stream(self.lines, source=self.source, beside=control, comparison=compared)
        page.write_page(Path(path), drawn, "report")

    def _beside(self, beside: Results) -> file.ResultLines:
        """Return the results of a control. Raises UsageError if they are of other data."""
        demand_type("beside", beside, Results, _RESULTS)
        theirs, ours = beside.lines.run.data, self.lines.run.data
        if theirs != ours:
            raise UsageError(f"beside: is of {theirs}; results of {ours} are accepted.")
        return beside.lines

    def save(self, path: str | Path) -> None:
        """Write the results file, over older results at most, without keys of a later version. Raises UsageError."""
        demand_type("path", path, str | Path, PLACE)
        file.check_results_path(Path(path), {})
        file.write_results(Path(path), self.lines)


def read_results(path: str | Path) -> Results:
    """Read a results file, of `evaluate` or of pytest. Raises UsageError, which names the line that is no result.

    Example:
        >>> read_results("vlcheck-results.jsonl").passed  # doctest: +SKIP
        True
    """
    demand_type("path", path, str | Path, PLACE)
    return Results(file.read(expanded(path)), source=str(path))


def compare(old: Results, new: Results, *, alpha: float = ALPHA) -> Comparison:
    """Compare two runs of the same tests on the same data, case by case.

    Args:
        old: results of the current release.
        new: results of the next one.
        alpha: the share of comparisons of equal models that may find a difference, above 0 and below 1.

    Returns:
        The comparison: a row for each test and metric. It is `accepted` if something was compared and nothing is worse.

    Raises:
        UsageError: `alpha` is out of range, or one of the runs is sequential, changed its model or has no verdict.

    Example:
        >>> compare(read_results("old.jsonl"), read_results("new.jsonl")).accepted  # doctest: +SKIP
        True
    """
    for name, given in (("old", old), ("new", new)):
        demand_type(name, given, Results, _RESULTS)
    demand_type("alpha", alpha, int | float, "a number above 0 and below 1")
    if not 0 < alpha < 1:
        raise UsageError(f"{argument('alpha', alpha)}: has to be above 0 and below 1.")
    for name, results in (("old", old), ("new", new)):
        comparison.demand_comparable(results.lines, name)
    return comparison.compare_runs(old.lines, new.lines, alpha)


def ended(lines: file.ResultLines, errors: dict[str, str]) -> Results:
    """Return results with the exit status of their run.

    Args:
        lines: the contents of the results file.
        errors: why a test has no verdict, by its id.
    """
    results = Results(lines, errors)
    results.lines.ended_with(0 if results.passed else 1)
    return results
