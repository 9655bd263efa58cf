"""The whole board, and how it becomes HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vlcheck._util.hashing import brief_digest
from vlcheck._util.installed import version_changes
from vlcheck._util.numbers import counted, moment
from vlcheck.report.board.comparable import comparable_runs
from vlcheck.report.board.runs import BoardRun, BoardRuns
from vlcheck.report.board.tables import BoardTable, board_tables
from vlcheck.report.page.assets import pieces
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME
from vlcheck.report.page.matrix import question
from vlcheck.report.page.run_header import Fact
from vlcheck.results.conclusion import conclude
from vlcheck.results.sentence import Tone

BOARD_START = "<!doctype html>\n<!-- a board of vlcheck"  # the beginning of every board, by which a file is recognised
_STYLES = ("page.css", "board.css")
_SCRIPTS = ("theme.js", "board.js")
_LONGEST = 1_000  # characters of a sentence
_TONES: Mapping[Tone, str] = MappingProxyType(
    {
        "fail": "with a fail",
        "excused": "with known and excused fails alone",
        "invalid": "invalid",
        "inconclusive": "inconclusive",
        "partial": "with a pass of a part",
        "pass": "with passes alone",
    }
)


@dataclass(frozen=True)
class ListedRun:
    """A run in the list of all runs.

    Attributes:
        number: its number on the board.
        model: name of the model.
        fingerprint: the beginning of the digest of its weights and code.
        tone: the tone of its conclusion.
        sentence: its conclusion.
        started: the time of its start.
        data: name of the data.
        versions: the versions that differ from those of run 1.
        source: name of the results file.
        page: the address of its page; "" if it has none.
    """

    number: int
    model: ShownText
    fingerprint: ShownText
    tone: Tone
    sentence: ShownText
    started: ShownText
    data: ShownText
    versions: tuple[ShownText, ...]
    source: ShownText
    page: str


@dataclass(frozen=True)
class BoardView:
    """Everything that a board shows.

    Attributes:
        sentence: the numbers of models and runs.
        notes: sentences on the latest runs, and on runs that do not stand side by side.
        tables: the tables.
        runs: the runs, in the order of their files.
        left_out: the reason of each file that is not drawn.
        questions: the question that each bias asks of a model.
    """

    sentence: str
    notes: tuple[str, ...]
    tables: tuple[BoardTable, ...]
    runs: tuple[ListedRun, ...]
    left_out: tuple[ShownText, ...]
    questions: tuple[Fact, ...]


def stream_board(view: BoardView) -> Iterator[str]:
    """Yield a board in pieces, as HTML that loads nothing; equal runs give equal boards."""
    yield from pieces("board.html", view, start=BOARD_START, styles=_STYLES, scripts=_SCRIPTS)


def board_view(found: BoardRuns) -> BoardView:
    """Return everything that the board of some runs shows."""
    tables = tuple(board_tables(comparable_runs(found.runs)))
    models = len({run.model for run in found.runs})
    return BoardView(
        sentence=f"{counted(models, 'model')} in {counted(len(found.runs), 'run')}",
        notes=tuple(_notes(found, tables)),
        tables=tables,
        runs=tuple(_listed(run, found.runs[0]) for run in found.runs),
        left_out=tuple(shown_text(reason, _LONGEST) for reason in found.left_out),
        questions=tuple(_questions(found.runs)),
    )


def _notes(found: BoardRuns, tables: Sequence[BoardTable]) -> Iterator[str]:
    """Yield sentences on the latest runs, and on what does not stand side by side."""
    latest = {run.model: run for run in sorted(found.runs, key=lambda run: run.age)}
    tones = Counter(conclude(run.results).tone for run in latest.values())
    told = ", ".join(f"{tones[tone]} {_TONES[tone]}" for tone in _TONES if tones[tone])
    yield f"Of the latest run of each model: {told}."
    if len(found.runs) == 1:
        yield "One run alone: nothing stands beside it."
    if not tables:
        yield "No run has a test: there is nothing to show."
    apart = sum(table.apart is not None for table in tables)
    cells = sum(bool(cell and cell.apart) for table in tables for row in table.rows for cell in row.cells)
    if some := [counted(number, what) for number, what in ((apart, "table"), (cells, "cell")) if number]:
        yield f"Not everything can be compared: {' and '.join(some)} apart, each with the reason."
    if left_out := len(found.left_out):
        yield f"{counted(left_out, 'file is', 'files are')} left out."


def _listed(run: BoardRun, first: BoardRun) -> ListedRun:
    said, header = conclude(run.results), run.header
    versions = version_changes(first.header.versions, header.versions)
    return ListedRun(
        number=run.number,
        model=shown_text(run.model[0], NAME),
        fingerprint=shown_text(brief_digest(header.fingerprint)),
        tone=said.tone,
        sentence=shown_text(said.sentence, _LONGEST),
        started=shown_text(moment(header.started), NAME),
        data=shown_text(header.data, NAME),
        versions=tuple(map(shown_text, versions)),
        source=shown_text(run.source, NAME),
        page=run.page,
    )


def _questions(runs: Sequence[BoardRun]) -> Iterator[Fact]:
    """Yield the question of each bias, as the first run that has it words it."""
    verdicts = {one.bias: one for run in reversed(runs) for one in run.results.verdicts.values()}
    for bias in sorted(verdicts):
        if asked := question(verdicts[bias]):
            yield Fact(shown_text(bias, NAME).text, asked)
