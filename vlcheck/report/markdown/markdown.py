"""Results as Markdown, for pages that show little, and helpers to write foreign text and tables in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from vlcheck._util.addresses import quoted_address
from vlcheck._util.numbers import counted
from vlcheck.errors import printable
from vlcheck.report.links import verdict_address
from vlcheck.report.text.summary import biases, held, subject
from vlcheck.results.bias_matrix import Standing, gravest_first
from vlcheck.results.comparison import Comparison
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import ResultLines
from vlcheck.results.records import VerdictRecord
from vlcheck.results.wrapped import wrapper_lines

MOST_ROWS, MOST_BYTES = 50, 100_000
_LONGEST = 100  # characters of a cell
_ROOM_FOR_THE_REST = 2_000  # bytes for the heads and for the sentence about omitted rows
_SYNTAX = re.compile(r"[\\`*_\[\]|~#!$]")
_ENTITIES: Mapping[str, str] = MappingProxyType(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "://": "&#58;//", "@": "&#64;"}  # & first
)
_BARE_LINK = re.compile(r"(?i)\b(www)\.")


def summary(
    results: ResultLines, also: Sequence[str] = (), comparison: Comparison | None = None, address: str = ""
) -> str:
    """Return a summary page under 100 kB, with at most 50 rows in its tables.

    Args:
        results: the run's results, with at least the list of its tests.
        also: further sentences to show below the conclusion.
        comparison: the comparison with the release before, if there is one.
        address: the address of the reviewer page, to which each test links; "" if it is not known.
    """
    verdicts, found = list(results.verdicts.values()), conclude(results, comparison)
    page = _Page()
    page.say(f"## vlcheck: {text(subject(results.run), 300)}")
    page.say(f"**{text(found.sentence, 1_000)}** {found.counts}".rstrip())
    for sentence in (*wrapper_lines(results.run), *found.notes, *also):
        page.say(text(sentence, 1_000))
    if address:
        page.say(f"{link('The page for reviewers', quoted_address(address))} has the pictures that prove each verdict.")
    head, *body = biases(results)
    if body:
        page.table(head, [[*map(text, cells)] for cells in body])
    listed = [verdict for verdict in gravest_first(verdicts) if verdict.status != "pass"]
    if listed:
        page.table(
            ("test", "metric", "verdict", "observed", "interval", "allowed"), [_row(one, address) for one in listed]
        )
    return page.text


def text(foreign: object, most: int = _LONGEST) -> str:
    """Return foreign text in one line of Markdown in which nothing is markup, a link or a control character.

    Args:
        foreign: any value; its `str` is shown.
        most: the most characters to show, before escaping.
    """
    shown = printable(" ".join(str(foreign)[: 8 * most].split()), most)  # a part that is cut need not be read
    shown = _SYNTAX.sub(r"\\\g<0>", shown)
    for sign, entity in _ENTITIES.items():
        shown = shown.replace(sign, entity)
    return _BARE_LINK.sub(r"\1&#46;", shown)


def link(name: str, address: str) -> str:
    """Return a link.

    Args:
        name: foreign text.
        address: the address, in characters that end no link.
    """
    return f"[{text(name)}](<{address}>)"


def verdict_link(name: str, page: str, verdict: VerdictRecord) -> str:
    """Return a name that links to a verdict; the name alone if the page has no address.

    Args:
        name: foreign text.
        page: the address of the page; "" if it is not known.
        verdict: the verdict.
    """
    return link(name, verdict_address(page, verdict)) if page else text(name)


def row(cells: Iterable[str]) -> str:
    """Return a line of a table, of cells that are already Markdown."""
    return f"| {' | '.join(cells)} |"


def rule(columns: int) -> str:
    """Return the line under a table's head."""
    return f"|{' --- |' * columns}"


def _row(verdict: VerdictRecord, address: str) -> Sequence[str]:
    """Return the cells of a verdict in Markdown."""
    name = verdict_link(verdict.test.rpartition("::")[2], address, verdict)
    return name, *map(text, (verdict.metric, Standing((verdict,)).said, *held(verdict)))


class _Page:
    """A text that counts its rows and bytes."""

    def __init__(self) -> None:
        self.text = ""
        self._rows = MOST_ROWS

    def say(self, line: str) -> None:
        """Add a paragraph."""
        self.text += f"{line}\n\n"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add as many rows, of cells that are Markdown, as there is room for, and the number of rows left out."""
        shown = list(self._fitting(map(row, rows)))
        self._rows -= len(shown)
        self.text += "".join(f"{line}\n" for line in (row(map(text, head)), rule(len(head)), *shown, ""))
        if len(shown) < len(rows):
            more = counted(len(rows) - len(shown), "more row is", "more rows are")
            self.say(f"{more} left out here; the results file has all.")

    def _fitting(self, rows: Iterable[str]) -> Iterator[str]:
        room = MOST_BYTES - len(self.text.encode()) - _ROOM_FOR_THE_REST
        for line, _ in zip(rows, range(self._rows), strict=False):
            room -= len(line.encode()) + 1
            if room < 0:
                return
            yield line
