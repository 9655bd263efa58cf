"""A run's results as Markdown, for pages that show little: biases by metrics, and the tests that did not pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from vlcheck.errors import printable
from vlcheck.report.results import Line, Results
from vlcheck.report.summary import METRICS, conclusion, held, subject
from vlcheck.verdict import BY_GRAVITY

MOST_ROWS, MOST_BYTES = 50, 100_000
_LONGEST = 100  # of a cell
_ROOM_FOR_THE_REST = 2_000  # bytes: heads, and what is said of rows that are left out
_SYNTAX = re.compile(r"[!-+:-@[-`{-~]")  # ASCII's punctuation without , - . and /, which mean nothing inside a line


def summary(results: Results, also: Sequence[str] = ()) -> str:
    """A page under 100 kB, with at most 50 rows in its tables.

    Args:
        results: with at least one verdict.
        also: sentences to say below what came of the run.
    """
    verdicts = list(results.verdicts.values())
    page = _Page()
    page.say(f"## vlcheck: {escaped(subject(results.run), 300)}")
    for sentence in (conclusion(verdicts), *also):
        page.say(escaped(sentence, 1_000))
    page.table(*_matrix(verdicts))
    failing = [verdict for verdict in gravest_first(verdicts) if verdict["status"] != "pass"]
    if failing:
        page.table(("test", "metric", "verdict", "observed", "interval", "allowed"), [_row(one) for one in failing])
    return page.text


def gravest_first(verdicts: Iterable[Line]) -> list[Line]:
    """What fails before what is invalid or undecided, what is known last, and the most surely violated first."""
    return sorted(verdicts, key=_gravity)


def status(verdict: Line) -> str:
    """The verdict's status; known where the policy lets a fail be, until the day that it names."""
    known = verdict.get("known")
    excused = verdict["status"] == "fail" and known is not None and not known.get("expired")
    return "fail (known)" if excused else str(verdict["status"])


def escaped(text: str, most: int = _LONGEST) -> str:
    """Foreign text as Markdown shows it: no markup, no HTML, one line, and nothing that cannot be seen."""
    return _SYNTAX.sub(r"\\\g<0>", printable(text[: most + 1], most))  # what is cut need not be looked at


def _gravity(verdict: Line) -> tuple[bool, int, float]:
    over = (verdict.get("rate_low") or 0.0) - (verdict.get("allowed") or 0.0)
    return status(verdict) == "fail (known)", BY_GRAVITY.index(verdict["status"]), -over


def _matrix(verdicts: Sequence[Line]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Biases by metrics, each cell its gravest verdict."""
    metrics = list(dict.fromkeys([*METRICS, *(verdict["metric"] for verdict in verdicts)]))
    cells: dict[tuple[str, str], str] = {}
    for verdict in gravest_first(verdicts):
        cells.setdefault((verdict["bias"], verdict["metric"]), status(verdict))
    biases = dict.fromkeys(verdict["bias"] for verdict in verdicts)
    return ("bias", *metrics), [(bias, *(cells.get((bias, metric), "-") for metric in metrics)) for bias in biases]


def _row(verdict: Line) -> Sequence[str]:
    return verdict["test"].rpartition("::")[2], verdict["metric"], status(verdict), *held(verdict)


class _Page:
    """Text that counts its rows and bytes."""

    def __init__(self) -> None:
        self.text = ""
        self._rows = MOST_ROWS

    def say(self, line: str) -> None:
        """Add a paragraph."""
        self.text += f"{line}\n\n"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add as many rows as there is room for, and say how many are left out."""
        shown = list(self._fitting([_cells(row) for row in rows]))
        self._rows -= len(shown)
        self.text += "".join([_cells(head), f"|{' --- |' * len(head)}\n", *shown, "\n"])
        if len(shown) < len(rows):
            self.say(f"{len(rows) - len(shown)} more rows are left out here; the results file has all.")

    def _fitting(self, rows: Iterable[str]) -> Iterator[str]:
        room = MOST_BYTES - len(self.text.encode()) - _ROOM_FOR_THE_REST
        for row, _ in zip(rows, range(self._rows), strict=False):
            room -= len(row.encode())
            if room < 0:
                return
            yield row


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |\n"
