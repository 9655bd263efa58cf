"""The share of a word before an edit against that after it: the claim that an answer changes with the picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from vlcheck._util.numbers import brief, figure
from vlcheck.expect.base import TRUE_BEFORE
from vlcheck.report.page.charts.even_choice import Marks
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import CROSS, Axis, box, path, titled_svg, words_at
from vlcheck.report.page.escaping import shown_text
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_MOST = 300  # rows that are drawn
_LONGEST = 40  # characters of the word
_X, _Y = Axis(0.0, 1.0, 46, 286), Axis(0.0, 1.0, 250, 10)
_HEIGHT = 294


class SidesChanged:
    """The scatter of a word's share before against after; where it leads before and trails after, a row holds.

    Of a word that is not known to be true, the other way round holds as well.

    Args:
        verdict: the verdict; its rows have two shares.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._word = shown_text(verdict.share_of or "", _LONGEST).text
        self._either = verdict.share_of != TRUE_BEFORE
        self._by = (verdict.tolerances or {}).get("by") or 0.0
        self._rows: Marks[tuple[float, float]] = Marks(_MOST)
        self._sums = [0.0, 0.0]
        self._leads: Counter[tuple[bool, bool]] = Counter()
        self._holding: Counter[bool] = Counter()  # rows that hold, by whether the share is larger before

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts; one without two shares is left out."""
        if len(row.shares) != 2:
            return
        before, after = row.shares
        if before is None or after is None:
            return
        self._rows.add((before, after), row.violates)
        self._sums[0] += before
        self._sums[1] += after
        self._leads[before > 0.5, after > 0.5] += 1
        self._holding[before > after] += not row.violates

    def view(self) -> ChartView | None:
        """Return the scatter; None without a row."""
        rows = self._rows
        if not len(rows):
            return None
        marks: Mapping[bool, list[str]] = defaultdict(list)
        for (before, after), violates in rows.each:
            x, y = _X(before), _Y(after)
            marks[violates].append(f"M{x - 2.5:.1f} {y - 2.5:.1f}l5 5m0-5l-5 5" if violates else f"M{x} {y}h0")
        parts = [
            *self._zones(),
            path("axis", [f"M{_X(0)} {_Y(1)}V{_Y(0)}H{_X(1)}"]),
            path("unchanged", [f"M{_X(0)} {_Y(0)}L{_X(1)} {_Y(1)}"]),
            path("dots holding", marks[False]),
            path("crosses violating", marks[True]),
            *self._counts(),
            *_numbers(),
        ]
        caption = captioned(
            f"Share of {self._word}, before the edit against after it: {rows.counts}",
            "shaded: holds",
            f"{CROSS}: violates",
            "dotted line: the edit changes nothing",
            rows.chosen,
        )
        return ChartView(caption, titled_svg("sides", _HEIGHT, self._title, self._desc, parts))

    @property
    def _title(self) -> str:
        before, after = (figure(total / len(self._rows)) for total in self._sums)
        return f"The share of {self._word}: mean {before} before, {after} after, {self._rows.counts}"

    @property
    def _desc(self) -> str:
        low, high = brief(0.5 - self._by), brief(0.5 + self._by)
        reverse = ", or the other way round" if self._either else ""
        holds = f"A row holds where the share is above {high} before and under {low} after{reverse}."
        words = {
            (True, True): "before and after",
            (True, False): "before alone",
            (False, True): "after alone",
            (False, False): "neither before nor after",
        }
        leads = ", ".join(f"{self._leads[which]:,} {said}" for which, said in words.items())
        return f"{holds} The share is above 0.5: {leads}. {self._rows.chosen}".rstrip()

    def _zones(self) -> Iterator[Markup]:
        """Yield the places where rows hold."""
        low, high = 0.5 - self._by, 0.5 + self._by
        yield box("zone", _X(high), _Y(low), _X(1) - _X(high), _Y(0) - _Y(low))
        if self._either:
            yield box("zone", _X(0), _Y(1), _X(low) - _X(0), _Y(high) - _Y(1))

    def _counts(self) -> Iterator[Markup]:
        """Yield the numbers of rows that hold, each in its place."""
        low, high = 0.5 - self._by, 0.5 + self._by
        yield words_at(_X(high) + 4, _Y(low) + 13, f"holds: {self._holding[True]:,}")
        if self._either:
            yield words_at(_X(low) - 4, _Y(high) - 5, f"holds: {self._holding[False]:,}", "end")


def _numbers() -> Iterator[Markup]:
    """Yield the numbers and the names of both axes."""
    for share in (0.0, 0.5, 1.0):
        yield words_at(_X(share), _Y(0) + 14, brief(share), "middle")
        yield words_at(_X(0) - 6, _Y(share) + 4, brief(share), "end")
    yield words_at(_X(0.5), _HEIGHT - 8, "before", "middle")
    turned = Markup('<text transform="translate(14 {}) rotate(-90)" text-anchor="middle">after</text>')
    yield turned.format(_Y(0.5))
