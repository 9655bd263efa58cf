"""The results of another run of the same behaviors, for example of a control that sees no picture."""

from __future__ import annotations

from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME, observed
from vlcheck.results.file import ResultLines
from vlcheck.results.records import VerdictRecord


class Beside:
    """The results of another run.

    Args:
        results: the other run's.

    Attributes:
        name: its model's name.
    """

    def __init__(self, results: ResultLines) -> None:
        self.name = shown_text(results.run.name, NAME)
        self._verdicts = {(one.behavior, one.metric): one for one in results.verdicts.values()}

    def sentence(self, verdict: VerdictRecord) -> ShownText:
        """Return the other run's verdict on the same behavior, if both scores are of the same kind."""
        other = self._verdicts.get((verdict.behavior, verdict.metric))
        if other is None:
            return shown_text("was not asked this")
        if other.score_kind != verdict.score_kind:
            return shown_text(f"is not compared: its scores are of kind {other.score_kind}, not {verdict.score_kind}")
        return shown_text(" ".join(filter(None, (other.status, observed(other)))))
