"""What was measured of verified runs, as tables of docs/explanation/precision.md."""

from __future__ import annotations

import json
from collections.abc import Sequence

from benchmarks.verified import Compared
from vlcheck._util.numbers import counted, figure, share

_COLUMNS = (
    "model",
    "runs",
    "verdicts",
    "that differ",
    "queries",
    "asked in both types",
    "in float32 alone",
    "log-odds",
)


def zoo(measured: str) -> str:
    """Return the table of the embedded models."""
    found = _read(measured, "zoo")
    return _table(_COLUMNS, [_row(one) for one in found], _setting(found, "scenes"), "zoo")


def full(measured: str) -> str:
    """Return the table of full-size networks, with times."""
    found = _read(measured, "full")
    rows = [[*_row(one), figure(one.ratio, 2), _seconds(one.exact_seconds)] for one in found]
    columns = (*_COLUMNS, "verified / float32", "float32")
    return _table(columns, rows, _setting(found, "photographs"), "full COCO_ROOT")


def _read(measured: str, part: str) -> list[Compared]:
    return [Compared(**one) for one in json.loads(measured).get(part, [])]


def _row(one: Compared) -> list[str]:
    return [
        one.model,
        str(one.runs),
        str(one.verdicts),
        str(len(one.differing)),
        f"{one.queries:,}",
        share(one.twice),
        share(one.exact_alone / one.queries),
        figure(one.log_odds),
    ]


def _seconds(each: Sequence[float]) -> str:
    return f"{', '.join(f'{one:.0f}' for one in each)} s"


def _setting(found: Sequence[Compared], what: str) -> str:
    if not found:  # until it is measured
        return "Not measured yet."
    images = ", ".join(str(images) for images in dict.fromkeys(one.images for one in found))
    verdicts = counted(sum(one.verdicts for one in found), "verdict")
    differing = sum(len(one.differing) for one in found)
    return f"{images} {what} a behavior: of {verdicts}, {differing} differ in status, violations or counted cases."


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], setting: str, part: str) -> str:
    lines = [setting, ""]
    if rows:
        lines += [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]
        lines.append("")
    lines.append(f"`python -m benchmarks.verified {part}` measures, `python -m benchmarks.table` writes this table.")
    return "\n".join(lines) + "\n"
