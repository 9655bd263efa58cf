"""A verdict as a page shows it: why one should care, the figures, the drawings, the tables and the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import chance, counted, figure, share, signed, span, whole
from vlcheck.metrics.kinds import MASSES
from vlcheck.report.page import charts
from vlcheck.report.page.baseline import ChangeView, change_view
from vlcheck.report.page.charts import Moved
from vlcheck.report.page.control import Beside
from vlcheck.report.page.escaping import Said, said
from vlcheck.report.page.evidence import RowView, outcome
from vlcheck.report.page.formatting import NAME, allowed, known, observed, title, told
from vlcheck.report.page.tables import Grid, grids
from vlcheck.report.text.summary import is_disputed
from vlcheck.results.agreement import Agreement
from vlcheck.results.comparison import Compared
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_REASONS = 12  # of rows that do not count


@dataclass(frozen=True)
class Figure:
    """A number with its name; what it means, where that is no common knowledge."""

    name: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Measured:
    """What all rows of a verdict say together.

    Attributes:
        rows: how many there are.
        counted: how many of them count.
        moved: the drawing of their scores.
        left_out: why how many do not count.
    """

    rows: int
    counted: int
    moved: Markup | None
    left_out: tuple[tuple[int, Said], ...]


@dataclass(frozen=True)
class VerdictView:
    """All that is shown of a verdict.

    Attributes:
        id: of its place on the page.
        bias, metric, test: as the results name them.
        title: the behavior's name in words.
        status: pass, fail, inconclusive, invalid or not asked.
        known: what the policy says of a known bias, or None.
        observed: the rate or mean, and its interval; "" where nothing was measured.
        doc: why a user should care.
        expected: what had to hold, under which edit.
        reason: why the verdict is what it is.
        open: whether it is shown in full at first.
        interval: the drawing of what was seen against what is allowed.
        beside: what another run observed.
        change: what became of it since the release before.
        disagreement: how the other metric sees the same rows.
        rows: those of the evidence that are shown: the worst, the median, the best, then the rest, the worst first.
        shown: how many of how many rows that is, in words.
    """

    id: str
    bias: Said
    metric: Said
    test: Said
    title: Said
    status: str
    known: Said | None
    observed: str
    doc: Said | None
    expected: Said | None
    perturbation: Said | None
    reason: Said
    open: bool
    interval: Markup | None
    figures: tuple[Figure, ...]
    measured: Measured
    tables: tuple[Grid, ...]
    beside: Said | None
    change: ChangeView | None
    disagreement: str
    rows: tuple[RowView, ...]
    shown: str


def measured(rows: Sequence[EvidenceRecord], claim: str) -> Measured:
    """What all rows say together."""
    counts = [row for row in rows if row.margin is not None]
    moved = [
        Moved(row.before, row.after, None if claim == "mean" else outcome(row, claim) == "violates")
        for row in counts
        if row.before is not None
    ]
    reasons = Counter(str(row.reason or "no reason is given") for row in rows if row.margin is None)
    left_out = tuple((count, said(reason)) for reason, count in reasons.most_common(_REASONS))
    return Measured(len(rows), len(counts), charts.movement(moved), left_out)


def verdict_view(
    verdict: VerdictRecord,
    *,
    name: str,
    holm: float | None,
    measured: Measured,
    rows: Sequence[RowView],
    beside: Beside | None,
    change: Compared | None,
    agreement: Agreement | None,
) -> VerdictView:
    """A verdict.

    Args:
        verdict: its line.
        name: of its place on the page.
        holm: p, corrected over the run.
        measured: what all of its rows say.
        rows: those that are shown, in the order in which they are.
        beside: another run, where there is one.
        change: what became of it since the release before, where there is one.
        agreement: what the two metrics say of the same rows, where both were asked.
    """
    return VerdictView(
        id=name,
        bias=said(verdict.bias, NAME),
        metric=said(verdict.metric, NAME),
        test=said(verdict.test),
        title=title(verdict.behavior),
        status=verdict.status,
        known=known(verdict),
        observed=told(verdict),
        doc=said(" ".join(verdict.doc.split()), 600) if verdict.doc else None,
        expected=said(verdict.expected) if verdict.expected else None,
        perturbation=said(verdict.perturbation) if verdict.perturbation else None,
        reason=said(verdict.reason, 500),
        open=verdict.status == "fail",
        interval=charts.interval(verdict),
        figures=tuple(_figures(verdict, holm)),
        measured=measured,
        tables=tuple(grids(verdict)),
        beside=beside.sentence(verdict) if beside else None,
        change=change_view(change, name) if change else None,
        disagreement=disagreement(agreement) if agreement and agreement.n else "",
        rows=tuple(rows),
        shown=_shown(len(rows), measured.rows),
    )


def disagreement(agreement: Agreement) -> str:
    """How many of the rows that both metrics count violate under which."""
    return (
        f"of {counted(agreement.n, 'row')} that count under mlm and itm: both hold {agreement.neither},"
        f" both violate {agreement.both}, mlm alone violates {agreement.mlm}, itm alone {agreement.itm}"
    )


def _figures(verdict: VerdictRecord, holm: float | None) -> Iterator[Figure]:
    mean = verdict.claim == "mean"
    violations = verdict.violations
    yield Figure("images that count", whole(verdict.n))
    if not mean:
        yield Figure("violations", whole(violations), "rows that violate, of which an image may have several")
    yield Figure("mean" if mean else "rate", observed(verdict) or "-", "with its one-sided bounds")
    yield Figure("allowed", allowed(verdict))
    if not mean and verdict.effect is not None:
        yield Figure("effect", _effect(verdict), "how far the score moves on average; it decides nothing")
    detectable = verdict.detectable
    least = "-" if detectable is None else signed(detectable) if mean else share(detectable)
    yield Figure("finds", least, "the least true rate, or distance from the band, that fails 4 times in 5 at this n")
    if verdict.needed_n is not None:
        yield Figure("would decide", f"n = {whole(verdict.needed_n)}", "images at which what was seen would decide")
    yield Figure("p", chance(verdict.p, verdict.alpha), "of the hypothesis that nothing is amiss; it decides")
    yield Figure("p (Holm)", chance(holm, verdict.alpha), _of_holm(verdict, holm))
    yield Figure("cases left out", whole(verdict.not_applicable), "that do not apply, or that it does not know")
    if verdict.refused:
        yield Figure("refused", whole(verdict.refused), "of the cases left out, by the model")
    if verdict.mass is not None:
        yield Figure(MASSES[verdict.metric], figure(verdict.mass), "on average; the rest is something else")
    if verdict.asked is not None and verdict.asked != verdict.offered:
        of = counted(verdict.offered or 0, "image")
        yield Figure("asked", f"{whole(verdict.asked)} of {of}", "until it was decided")
    yield Figure("score", said(verdict.score_kind, NAME).text)


def _of_holm(verdict: VerdictRecord, holm: float | None) -> str:
    said = "corrected for the number of tests of the run; it decides nothing"
    return f"{said}, and would not let this one fail" if is_disputed(verdict, holm) else said


def _effect(verdict: VerdictRecord) -> str:
    low, high = verdict.effect_low, verdict.effect_high
    interval = "" if low is None or high is None else f" ({span(low, high)})"
    return signed(verdict.effect) + interval


def _shown(rows: int, of: int) -> str:
    if rows == of:
        return f"all {counted(of, 'row')}" if of != 1 else "the one row"
    return f"{rows:,} of {counted(of, 'row')}"
