"""The results of a control, e.g. of a model that sees no picture, beside those of the model under test."""

from __future__ import annotations

from dataclasses import dataclass

from vlcheck._util.numbers import counted
from vlcheck.metrics.registry import METRICS
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME, observed_in_words
from vlcheck.report.page.tables import Grid
from vlcheck.report.text.words import words_sentence, words_table
from vlcheck.results.control import ControlVerdicts, is_on_one_scale
from vlcheck.results.file import ResultLines
from vlcheck.results.records import VerdictRecord
from vlcheck.results.words import WordsRecord
from vlcheck.stats.decision import HOLLOW

_CAPTION = (
    "What it tells from words alone: accuracy with its interval, beside the best constant answer and chance; items with"
    " a word that it cannot spell do not count"
)


@dataclass(frozen=True)
class ControlView:
    """Everything that the page says of a control, besides what stands beside each verdict.

    Attributes:
        name: its name.
        notes: sentences about it.
        words: its accuracies from words alone; None unless it sees no picture.
        words_tell: the conclusion from them; None without them.
    """

    name: ShownText
    notes: tuple[ShownText, ...]
    words: Grid | None
    words_tell: ShownText | None


@dataclass(frozen=True)
class CounterpartView:
    """The verdict of a control on the behavior of a verdict.

    Attributes:
        status: its status; "" if there is none.
        said: the observed value and its kind of score; or why there is no verdict.
        pairing: the cases that count for both, by which of the two they violate; "" if none do.
    """

    status: str
    said: ShownText
    pairing: str


class Beside:
    """The results of a control beside those of the model under test.

    Args:
        results: those of the model.
        control: those of the control.
    """

    def __init__(self, results: ResultLines, control: ResultLines) -> None:
        self._results = results
        self._control = ControlVerdicts(control)

    @property
    def view(self) -> ControlView:
        """Everything that the page says of the control as a whole."""
        run, words = self._control.run, self._control.results.words
        record = WordsRecord(run.name, run.fingerprint, tuple(words.found)) if words else None
        return ControlView(
            name=shown_text(run.name, NAME),
            notes=tuple(shown_text(f"{note}.", 600) for note in self._control.notes(self._results)),
            words=_grid(record) if record else None,
            words_tell=shown_text(words_sentence(record)) if record else None,
        )

    def counterpart(self, verdict: VerdictRecord) -> CounterpartView:
        """Return the control's verdict on the same behavior."""
        other = self._control.of(verdict)
        if other is None:
            fault = self._control.fault(verdict)
            return CounterpartView("", shown_text(f"has no verdict: {fault}" if fault else _unasked(verdict)), "")
        pairing = self._control.pairing(verdict, self._results)
        return CounterpartView(other.status, shown_text(_said(verdict, other)), pairing.said if pairing else "")


def _unasked(verdict: VerdictRecord) -> str:
    metric = METRICS.get(verdict.metric)
    explained = metric is not None and metric.explained
    return "was not asked this: only the model under test is explained" if explained else "was not asked this"


def _said(verdict: VerdictRecord, other: VerdictRecord) -> str:
    """Return the value that a control observed, and how its scores differ from the model's; or why it observed none."""
    metric = f"under {other.metric}" if other.metric != verdict.metric else ""
    if other.status in HOLLOW:
        return " ".join(filter(None, (metric, f"({other.reason})")))
    seen = observed_in_words(other) if is_on_one_scale(verdict, other) else ""
    kind = f"by scores of another kind ({other.score_kind})" if other.score_kind != verdict.score_kind else ""
    return " ".join(filter(None, (seen, f"of {counted(other.n or 0, 'image')}", metric or kind)))


def _grid(record: WordsRecord) -> Grid:
    head, *rows = words_table(record)
    names = tuple(map(shown_text, head))
    body = tuple((shown_text(name), tuple(shown_text(cell).text for cell in cells)) for name, *cells in rows)
    return Grid(_CAPTION, names, body)
