"""The page of an audit: one HTML file that loads nothing, drawn from the report and from runs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import counted, duration, moment, share, shares, whole
from vlcheck.audit.document import AuditDocument
from vlcheck.audit.records import AuditFinding, AuditPart
from vlcheck.audit.text import audit_notes, audit_sentence
from vlcheck.audit.verdicts import BiasBeside, CauseStatus, RunBeside, bias_beside, cause_of, findings_by_bias, in_order
from vlcheck.report.page.assets import pieces
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME
from vlcheck.report.page.run_header import Fact
from vlcheck.report.page.share_chart import share_chart

AUDIT_START = "<!doctype html>\n<!-- an audit of vlcheck"  # the beginning of every page, by which a file is recognised
_LONGEST_SENTENCE = 1_000
_MOST_PARTS = 40  # rows of a table that are shown
_MOST_SKIPPED = 20  # the most reasons that are shown


@dataclass(frozen=True)
class PartView:
    """A row of a finding's table: a word, or a noun with a color."""

    name: ShownText
    figures: tuple[str, ...]


@dataclass(frozen=True)
class FindingView:
    """A finding as the page shows it.

    Attributes:
        check: name of the check in words.
        cause: name of the cause in words; "" if it names none.
        status: "found", "not found", "inconclusive" or "not examined"; "" if the check never names a cause.
        says: the finding in a sentence.
        figures: its numbers in words; "" if nothing was examined.
        chart: its share with the interval; None if nothing was examined.
        parts: the shares of its parts.
        more: number of parts that are not shown.
        based: whether any part has a share to compare with.
        examples: captions.
    """

    check: ShownText
    cause: ShownText
    status: str
    says: ShownText
    figures: str
    chart: Markup | None
    parts: tuple[PartView, ...]
    more: int
    based: bool
    examples: tuple[ShownText, ...]


@dataclass(frozen=True)
class BiasFindings:
    """The findings about a bias; `bias` is None for findings that bear on none."""

    bias: ShownText | None
    cause: CauseStatus
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class BesideCell:
    """A bias in a run, beside the causes in the captions.

    Attributes:
        status: the gravest status of the run's verdicts.
        said: the status in words.
        conclusion: cause and verdict in words.
    """

    status: str
    said: ShownText
    conclusion: str


@dataclass(frozen=True)
class BesideRow:
    """A row of the first table: a bias, its cause, and what each run says about it; a run may lack it."""

    bias: ShownText
    cause: CauseStatus
    says: tuple[ShownText, ...]
    cells: tuple[BesideCell, ...]


@dataclass(frozen=True)
class BesideRun:
    """The head of a run.

    Attributes:
        source: name of the results file.
        model: name of the model.
        data: name of the data.
        started: time of its start.
        notes: sentences about what it cannot say.
        failing: for each bias that fails, the verdict and the causes in the captions.
    """

    source: ShownText
    model: ShownText
    data: ShownText
    started: ShownText
    notes: tuple[ShownText, ...]
    failing: tuple[ShownText, ...]


@dataclass(frozen=True)
class AuditView:
    """Everything that the page shows.

    Attributes:
        corpus: name of the corpus.
        about: numbers of captions and pictures, the recipe.
        cause: whether any cause was found.
        sentence: the conclusion.
        notes: sentences about the limits of this audit.
        rows: each bias with its causes and the runs' verdicts.
        runs: the runs.
        groups: the findings by bias.
        facts: facts of the audit.
        skipped: reasons why captions were left out, each with their number.
    """

    corpus: ShownText
    about: tuple[ShownText, ...]
    cause: CauseStatus
    sentence: str
    notes: tuple[ShownText, ...]
    rows: tuple[BesideRow, ...]
    runs: tuple[BesideRun, ...]
    groups: tuple[BiasFindings, ...]
    facts: tuple[Fact, ...]
    skipped: tuple[Fact, ...]


def draw_audit(document: AuditDocument) -> str:
    """Draw the page of an audit, as HTML that loads nothing from elsewhere; equal audits give equal pages."""
    return "".join(pieces("audit.html", audit_view(document), start=AUDIT_START))


