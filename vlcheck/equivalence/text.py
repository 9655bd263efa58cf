"""A report of parity as lines of a terminal, and as Markdown for CI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import between, brief, counted, figure, share, shares, signed
from vlcheck.equivalence.records import CriterionRecord, MetricParity, PairRecord, ParityReport, SideRecord
from vlcheck.report.markdown.markdown import row, rule, text
from vlcheck.report.text.columns import aligned

HEAD = ("metric", "kind", "", "images", "changed", "shift", "difference", "largest")
_VIEWS = ("metric", "perturbation", "images", "changed", "shift", "difference", "largest")
_SHOWN = 5  # of the pairs that differ most, on the terminal and in Markdown; the JSON has more


def report_lines(report: ParityReport) -> Iterator[str]:
    """Yield the report as lines."""
    yield from _subjects(report)
    yield ""
    yield from aligned([list(HEAD), *map(_metric, report.metrics)])
    yield from _not_compared(report)
    yield ""
    yield from aligned([list(_VIEWS), *_views(report)])
    if report.worst:
        yield ""
        yield "The answers that differ most:"
        yield from (f"  {_pair(one)}" for one in report.worst[:_SHOWN])
    if report.causes:
        yield ""
        yield from (f"Probes: {cause}" for cause in report.causes)
    yield ""
    yield conclusion_of(report)


def report_markdown(report: ParityReport) -> str:
    """Return the report as Markdown; foreign text in it is escaped."""
    lines = [f"## Parity: {report.status}", "", text(f"{report.reason}.", 500), ""]
    lines += [f"- {text(line, 500)}" for line in _subjects(report)]
    lines += ["", *_table(HEAD, map(_metric, report.metrics)), ""]
    lines += [f"- {text(line, 500)}" for line in (*_not_compared(report), *report.causes)]
    lines += ["", *_table(_VIEWS, _views(report))]
    if report.worst:
        lines += ["", "The answers that differ most:", ""]
        lines += [f"- {text(_pair(one), 500)}" for one in report.worst[:_SHOWN]]
    return "\n".join(lines) + "\n"


def conclusion_of(report: ParityReport) -> str:
    """Return the sentence that the report comes to."""
    return f"{report.status}: {report.reason}."


def _subjects(report: ParityReport) -> Iterator[str]:
    yield f"A: {_side(report.a)}"
    yield f"B: {_side(report.b)}"
    yield f"data: {report.data}, {counted(report.images, 'image')}"
    yield from (f"A and B differ in {each}" for each in report.differs)


def _side(side: SideRecord) -> str:
    parts = [side.model, side.dtype, side.device and f"on {side.device}", f"batches of {side.batch_size}"]
    setup = "; ".join(f"{name} {value}" for name, value in side.setup.items())
    return ", ".join(filter(None, [*parts, setup]))


def _not_compared(report: ParityReport) -> Iterator[str]:
    yield from (f"{metric} is not compared: {why}" for metric, why in report.not_compared.items())
    for metric in report.metrics:
        for why, number in metric.refused.items():
            yield f"{metric.metric}: {counted(number, 'question')} that neither answers: {why}"
        for why, number in metric.failed.items():
            yield f"{metric.metric}: {counted(number, 'question')} without an answer, by an error: {why}"


def _metric(metric: MetricParity) -> list[str]:
    criteria = {one.name: one for one in metric.criteria}
    if not criteria:
        return [metric.metric, metric.kind, metric.status, "0", "-", "-", "-", "-"]
    return [
        metric.metric,
        metric.kind,
        metric.status,
        f"{metric.n:,}",
        _share(criteria["changed"]),
        _mean(criteria["shift"], signed(criteria["shift"].mean)),
        _mean(criteria["difference"], figure(criteria["difference"].mean)),
        figure(metric.largest),
    ]


def _share(one: CriterionRecord) -> str:
    return f"{share(one.mean, (one.margin,))} ({shares(one.low, one.high, (one.margin,))}; margin {share(one.margin)})"


def _mean(one: CriterionRecord, shown: str) -> str:
    return f"{shown} ({between(one.low, one.high, apart=(one.margin, -one.margin))}; margin {brief(one.margin)})"


def _views(report: ParityReport) -> Iterator[list[str]]:
    for metric in report.metrics:
        for view in metric.views:
            yield [
                metric.metric,
                view.view,
                f"{view.n:,}",
                f"{share(view.changed)} ({shares(view.low, view.high)})",
                signed(view.shift),
                figure(view.difference),
                figure(view.largest),
            ]


def _pair(pair: PairRecord) -> str:
    about = f"{pair.case}, {pair.view}, {pair.metric}"
    if pair.refused:
        return f"{about}: {'B' if pair.a else 'A'} alone gives no answer: {pair.refused}"
    each = ", ".join(
        f"{asked!r} {figure(a)} / {figure(b)}" for asked, a, b in zip(pair.asked, pair.a, pair.b, strict=True)
    )
    of = f" of {pair.text!r}" if pair.text else ""
    return f"{about}{of}: {each}{' (changed)' if pair.changed else ''}"


def _table(head: Sequence[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield row(head)
    yield rule(len(head))
    yield from (row(map(text, cells)) for cells in rows)
