"""The survey of a verdict's rows: one pass over all of them, which keeps figures, and where the telling rows are."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vlcheck.report.page.charts import ChartView, charts_of
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.explanations import Explanations
from vlcheck.results.anchors import row_anchor
from vlcheck.results.file import Key, ResultLines, badness
from vlcheck.results.records import EvidenceRecord

FIRST = 3  # rows of each verdict: the worst, the median and the best one
_REASONS = 12  # the most reasons that are shown for rows that do not count


@dataclass(frozen=True)
class Measured:
    """A summary of all rows of a verdict.

    Attributes:
        rows: number of rows.
        counted: number of rows that count.
        charts: the charts that are drawn from all of them.
        left_out: the reasons why rows do not count, each with the number of rows.
    """

    rows: int
    counted: int
    charts: tuple[ChartView, ...]
    left_out: tuple[tuple[int, ShownText], ...]


@dataclass(frozen=True)
class RowAt:
    """A row of the results, which is read when it is needed.

    Attributes:
        results: the results.
        key: the key of its verdict.
        place: its place in the evidence of the verdict, from 0.
        rank: its rank among the rows that count, 1 for the worst; 0 for a row that does not count.
        explained: its place among the explained rows of the run, from 1; 0 without a map.
        twin: its place among the shown rows of the same case and edit, from 0; files of others may have several.
    """

    results: ResultLines
    key: Key
    place: int
    rank: int
    explained: int
    twin: int = 0

    def read(self) -> EvidenceRecord:
        """Return the row."""
        return self.results.row(self.key, self.place)

    def anchor(self, row: EvidenceRecord) -> str:
        """Return the id of its element on the page; `row` is what `read` returned."""
        anchor = row_anchor(*self.key, row.case, row.perturbation or "")
        return f"{anchor}-{self.twin + 1}" if self.twin else anchor


class Survey:
    """The figures of all rows of a verdict.

    Args:
        results: the results.
        key: the key of the verdict.
        explanations: the explanations of the run.
    """

    def __init__(self, results: ResultLines, key: Key, explanations: Explanations) -> None:
        self._results, self._key = results, key
        self._claim = results.verdicts[key].claim
        self._margins, self._places = array("d"), array("q")  # of the rows that count
        self._charts = charts_of(results.verdicts[key])
        self._reasons: Counter[str] = Counter()
        self._explained: dict[int, int] = {}  # places among the explained rows of the run, by the rows' places
        for place, row in enumerate(results.each_row(key)):
            self._add(place, row)
            if explained := explanations.place(row):
                self._explained[place] = explained

    def _add(self, place: int, row: EvidenceRecord) -> None:
        if row.margin is None:
            self._reasons[str(row.reason or "no reason is given")] += 1
            return
        self._margins.append(row.margin)
        self._places.append(place)
        for chart in self._charts:
            chart.add(row)

    @property
    def measured(self) -> Measured:
        """The summary of the rows."""
        left_out = tuple((count, shown_text(reason)) for reason, count in self._reasons.most_common(_REASONS))
        counted = len(self._places)
        charts = tuple(view for chart in self._charts if (view := chart.view()))
        return Measured(counted + self._reasons.total(), counted, charts, left_out)

    def telling(self, most: int) -> list[RowAt]:
        """Return the rows that a page may show, the most telling first.

        The rows with a map come after the first ones. If no row counts, the first rows are shown.

        Args:
            most: the most of them, beside those with a map.
        """
        order = self._order()
        if not order:
            return [self._at(place, 0) for place in range(min(most, self._reasons.total()))]
        ranks = by_interest(len(order), most)
        explained = [rank for rank, place in enumerate(order) if place in self._explained]
        return [self._at(order[rank], rank + 1) for rank in dict.fromkeys([*ranks[:FIRST], *explained, *ranks])]

    def _at(self, place: int, rank: int) -> RowAt:
        return RowAt(self._results, self._key, place, rank, self._explained.get(place, 0))

    def _order(self) -> Sequence[int]:
        """Return the places of the rows that count, the worst first."""
        order = sorted(range(len(self._places)), key=lambda at: badness(self._margins[at], self._claim))
        return array("q", (self._places[at] for at in order))


def twins_numbered(rows: Iterable[RowAt]) -> Iterator[RowAt]:
    """Yield the shown rows of a verdict, with the places among rows of the same case and edit."""
    seen: Counter[tuple[str, str]] = Counter()
    for one in rows:
        row = one.read()
        name = row.case, row.perturbation or ""
        yield replace(one, twin=seen[name])
        seen[name] += 1


def by_interest(count: int, most: int) -> list[int]:
    """Return the indices of the most telling of ranked rows, the most telling first.

    The worst, the median and the best row come first. Then a tenth of `most` goes to the rows around the median, a
    tenth to the best ones, and the others to the worst.

    Args:
        count: number of ranked rows.
        most: the most indices to return.
    """
    tenth = max(1, most // 10)
    worst, middle, best = range(count), range(max(0, count - 1) // 2, count), range(count - 1, -1, -1)
    first = [*worst[:1], *middle[:1], *best[:1]]
    found = dict.fromkeys([*first, *worst[: most - 2 * tenth], *middle[:tenth], *best[:tenth], *worst[:most]])
    return list(found)[:most]
