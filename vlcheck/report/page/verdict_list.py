"""The verdicts of a page: their rows are surveyed and chosen together, since they share the room of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from vlcheck.report.page.control import Beside
from vlcheck.report.page.disagreements import agreement_by_behavior
from vlcheck.report.page.escaping import shown_text
from vlcheck.report.page.evidence import RowView, row_view
from vlcheck.report.page.explanations import Explanations
from vlcheck.report.page.images import Album
from vlcheck.report.page.row_budget import MOST, Room, Wanted, choose
from vlcheck.report.page.shown_rows import ShownRows
from vlcheck.report.page.survey import FIRST, Measured, RowAt, Survey, twins_numbered
from vlcheck.report.page.verdict import VerdictView, verdict_view
from vlcheck.report.text.summary import corrected
from vlcheck.results.agreement import Agreement
from vlcheck.results.comparison import Compared
from vlcheck.results.file import Key, ResultLines
from vlcheck.results.rerun import repeat_advice, repeat_command

_SECTION = 10_000  # characters of a verdict without its rows


@dataclass(frozen=True)
class VerdictList:
    """The verdicts of a run, to be drawn.

    Attributes:
        results: the run's results.
        names: verdict's key -> id of its element on the page.
        changes: verdict's key -> its change since the release before.
        beside: the control; None if there is none.
        alike: the agreements of mlm and itm.
        album: the pictures.
    """

    results: ResultLines
    names: Mapping[Key, str]
    changes: Mapping[Key, Compared]
    beside: Beside | None
    alike: Sequence[Agreement]
    album: Album

    def views(self, room: Room) -> dict[Key, VerdictView]:
        """Return the verdicts in the order of the results; no row stays in memory.

        Args:
            room: the room for all of them.
        """
        explanations = Explanations(self.results.run.explained, self.results.explanations)
        surveyed = [*self._surveyed(explanations)]
        chosen = choose([wanted for _, wanted in surveyed], self.album, room.less(0, _SECTION * len(self.names)))
        measured = dict(zip(self.names, (figures for figures, _ in surveyed), strict=True))
        holm = dict(zip(self.names, corrected(list(self.results.verdicts.values())), strict=True))
        agreements = agreement_by_behavior(self.alike)
        return {
            key: verdict_view(
                verdict := self.results.verdicts[key],
                name=name,
                holm=holm[key],
                measured=measured[key],
                rows=self._rows(verdict.claim, measured[key], chosen[name], explanations),
                beside=self.beside,
                change=self.changes.get(key),
                agreement=agreements.get(key[1]),
                command=repeat_command(self.results.run, verdict),
                advice=shown_text(repeat_advice(self.results.run, verdict)),
            )
            for key, name in self.names.items()
        }

    def _surveyed(self, explanations: Explanations) -> Iterator[tuple[Measured, Wanted]]:
        """Yield, for each verdict, the summary of its rows and those that it wants to show."""
        for key, name in self.names.items():
            survey, status = Survey(self.results, key, explanations), self.results.verdicts[key].status
            yield survey.measured, Wanted(name, status, survey.telling(MOST[status]))

    def _rows(self, claim: str, measured: Measured, chosen: Sequence[RowAt], explanations: Explanations) -> ShownRows:
        """Return the rows of a verdict, each of which is drawn when it is written."""
        draw = partial(_row, of=measured.counted, claim=claim, album=self.album, explanations=explanations)
        return ShownRows([*twins_numbered(_in_order(chosen))], draw)


def _row(row: RowAt, of: int, claim: str, album: Album, explanations: Explanations) -> RowView:
    record = row.read()
    return row_view(record, row.rank, of, claim, album, explanations, row.anchor(record))


def _in_order(rows: Sequence[RowAt]) -> list[RowAt]:
    """Return the worst, the median and the best row, then the others, the worst first."""
    return [*rows[:FIRST], *sorted(rows[FIRST:], key=lambda row: row.rank)]
