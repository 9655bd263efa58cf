"""What a failing test shows in pytest-html's table: its three worst cases, as pairs of pictures."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.run import JUDGEMENTS, RUN, Run

if TYPE_CHECKING:
    from vlcheck.judgement import Judgement, Row, Shown


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


def _block(judgement: Judgement, run: Run) -> str:
    rows = "".join(_row(row, run) for row in judgement.worst())
    return f'<div class="vlcheck"><p>{escape(judgement.verdict.summary)}</p><table>{rows}</table></div>'


def _row(row: Row, run: Run) -> str:
    cells = "".join(_cell(name, shown, run) for name, shown in (("before", row.before), ("after", row.after)) if shown)
    return f"<tr><td>{escape(row.case.id)}<br>margin {row.margin:+.4f}</td>{cells}</tr>"


def _cell(name: str, shown: Shown, run: Run) -> str:
    jpeg = run.thumbnail(shown.picture)
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    picture = f'<img src="{source}" alt="{name}" style="max-width: 16em"><br>' if jpeg else ""
    return f"<td>{picture}{escape(shown.text)}<br>{name}: {escape(shown.said)}</td>"
