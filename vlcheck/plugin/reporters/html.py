"""The part of pytest-html's page that is vlcheck's: a summary, columns of verdicts, and a failing test's worst cases.

Everything else is on the reviewer page, which this one links to.
"""

from __future__ import annotations

import base64
import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest

from vlcheck._util.paths import expanded
from vlcheck.errors import printable
from vlcheck.plugin.judgements import JUDGEMENTS
from vlcheck.plugin.reporters.page_link import address_from
from vlcheck.plugin.run import RUN, Run

if TYPE_CHECKING:
    from vlcheck.evaluation.evidence import Judgement, Row, Shown

_COLUMN = 2  # after result and test
_LONGEST = 2_000  # characters of a text
_COLUMNS = ("verdict", "rate", "interval", "margin")


def attach_worst_cases(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach the worst cases to a failing test's report, if pytest-html is going to write one.

    pytest-html does not escape an extra, and captions and words may be foreign text: all of it is escaped here.

    Args:
        item: the test.
        report: the test's report, to which they are attached.
    """
    judgements = item.stash.get(JUDGEMENTS, [])
    if not report.failed or report.when != "call" or not judgements or not item.config.getoption("htmlpath", None):
        return
    run = item.config.stash[RUN]
    extra = {"name": "vlcheck", "format_type": "html", "mime_type": None, "extension": None}
    shown = [{**extra, "content": _block(judgement, run)} for judgement in judgements]
    setattr(report, "extras", [*getattr(report, "extras", []), *shown])  # noqa: B010 - pytest-html's name, not pytest's


class Page:
    """Adds the run's summary above the rows of pytest-html's page, and the verdict to each row."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, summary: list[str]) -> None:
        results = self._run.ending.results
        if results is None or not results.begun:
            return
        from vlcheck.report.text.summary import matrix_lines, subject, summary_lines
        from vlcheck.results.conclusion import conclude  # not imported in runs of other projects

        found = conclude(results, self._run.ending.comparison)
        everything = _preformatted(summary_lines(results, self._run.inputs.beside))
        summary += [
            f"<p><b>{_text(subject(results.run))}</b>: {_text(found.sentence)} {found.counts}</p>",
            *self._link(),
            _preformatted(matrix_lines(results)),
            f"<details><summary>verdicts and tables</summary>{everything}</details>",
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        cells[_COLUMN:_COLUMN] = [
            f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>' for name in _COLUMNS
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport | pytest.CollectReport, cells: list[str]) -> None:
        if not cells:  # another plugin hides the row
            return
        cells[_COLUMN:_COLUMN] = _figures(_gravest(getattr(report, "user_properties", ())))

    def _link(self) -> Iterator[str]:
        """Yield a link to the reviewer page, if one was written."""
        page = self._run.settings.report
        if page and page.is_file() and not self._run.problem:
            yield f'<p><a href="{_href(page, self._run.config)}">the page for reviewers, with the evidence</a></p>'


def _href(page: Path, config: pytest.Config) -> str:
    """Return a link to a file, relative to the folder of pytest-html's page."""
    said = expanded(os.path.expandvars(config.getoption("htmlpath")))
    return escape(address_from(page, (config.invocation_params.dir / said).parent))


def _gravest(properties: Sequence[tuple[str, object]]) -> Mapping[str, object]:
    """Return the properties of a test's verdict; of several verdicts, of the gravest one."""
    from vlcheck.stats.decision import BY_GRAVITY  # not imported in runs of other projects

    verdicts: list[dict[str, object]] = []
    for name, figure in properties:
        if name == "vlcheck_bias":  # the first property of each verdict
            verdicts.append({})
        if name.startswith("vlcheck_") and verdicts:
            verdicts[-1][name.removeprefix("vlcheck_")] = figure
    return min(verdicts, key=lambda said: BY_GRAVITY.index(str(said["status"])), default={})


def _figures(said: Mapping[str, object]) -> Iterator[str]:
    """Yield the cells of a verdict, empty without one; a mean effect stands in the column of rates."""
    from vlcheck._util.numbers import between, figure, signed  # not imported in runs of other projects

    name = "rate" if said.get("claim") == "rate" else "effect"
    value, low, high = (said.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    verdict = f"{said['status']}: {said['reason']}" if said else ""
    yield f'<td class="col-verdict">{_text(verdict)}</td>'
    yield _number("rate", value, _figure(value, figure))
    interval = between(low, high, 2) if _is_number(low) and _is_number(high) else ""
    yield _number("interval", low, interval)
    yield _number("margin", said.get("margin"), _figure(said.get("margin"), partial(signed, decimals=4)))


def _number(column: str, number: object, shown: str) -> str:
    """Return a cell that sorts by its number: a hidden key comes first, since pytest-html compares texts of cells."""
    return f'<td class="col-{column}"><span hidden>{_key(number)}</span>{escape(shown)}</td>'


def _key(number: object) -> str:
    """Return a text that sorts as its number does; without a number, one that sorts before all others."""
    if not _is_number(number):
        return "-"  # not "": pytest-html would compare the tag's end instead, and "<" sorts after the digits
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))  # -0.0 + 0.0 is 0.0
    return f"{bits ^ (2**64 - 1 if bits >> 63 else 2**63):016x}"


def _figure(number: object, written: Callable[[float], str]) -> str:
    return written(number) if _is_number(number) else ""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _text(text: str) -> str:
    """Escape foreign text and put it in one line: pytest-html cannot sort by a cell of two lines."""
    return escape(printable(" ".join(text.split()), _LONGEST))


def _preformatted(lines: Iterable[str]) -> str:
    return f"<pre>{escape(chr(10).join(printable(line, _LONGEST) for line in lines))}</pre>"


def _block(judgement: Judgement, run: Run) -> str:
    behavior = judgement.behavior
    told = (behavior.doc, f"expected: {behavior.expect.expected}", judgement.verdict.summary, judgement.attribution)
    rows = "".join(_row(row, run) for row in judgement.worst())
    return f'<div class="vlcheck">{"".join(f"<p>{_text(one)}</p>" for one in told if one)}<table>{rows}</table></div>'


def _row(row: Row, run: Run) -> str:
    from vlcheck._util.numbers import signed  # not imported in runs of other projects

    margin = f"margin {signed(row.margin, 4)}"
    told = (row.case.id, row.perturbation, f"true: {row.case.target}", margin, row.violated)
    cells = "".join(_cell(name, shown, run) for name, shown in (("before", row.before), ("after", row.after)) if shown)
    return f"<tr><td>{'<br>'.join(_text(one) for one in told if one)}</td>{cells}</tr>"


def _cell(name: str, shown: Shown, run: Run) -> str:
    jpeg = run.thumbnail(shown.picture)
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    picture = f'<img src="{source}" alt="{name}" style="max-width: 16em"><br>' if jpeg else ""
    return f"<td>{picture}{_text(shown.text)}<br>{name}: {_text(shown.said)}</td>"
