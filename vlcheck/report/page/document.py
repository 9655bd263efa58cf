"""The whole page, and how it becomes HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from vlcheck._util.numbers import part_of
from vlcheck.report.glossary import TERMS, Term
from vlcheck.report.page.assets import pieces
from vlcheck.report.page.baseline import Release, release
from vlcheck.report.page.control import Beside, ControlView
from vlcheck.report.page.disagreements import Disagreement, disagreements
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.failing_biases import FoundView, found_views
from vlcheck.report.page.forest import ForestView, forest_view
from vlcheck.report.page.formatting import NAME
from vlcheck.report.page.images import Album
from vlcheck.report.page.matrix import MatrixView, matrix_view
from vlcheck.report.page.row_budget import Room
from vlcheck.report.page.run_header import RunView, run_view
from vlcheck.report.page.verdict import VerdictView
from vlcheck.report.page.verdict_list import VerdictList
from vlcheck.report.page.violations import TOLERANCES
from vlcheck.report.table import csv_text
from vlcheck.results.agreement import agreements
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.bias_matrix import Matrix, matrix_of
from vlcheck.results.comparison import OUTCOMES, Compared, Comparison
from vlcheck.results.conclusion import Conclusion, conclude
from vlcheck.results.explained_cases import explained_lines
from vlcheck.results.file import Key, ResultLines, key_of
from vlcheck.results.notes import contract_notes
from vlcheck.stats.decision import BY_GRAVITY

START = "<!doctype html>\n<!-- a report of vlcheck"  # the beginning of every page, by which a file is recognised
STYLES = ("page.css", "charts.css", "pictures.css", "links.css", "terms.css")
SCRIPTS = ("theme.js", "page.js", "pictures.js", "links.js", "terms.js")


@dataclass(frozen=True)
class BiasGroup:
    """The verdicts of a bias, the gravest first.

    Attributes:
        bias: the bias.
        status: the gravest status.
        said: the gravest status in words; a fail is marked if it is known.
        verdicts: the verdicts.
    """

    bias: ShownText
    status: str
    said: str
    verdicts: tuple[VerdictView, ...]


@dataclass(frozen=True)
class PageView:
    """Everything that the page shows.

    Attributes:
        run: the head: model, data, versions.
        conclusion: the conclusion of the run.
        found: the biases that fail.
        matrix: biases by metrics.
        forest: all verdicts at a glance.
        release: the changes since the release before; None without a comparison.
        disagreements: behaviors on which mlm and itm differ.
        groups: the verdicts by bias.
        beside: the control; None if there is none.
        source: name of the results file, which holds all rows.
        statuses: the statuses that occur, the gravest first.
        shown: the numbers of rows shown and of all rows, in words.
        partial: True if some rows are not shown.
        pictures: the pictures, which a style sheet holds.
        explained: ids of the rows that have a map, the worst first.
        csv: the table of the verdicts as CSV, in base64.
        terms: the meanings of the figures that the page has.
        contract: True if the page speaks of the contract.
    """

    run: RunView
    conclusion: Conclusion
    found: tuple[FoundView, ...]
    matrix: MatrixView
    forest: ForestView
    release: Release | None
    disagreements: tuple[Disagreement, ...]
    groups: tuple[BiasGroup, ...]
    beside: ControlView | None
    source: ShownText
    statuses: tuple[str, ...]
    shown: str
    partial: bool
    pictures: Album
    explained: tuple[str, ...]
    csv: str
    terms: tuple[Term, ...]
    contract: bool


def draw(
    results: ResultLines,
    *,
    source: str,
    beside: ResultLines | None = None,
    comparison: Comparison | None = None,
    room: Room | None = None,
) -> str:
    """Draw the page of a run, as HTML that loads nothing from elsewhere; equal results give equal pages.

    `stream` gives the same page in pieces, for a file.

    Args:
        results: the run's results.
        source: name of the file that holds them.
        beside: results of a control on the same data, to be shown beside.
        comparison: the comparison with the release before.
        room: limits on the number of rows and characters; the default ones if None.
    """
    return "".join(stream(results, source=source, beside=beside, comparison=comparison, room=room))


def stream(
    results: ResultLines,
    *,
    source: str,
    beside: ResultLines | None = None,
    comparison: Comparison | None = None,
    room: Room | None = None,
) -> Iterator[str]:
    """Yield the page of a run in pieces, none of which is larger than a verdict; see `draw` for the arguments.

    Args:
        results: the run's results.
        source: name of the file that holds them.
        beside: results of a control on the same data.
        comparison: the comparison with the release before.
        room: limits on the number of rows and characters.
    """
    view = page_view(results, source=source, beside=beside, comparison=comparison, room=room or Room())
    yield from pieces("page.html", view, start=START, styles=STYLES, scripts=SCRIPTS, pictures=view.pictures.rules)


def page_view(
    results: ResultLines,
    *,
    source: str,
    beside: ResultLines | None = None,
    comparison: Comparison | None = None,
    room: Room,
) -> PageView:
    """Return everything that the page of a run shows; see `draw` for the arguments.

    Args:
        results: the run's results.
        source: name of the file that holds them.
        beside: results of a control on the same data.
        comparison: the comparison with the release before.
        room: limits on the number of rows and characters.
    """
    results = replace(results, verdicts=dict(sorted(results.verdicts.items())))  # in the order of the file
    by_bias = matrix_of(results)
    changes = _changes(comparison) if comparison else {}
    names = {key: verdict_anchor(*key) for key in results.verdicts}
    album, alike = Album(results.images), list(agreements(results))
    control = Beside(results, beside) if beside else None
    table = base64.b64encode(csv_text(results).encode()).decode("ascii")
    views = VerdictList(results, names, changes, control, alike, album).views(room.less(0, len(table)))
    shown, rows = sum(len(view.rows) for view in views.values()), sum(view.measured.rows for view in views.values())
    return PageView(
        run=run_view(results.run, results.verdicts.values(), [*explained_lines(results)]),
        conclusion=_legible(conclude(results, comparison)),
        found=tuple(found_views(by_bias, views)),
        matrix=matrix_view(results, names, {key: one.verdict for key, one in changes.items()}),
        forest=forest_view(by_bias, names, changes),
        release=release(comparison, names) if comparison else None,
        disagreements=tuple(disagreements(alike)),
        groups=tuple(_groups(by_bias, views)),
        beside=control.view if control else None,
        source=shown_text(source),
        statuses=tuple(status for status in BY_GRAVITY if any(view.status == status for view in views.values())),
        shown=part_of(shown, rows, "row"),
        partial=shown < rows,
        pictures=album,
        explained=tuple(_explained(views.values())),
        csv=table,
        terms=tuple(_terms(views.values())),
        contract=bool([*contract_notes(results.run)]),
    )


def _terms(views: Iterable[VerdictView]) -> Iterator[Term]:
    names = {"margin", "words", TOLERANCES, *(figure.name for view in views for figure in view.figures)}
    return (term for name, term in TERMS.items() if name in names)


def _explained(views: Iterable[VerdictView]) -> Iterator[str]:
    """Yield the ids of the rows that have a map, the worst first."""
    rows = (row for view in views for row in view.rows.explained)
    yield from (row.anchor(row.read()) for row in sorted(rows, key=lambda row: row.explained))


def _groups(by_bias: Matrix, views: Mapping[Key, VerdictView]) -> Iterator[BiasGroup]:
    for bias, standing in by_bias.biases.items():
        its = tuple(views[key_of(verdict)] for verdict in standing.verdicts)
        if not its:
            continue  # the matrix shows that no verdict of this bias exists
        yield BiasGroup(shown_text(bias, NAME), standing.status, standing.said, its)


def _changes(comparison: Comparison) -> Mapping[Key, Compared]:
    """Return the change of each verdict; of several means, the most important change."""
    ordered = sorted(comparison.rows, key=lambda one: OUTCOMES.index(one.verdict), reverse=True)
    return {one.key: one for one in ordered}


def _legible(conclusion: Conclusion) -> Conclusion:
    """Return the conclusion with invisible characters spelled out."""
    undecided, left_out = (
        tuple(shown_text(note, 1_000).text for note in notes) for notes in (conclusion.undecided, conclusion.left_out)
    )
    sentence = shown_text(conclusion.sentence, 1_000).text
    return replace(conclusion, sentence=sentence, undecided=undecided, left_out=left_out)
