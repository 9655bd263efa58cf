"""What pytest-html's page shows of a run: its summary, a verdict a row, and a failing test's three worst cases."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.run import JUDGEMENTS, RUN, Run

if TYPE_CHECKING:
    from vlcheck.judgement import Judgement, Row, Shown

_COLUMN = 2  # after result and test


def add(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach the worst cases to a failing test's report, where pytest-html is to write one.

    Captions and words come from anywhere, and pytest-html takes an extra as it is: all of it is escaped here.
    """
    judgements = item.stash.get(JUDGEMENTS, [])
    if not report.failed or report.when != "call" or not judgements or not item.config.getoption("htmlpath", None):
        return
    run = item.config.stash[RUN]
    extra = {"name": "vlcheck", "format_type": "html", "mime_type": None, "extension": None}
    shown = [{**extra, "content": _block(judgement, run)} for judgement in judgements]
    setattr(report, "extras", [*getattr(report, "extras", []), *shown])  # noqa: B010 - pytest-html's name, not pytest's


class Page:
    """Says above the rows what came of the run, and in each row what its verdict is; registered for runs of ours."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, summary: list[str]) -> None:
        results = self._run.results
        if results is None or not results.verdicts:
            return
        from vlcheck.report.summary import conclusion, lines, matrix, subject  # in no run of other projects

        verdicts = list(results.verdicts.values())
        everything = _preformatted(lines(results, self._run.beside))
        summary += [
            f"<p><b>{escape(subject(results.run))}</b>: {escape(conclusion(verdicts))}</p>",
            _preformatted(matrix(verdicts)),
            f"<details><summary>verdicts and tables</summary>{everything}</details>",
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells.insert(_COLUMN, '<th class="sortable" data-column-type="verdict">Verdict</th>')

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        if not cells:  # a row that another plugin hides
            return
        said = dict(report.user_properties)
        verdict = f"{said['vlcheck_status']}: {said['vlcheck_reason']}" if "vlcheck_status" in said else ""
        cells.insert(_COLUMN, f'<td class="col-verdict">{escape(verdict)}</td>')


def _preformatted(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _block(judgement: Judgement, run: Run) -> str:
    behavior = judgement.behavior
    told = (behavior.doc, f"expected: {behavior.expect.expected}", judgement.verdict.summary, judgement.attribution)
    rows = "".join(_row(row, run) for row in judgement.worst())
    return f'<div class="vlcheck">{"".join(f"<p>{escape(one)}</p>" for one in told if one)}<table>{rows}</table></div>'


def _row(row: Row, run: Run) -> str:
    told = (row.case.id, row.perturbation, f"true: {row.case.target}", f"margin {row.margin:+.4f}")
    cells = "".join(_cell(name, shown, run) for name, shown in (("before", row.before), ("after", row.after)) if shown)
    return f"<tr><td>{'<br>'.join(escape(one) for one in told if one)}</td>{cells}</tr>"


def _cell(name: str, shown: Shown, run: Run) -> str:
    jpeg = run.thumbnail(shown.picture)
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    picture = f'<img src="{source}" alt="{name}" style="max-width: 16em"><br>' if jpeg else ""
    return f"<td>{picture}{escape(shown.text)}<br>{name}: {escape(shown.said)}</td>"
