"""The figures of a verdict as a page shows them; `vlcheck.report.glossary` has their meanings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlcheck._util.numbers import brief, chance, figure, share, signed, span, whole
from vlcheck.metrics.registry import METRICS
from vlcheck.report.glossary import TERMS
from vlcheck.report.page.escaping import shown_text
from vlcheck.report.page.formatting import NAME, allowed, observed
from vlcheck.report.page.violations import TOLERANCES
from vlcheck.report.text.summary import is_disputed
from vlcheck.results.records import VerdictRecord


@dataclass(frozen=True)
class NamedValue:
    """A figure of a verdict.

    Attributes:
        name: its name; `vlcheck.report.glossary` has its meaning.
        value: the number, formatted.
        note: something that is true of this verdict alone; "" for most.
    """

    name: str
    value: str
    note: str = ""

    @property
    def term(self) -> str:
        """The id of its meaning on the page."""
        return TERMS[self.name].id


def named_values(verdict: VerdictRecord, holm: float | None) -> Iterator[NamedValue]:
    """Yield the figures of a verdict.

    Args:
        verdict: its line in the results.
        holm: its p-value after Holm's correction over the run; None if nothing was tested.
    """
    mean = verdict.claim == "mean"
    yield NamedValue("images that count", whole(verdict.n))
    if not mean:
        yield NamedValue("violations", whole(verdict.violations))
    yield NamedValue("mean" if mean else "rate", observed(verdict) or "-")
    yield NamedValue("without the picture" if verdict.claim == "lead" else "allowed", allowed(verdict))
    if verdict.tolerances:
        yield NamedValue(TOLERANCES, _tolerances(verdict.tolerances))
    if not mean and verdict.effect is not None:
        yield NamedValue("least lead" if verdict.claim == "lead" else "effect", _effect(verdict))
    detectable = verdict.detectable
    yield NamedValue("detectable", "-" if detectable is None else signed(detectable) if mean else share(detectable))
    if verdict.needed_n is not None:
        yield NamedValue("would decide", f"n = {whole(verdict.needed_n)}")
    yield NamedValue("p", chance(verdict.p, verdict.alpha))
    note = "would not let this one fail" if is_disputed(verdict, holm) else ""
    yield NamedValue("p (Holm)", chance(holm, verdict.alpha), note)
    yield from _of_answers(verdict)


def _of_answers(verdict: VerdictRecord) -> Iterator[NamedValue]:
    """Yield figures of what the model answered: cases left out, the mass of its answers, its thoughts and wordings."""
    yield NamedValue("cases left out", whole(verdict.not_applicable))
    if verdict.refused:
        yield NamedValue("refused", whole(verdict.refused))
    reading = METRICS[verdict.metric].reading if verdict.metric in METRICS else None
    if reading and reading.whole and verdict.mass is not None:
        yield NamedValue(reading.whole, figure(verdict.mass))
    if verdict.cut is not None:
        yield NamedValue("thoughts cut", share(verdict.cut))
    for one in verdict.wordings:
        seen = "" if one.rate is None else f", rate {share(one.rate)}"
        yield NamedValue("in other words", f"{one.status}{seen}", shown_text(one.wording).text)
    if verdict.asked is not None and verdict.asked != verdict.offered:
        yield NamedValue("images asked", f"{whole(verdict.asked)} of {whole(verdict.offered or 0)}")
    yield NamedValue("score", shown_text(verdict.score_kind, NAME).text)


def _tolerances(tolerances: Mapping[str, float | None]) -> str:
    """Return tolerances with their names: "within 0.1, by 0.05"."""
    said = {shown_text(name, NAME).text: value for name, value in tolerances.items()}
    return ", ".join(f"{name} {brief(value)}" for name, value in said.items() if value is not None)


def _effect(verdict: VerdictRecord) -> str:
    low, high = verdict.effect_low, verdict.effect_high
    interval = "" if low is None or high is None else f" ({span(low, high)})"
    return signed(verdict.effect) + interval
