"""A verdict as a page shows it: docstring, figures, charts, tables and evidence."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import counted, part_of
from vlcheck.report.page import charts
from vlcheck.report.page.baseline import ChangeView, change_view
from vlcheck.report.page.control import Beside, CounterpartView
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.evidence import RowView
from vlcheck.report.page.figures import NamedValue, named_values
from vlcheck.report.page.formatting import NAME, known, observed_in_words, title
from vlcheck.report.page.shown_rows import ShownRows
from vlcheck.report.page.survey import Measured
from vlcheck.report.page.tables import Grid, grids
from vlcheck.report.text.modalities import shares_of_modalities
from vlcheck.results.agreement import Agreement
from vlcheck.results.comparison import Compared
from vlcheck.results.records import VerdictRecord


@dataclass(frozen=True)
class VerdictView:
    """Everything that is shown of a verdict.

    Attributes:
        id: id of its element on the page.
        bias: the bias, as the results name it.
        metric: the metric, as the results name it.
        test: the test, as the results name it.
        title: the behavior's name in words.
        status: pass, fail, inconclusive, invalid or not asked.
        known: the policy's remark on a known bias, or None.
        observed: the rate or mean with its interval; "" if nothing was measured.
        doc: the reason why a user should care: the first paragraph of the test's docstring.
        doc_more: the other paragraphs; None if there are none.
        expected: the expectation.
        perturbation: the edit.
        reason: the reason for the status.
        open: True if the verdict is unfolded at first.
        interval: the chart of the observed value against the allowed range.
        shares: the chart of what the words and the picture contribute, if the claim is about that.
        figures: the numbers, without their meanings, which the page has once.
        measured: the summary of all rows.
        tables: its tables.
        beside: the control's verdict on the behavior; None without a control.
        change: its change since the release before, if there is one.
        disagreement: a sentence on the agreement of the other metric on the same rows.
        rows: the shown rows of the evidence: the worst, the median, the best, then the others, the worst first.
        shown: the numbers of rows shown and of all rows, in words.
        command: the command that repeats it; "" if there is none.
        advice: a way to repeat it without a command; "" if there is a command.
    """

    id: str
    bias: ShownText
    metric: ShownText
    test: ShownText
    title: ShownText
    status: str
    known: ShownText | None
    observed: str
    doc: ShownText | None
    doc_more: ShownText | None
    expected: ShownText | None
    perturbation: ShownText | None
    reason: ShownText
    open: bool
    interval: Markup | None
    shares: Markup | None
    figures: tuple[NamedValue, ...]
    measured: Measured
    tables: tuple[Grid, ...]
    beside: CounterpartView | None
    change: ChangeView | None
    disagreement: str
    rows: ShownRows
    shown: str
    command: str
    advice: ShownText

    @property
    def front(self) -> Sequence[RowView]:
        """The rows that are shown with the verdict: the worst, the median, the best, and those with a map."""
        return self.rows.front

    @property
    def more(self) -> Sequence[RowView]:
        """The rows that are folded."""
        return self.rows.more


def verdict_view(
    verdict: VerdictRecord,
    *,
    name: str,
    holm: float | None,
    measured: Measured,
    rows: ShownRows,
    beside: Beside | None,
    change: Compared | None,
    agreement: Agreement | None,
    command: str,
    advice: ShownText,
) -> VerdictView:
    """Return a verdict as the page shows it.

    Args:
        verdict: its line in the results.
        name: id of its element on the page.
        holm: its p-value after Holm's correction over the run; None if nothing was tested.
        measured: the summary of all its rows.
        rows: the rows to show, in order.
        beside: the control to show beside, if there is one.
        change: its change since the release before, if there is one.
        agreement: the agreement of the two metrics on the same rows, if both were asked.
        command: the command that repeats it; "" if there is none.
        advice: a way to repeat it without a command; "" if there is a command.
    """
    doc, _, doc_more = inspect.cleandoc(verdict.doc or "").partition("\n\n")
    return VerdictView(
        id=name,
        bias=shown_text(verdict.bias, NAME),
        metric=shown_text(verdict.metric, NAME),
        test=shown_text(verdict.test),
        title=title(verdict.behavior),
        status=verdict.status,
        known=known(verdict),
        observed=observed_in_words(verdict),
        doc=_paragraph(doc),
        doc_more=_paragraph(doc_more),
        expected=shown_text(verdict.expected) if verdict.expected else None,
        perturbation=shown_text(verdict.perturbation) if verdict.perturbation else None,
        reason=shown_text(verdict.reason, 500),
        open=verdict.status == "fail",
        interval=charts.interval(verdict),
        shares=_shares(verdict),
        figures=tuple(named_values(verdict, holm)),
        measured=measured,
        tables=tuple(grids(verdict)),
        beside=beside.counterpart(verdict) if beside else None,
        change=change_view(change, name) if change else None,
        disagreement=agreement_sentence(agreement) if agreement and agreement.n else "",
        rows=rows,
        shown=_shown(len(rows), measured.rows),
        command=command,
        advice=advice,
    )


def _paragraph(text: str) -> ShownText | None:
    """Return a part of a docstring on one line, without the marks of code; None if it is empty."""
    said = " ".join(text.replace("`", "").split())
    return shown_text(said, 600) if said else None


def _shares(verdict: VerdictRecord) -> Markup | None:
    shares = shares_of_modalities(verdict)
    return charts.modality_bar(shares.text, shares.interval) if shares else None


def agreement_sentence(agreement: Agreement) -> str:
    """Return the sentence that compares both metrics: how many rows violate under neither, both, or one of them."""
    return (
        f"of {counted(agreement.n, 'row')} that count under mlm and itm: both hold {agreement.neither},"
        f" both violate {agreement.both}, mlm alone violates {agreement.mlm}, itm alone {agreement.itm}"
    )


def _shown(rows: int, of: int) -> str:
    if rows == of:
        return f"all {counted(of, 'row')}" if of != 1 else "the one row"
    return part_of(rows, of, "row")
