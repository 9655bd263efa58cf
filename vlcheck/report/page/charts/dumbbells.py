"""The true word against a wrong one, a line a row: the claim that the true one wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from vlcheck._util.numbers import brief, figure
from vlcheck.report.page.charts.even_choice import Marks
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import Axis, Tick, apart, path, titled_svg, words_at
from vlcheck.report.page.escaping import shown_text
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_MOST = 60  # rows that are drawn
_LONGEST = 20  # characters of the word
_AXIS = Axis(0.0, 1.0)
_TOP = 8
_STEPS = 5.0, 11.0  # least and largest distance of two rows
_TALL = 300


class Wins:
    """The dumbbells of true against wrong, the row that loses most clearly on top.

    Args:
        true: name of the true one.
        wrong: name of the wrong one.
        limit: the number that the true one has to be above; None if it only has to be above the wrong one.
    """

    def __init__(self, true: str, wrong: str, limit: float | None) -> None:
        self._names, self._limit = (true, wrong), limit
        self._rows: Marks[tuple[float, float]] = Marks(_MOST)
        self._sums = [0.0, 0.0]

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts; one without a share is left out."""
        pair = self._pair(row)
        if pair is None:
            return
        true, wrong = pair
        self._rows.add((true, wrong), row.violates)
        self._sums[0] += true
        self._sums[1] += wrong

    def _pair(self, row: EvidenceRecord) -> tuple[float, float] | None:
        """Return the true word's share, and the wrong one's; None if the row has not one share."""
        true = row.shares[0] if len(row.shares) == 1 else None
        return None if true is None else (true, 1.0 - true)

    def view(self) -> ChartView | None:
        """Return the dumbbells; None without a row."""
        rows = self._rows
        if not len(rows):
            return None
        drawn = sorted(rows.each, key=lambda row: row[0][0] - row[0][1])
        step = min(max(_TALL / len(drawn), _STEPS[0]), _STEPS[1])
        bottom = round(_TOP + step * len(drawn), 1)
        true, wrong = (figure(total / len(rows)) for total in self._sums)
        names = " against ".join(self._names)
        caption = captioned(
            f"{names}, the worst on top: {rows.counts}",
            f"filled: {self._names[0]}",
            f"hollow: {self._names[1]}",
            "dashed: violates",
            rows.chosen,
        )
        title = f"The score of {names}: mean {true} against {wrong}, {rows.counts}"
        desc = f"{self._demand} {rows.chosen}".rstrip()
        parts = [*_bells(drawn, step), *self._axis(bottom)]
        drawing = titled_svg("bells", round(bottom + 24), title, desc, parts)
        return ChartView(f"{caption[0].upper()}{caption[1:]}", drawing)

    @property
    def _demand(self) -> str:
        above = self._names[1] if self._limit is None else brief(self._limit)
        return f"A row holds where {self._names[0]} is above {above}."

    def _axis(self, bottom: float) -> Iterator[Markup]:
        yield path("axis", [f"M{_AXIS(0)} {bottom}H{_AXIS(1)}"])
        ticks = [Tick(_AXIS(end), brief(end)) for end in (0.0, 1.0)]
        if self._limit is not None:
            yield path("pin", [f"M{_AXIS(self._limit)} {_TOP - 4}V{bottom}"])
            ticks.insert(0, Tick(_AXIS(self._limit), f"above {brief(self._limit)}"))
        yield from (words_at(tick.at, bottom + 16, tick.text, "middle") for tick in apart(ticks))


class Leads(Wins):
    """The dumbbells of the score of a caption against that of its best foil."""

    def __init__(self) -> None:
        super().__init__("the caption", "its best foil", None)

    def _pair(self, row: EvidenceRecord) -> tuple[float, float] | None:
        """Return the caption's score, and that of the best foil: the margin is their difference."""
        caption, lead = row.before, row.margin
        return None if caption is None or lead is None else (caption, caption - lead)


def wins_of(verdict: VerdictRecord) -> Wins:
    """Return the dumbbells of a verdict whose rows have the share of the true word.

    Args:
        verdict: the verdict.
    """
    by = (verdict.tolerances or {}).get("by") or 0.0
    return Wins(shown_text(verdict.share_of or "", _LONGEST).text, "the wrong one", 0.5 + by)


def _bells(rows: Sequence[tuple[tuple[float, float], bool]], step: float) -> Iterator[Markup]:
    """Yield the lines of all rows, then the wrong ends, then the true ones."""
    at = [round(_TOP + step * (place + 0.5), 1) for place in range(len(rows))]
    for kind, violates in (("bar holding", False), ("bar violating", True)):
        lines = (
            f"M{_AXIS(wrong)} {y}H{_AXIS(true)}"
            for y, ((true, wrong), its) in zip(at, rows, strict=True)
            if its == violates
        )
        yield path(kind, lines)
    wrongs = [f"M{_AXIS(wrong)} {y}h0" for y, ((_, wrong), _) in zip(at, rows, strict=True)]
    yield path("knob", wrongs)
    yield path("hole", wrongs)
    yield path("knob", (f"M{_AXIS(true)} {y}h0" for y, ((true, _), _) in zip(at, rows, strict=True)))