def audit_view(document: AuditDocument) -> AuditView:
    """Return everything that the page of an audit shows."""
    by_bias = findings_by_bias(document.findings)
    groups = tuple(
        BiasFindings(shown_text(bias, NAME) if bias else None, cause_of(its), tuple(map(_finding, its)))
        for bias, its in by_bias.items()
    )
    return AuditView(
        corpus=shown_text(document.corpus, NAME),
        about=tuple(_about(document)),
        cause=cause_of(document.findings),
        sentence=shown_text(audit_sentence(document), _LONGEST_SENTENCE).text,
        notes=tuple(shown_text(note, _LONGEST_SENTENCE) for note in audit_notes(document)),
        rows=tuple(_rows(by_bias, document.runs)),
        runs=tuple(map(_run, document.runs)),
        groups=groups,
        facts=tuple(_facts(document)),
        skipped=tuple(
            Fact(shown_text(whole(number)).text, shown_text(why))
            for why, number in list(document.skipped.items())[:_MOST_SKIPPED]
        ),
    )


def _finding(one: AuditFinding) -> FindingView:
    parts = one.parts[:_MOST_PARTS]
    based = any(part.base is not None for part in parts)
    return FindingView(
        check=_words(one.check),
        cause=_words(one.cause),
        status=one.status,
        says=shown_text(one.says, _LONGEST_SENTENCE),
        figures=_figures(one),
        chart=_chart(one),
        parts=tuple(PartView(shown_text(part.name, NAME), _part(part, based=based)) for part in parts),
        more=len(one.parts) - len(parts),
        based=based,
        examples=tuple(map(shown_text, one.examples)),
    )


def _words(name: str) -> ShownText:
    return shown_text(name.replace("-", " "), NAME)


def _figures(one: AuditFinding) -> str:
    """Return the numbers of a finding in words."""
    if one.share is None or one.low is None or one.high is None:
        return ""
    limit = "" if one.limit is None else f"; limit {share(one.limit)}"
    unit = shown_text(one.unit, NAME).text
    return f"{share(one.share)} ({shares(one.low, one.high)}), {whole(one.count)} of {whole(one.n)} {unit}{limit}"


def _chart(one: AuditFinding) -> Markup | None:
    if one.share is None or one.low is None or one.high is None:
        return None
    return share_chart(one.share, (one.low, one.high), one.limit)


def _part(part: AuditPart, *, based: bool) -> tuple[str, ...]:
    seen = share(part.count / part.n) if part.n else "-"
    interval = "-" if part.low is None or part.high is None else shares(part.low, part.high)
    base = ("-" if part.base is None else share(part.base),) if based else ()
    return whole(part.count), whole(part.n), seen, interval, *base


def _rows(by_bias: dict[str, tuple[AuditFinding, ...]], runs: Sequence[RunBeside]) -> Iterator[BesideRow]:
    """Yield the rows of the first table: every bias of the audit and of the runs."""
    cells = {(place, one.bias): one for place, run in enumerate(runs) for one in run.biases}
    for bias in in_order({*by_bias, *(bias for _, bias in cells)} - {""}):
        its = by_bias.get(bias, ())
        telling = [one for one in its if one.cause] or [one for one in its if not one.n]
        yield BesideRow(
            shown_text(bias, NAME),
            cause_of(its),
            tuple(shown_text(says, _LONGEST_SENTENCE) for says in dict.fromkeys(one.says for one in telling)),
            tuple(_cell(cells.get((place, bias)) or bias_beside(bias, its)) for place, _ in enumerate(runs)),
        )


def _cell(one: BiasBeside) -> BesideCell:
    return BesideCell(one.status, shown_text(one.said), one.conclusion)


def _run(run: RunBeside) -> BesideRun:
    return BesideRun(
        source=shown_text(run.source, NAME),
        model=shown_text(run.model, NAME),
        data=shown_text(run.data, NAME),
        started=shown_text(moment(run.started), NAME),
        notes=tuple(shown_text(note, _LONGEST_SENTENCE) for note in run.notes),
        failing=tuple(shown_text(one.sentence, _LONGEST_SENTENCE) for one in run.biases if one.status == "fail"),
    )


def _about(document: AuditDocument) -> Iterator[ShownText]:
    yield shown_text(counted(document.captions, "caption"))
    if document.pictures:
        yield shown_text(counted(document.pictures, "picture"))
    yield shown_text(f"recipe: {', '.join(document.augment) or 'not given'}")


def _facts(document: AuditDocument) -> Iterator[Fact]:
    told = {
        "corpus": document.corpus,
        "captions": whole(document.captions),
        "pictures": whole(document.pictures) if document.pictures else "",
        "recipe": ", ".join(document.augment),
        "duration": duration(document.seconds),
        "vlcheck": document.vlcheck,
    }
    yield from (Fact(name, shown_text(value)) for name, value in told.items() if value)
