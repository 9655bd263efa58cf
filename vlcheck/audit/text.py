"""An audit of captions on the terminal: a table of findings, the causes in words, and runs beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from vlcheck._util.numbers import counted, share, shares, whole
from vlcheck.audit.document import AuditDocument
from vlcheck.audit.records import AuditFinding, AuditReport, FindingStatus
from vlcheck.audit.verdicts import RunBeside, cause_of, findings_by_bias
from vlcheck.report.text.columns import aligned

_NO_PROOF = (
    "An audit shows what captions can teach, not what a model has learned: a cause beside a fail is an association,"
    " no proof."
)
_NO_RECIPE = "No recipe was given (--augment): no cause was looked for in what a training does to its pictures."
_NAMES = 3  # columns of names
_CAUSES: Mapping[FindingStatus, str] = MappingProxyType(
    {"found": "yes", "not found": "no", "inconclusive": "inconclusive", "not examined": "not examined", "": "-"}
)
_HEAD = ("bias", "check", "cause", "n", "count", "share", "interval")


def audit_lines(document: AuditDocument) -> Iterator[str]:
    """Yield the lines of an audit: its findings, the causes in words, and the runs beside them."""
    yield f"{document.corpus}: {counted(document.captions, 'caption')}{_recipe(document)}"
    yield from (f"  left out: {counted(number, 'row')}: {why}" for why, number in document.skipped.items() if number)
    by_bias = findings_by_bias(document.findings)
    yield from _table([_HEAD, *(_row(one) for its in by_bias.values() for one in its)])
    for bias, its in by_bias.items():
        yield from dict.fromkeys(f"{bias or one.check}: {one.says}" for one in its if one.cause or not one.n)
    for run in document.runs:
        yield from _beside(run)
    yield audit_sentence(document)
    yield from audit_notes(document)


def audit_sentence(report: AuditReport) -> str:
    """Return in a sentence of which biases a cause was found, which are inconclusive, and which were not examined."""
    causes = {bias: cause_of(its) for bias, its in findings_by_bias(report.findings).items() if bias}
    by_cause = {status: [bias for bias, cause in causes.items() if cause == status] for status in causes.values()}
    found, few, idle = (by_cause.get(status, []) for status in ("found", "inconclusive", "not examined"))
    rest = f" Too few captions to tell: {', '.join(few)}." if few else ""
    rest += f" Not examined: {', '.join(idle)}." if idle else ""
    examined = len(causes) - len(idle)
    if not examined:
        return "Nothing was examined: this audit says nothing about the captions."
    of = counted(examined, "examined bias", "examined biases")
    if found:
        return f"Causes were found of {len(found)} of {of}: {', '.join(found)}.{rest}"
    if few:
        return f"No cause was found, and none is ruled out of {len(few)} of {of}.{rest}"
    return f"No cause was found of {of}.{rest}"


def audit_notes(document: AuditDocument) -> Iterator[str]:
    """Yield sentences about the limits of an audit."""
    yield from (f"The corpus was not read to its end: {one}" for one in document.unfinished)
    yield _NO_PROOF
    if not document.augment:
        yield _NO_RECIPE


def _beside(run: RunBeside) -> Iterator[str]:
    """Yield the lines of a run: each bias with its verdict, and both in words."""
    yield f"{run.source}: {run.model}, asked about {run.data}"
    yield from (f"  {note}" for note in run.notes)
    width = max((len(one.bias) for one in run.biases), default=0)
    yield from (f"  {one.bias.ljust(width)}  {one.said}: {one.conclusion}" for one in run.biases)


def _recipe(report: AuditReport) -> str:
    return f"; the recipe has {', '.join(report.augment)}" if report.augment else ""


def _row(one: AuditFinding) -> Sequence[str]:
    if one.share is None or one.low is None or one.high is None:
        return one.bias or "-", one.check, _CAUSES[one.status], whole(one.n), "-", "-", "-"
    return (
        one.bias or "-",
        one.check,
        one.cause or _CAUSES[one.status],
        whole(one.n),
        whole(one.count),
        share(one.share),
        shares(one.low, one.high),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in aligned columns: the first three are names, and stand to the left."""
    widths = [max(len(row[at]) for row in rows) for at in range(_NAMES)]
    names = ("  ".join(name.ljust(width) for name, width in zip(row, widths, strict=False)) for row in rows)
    return aligned([(name, *row[_NAMES:]) for name, row in zip(names, rows, strict=True)])
