"""The conclusion of a run: its verdicts by bias and metric, a sentence about them, and notes on all else.

Terminal, page, card and Markdown show this conclusion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vlcheck._util.numbers import counted, names_in_brief
from vlcheck.results.bias_matrix import Standing, gravest_first, matrix_of
from vlcheck.results.comparison import Compared, Comparison
from vlcheck.results.file import ResultLines
from vlcheck.results.foils import marks
from vlcheck.results.known_biases import gates, gone, known_entries, no_longer_known
from vlcheck.results.notes import MOST_NAMED, contract_notes, left_out_notes, undecided_notes, unjudged_notes
from vlcheck.results.precision import precision_notes
from vlcheck.results.records import VerdictRecord
from vlcheck.results.sentence import (
    NOTHING_DECIDED,
    Tone,
    said_counts,
    said_if_hollow,
    said_if_nothing_passes,
    said_of_biases,
)
from vlcheck.results.thoughts import thought_notes
from vlcheck.results.unjudged import asked_all, incomplete, is_ended
from vlcheck.results.wordings import passes_by_wording, wording_notes
from vlcheck.stats.decision import DECIDED


@dataclass(frozen=True)
class Conclusion:
    """The conclusion of a run.

    Attributes:
        tone: the gravest verdict. It is "excused" if all failures are known biases and nothing else keeps the run from
            ending with 0; "invalid" if there is no verdict; "partial" if everything asked passes, but it was not the
            whole suite or nothing of some bias; "inconclusive" if a required bias has neither a pass nor a fail.
        sentence: the biases that fail.
        counts: the number of verdicts of each status.
        undecided: sets of foils that words alone solve to a part; verdicts that depend on the wording of the question;
            thoughts that were cut; the biases with invalid or inconclusive verdicts, or that were not asked about; the
            required ones among them.
        left_out: tests that were not asked, known biases that are gone, and clauses of the contract that the model
            breaks.
    """

    tone: Tone
    sentence: str
    counts: str
    undecided: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes that the sentence does not contain."""
        return self.undecided + self.left_out


def conclude(results: ResultLines, comparison: Comparison | None = None) -> Conclusion:
    """Return the conclusion of a run; its tone is "pass" only if the whole suite was asked and the run ended with 0.

    Args:
        results: the results of the run.
        comparison: the comparison with the release before, if there is one.
    """
    verdicts, stopped = list(results.verdicts.values()), incomplete(results)
    if not verdicts:
        nothing = f"{stopped} Nothing was checked." if stopped else "No verdict came of this run: nothing was checked."
        return Conclusion("invalid", nothing, "", (), tuple(unjudged_notes(results.run)))
    if results.changed:
        sentence = f"{results.changed} No verdict holds: the run is invalid."
        return Conclusion("invalid", sentence, said_counts(verdicts), (), tuple(unjudged_notes(results.run)))
    tone, sentence = said_of_biases(matrix_of(results).biases, whole=asked_all(results.run))
    hollow = said_if_hollow(verdicts)
    if hollow and sentence == NOTHING_DECIDED:  # "says nothing of the model" would contradict `hollow`
        sentence = "Nothing was decided."
    tone, refusal = _held_against(tone, results, comparison)
    if tone == "pass" and (passes := passes_by_wording(verdicts)):
        tone, sentence = "partial", f"{sentence} {_by_wording(passes)}"
    undecided = (
        *marks(verdicts),
        *wording_notes(results.run, verdicts),
        *thought_notes(verdicts),
        *precision_notes(results.precisions.values()),
        *undecided_notes(verdicts),
        *(note for note in [_lacking(results)] if note not in ("", refusal)),
    )
    left_out = (*left_out_notes(results), *no_longer_known(results), *contract_notes(results.run))
    unknown = "Nothing is known of the rest." if stopped and tone != "fail" else ""
    said = " ".join(filter(None, (stopped, sentence, unknown, refusal, hollow or said_if_nothing_passes(verdicts))))
    return Conclusion(tone, said, said_counts(verdicts), undecided, left_out)


def _held_against(tone: Tone, results: ResultLines, comparison: Comparison | None) -> tuple[Tone, str]:
    """Return the tone of a run whose verdicts have a tone, and what is held against the run; "" if nothing is."""
    refusal, lacking, status = _refusal(results, comparison), _lacking(results), results.run.exit_status
    ended = f"The run as a whole ended with {status}." if status else ""
    if tone in ("pass", "partial"):
        tone = "fail" if refusal else "inconclusive" if lacking else "partial" if ended else tone
        stopped = incomplete(results) and not is_ended(results.run)  # which is said before, and is reason enough
        return tone, refusal or ("" if stopped else lacking or ended)
    if tone != "excused":
        return tone, refusal
    refusal = " ".join(filter(None, (_kept_red(results.verdicts.values()), refusal))) or lacking or ended
    if refusal or incomplete(results):
        return "fail", refusal
    return "excused", "Nothing else is held against it."


def worsened(comparison: Comparison) -> str:
    """Return the reason why the comparison with the release before refuses a run; "" if it does not."""
    if comparison.accepted:
        return ""
    if worse := comparison.which("worse"):
        return f"Worse than the release before: {_biases(worse)}."
    if comparison.lost:
        return f"No verdict on what the release before decided: {_biases(comparison.lost)}."
    return "Not comparable with the release before."


def missing_biases(results: ResultLines) -> list[str]:
    """Return the biases for which the policy requires a pass or a fail, and that have neither."""
    decided = {verdict.bias for verdict in results.verdicts.values() if verdict.status in DECIDED}
    return [bias for bias in results.run.required if bias not in decided]


def _by_wording(passes: int) -> str:
    """Return a sentence on the verdicts that pass in the usual wording of the question, but not in all."""
    return f"{counted(passes, 'pass depends', 'passes depend')} on the wording of the question."


def _lacking(results: ResultLines) -> str:
    """Return a sentence about required biases without a pass or a fail; "" if there are none."""
    lacking = missing_biases(results)
    return f"The policy requires a pass or a fail of {', '.join(lacking)}, and there is none." if lacking else ""


def _refusal(results: ResultLines, comparison: Comparison | None) -> str:
    """Return the reason why a run is refused though its verdicts pass; "" if there is none."""
    if said := worsened(comparison) if comparison else "":
        return said
    if not (found := list(gone(results))):
        return ""
    stale = {known.stale for known in known_entries(results.run)}
    what = "A known bias" if stale.intersection(found) else "A bias that is excused as invalid"
    return f"{what} is gone: the policy is out of date."


def _kept_red(verdicts: Iterable[VerdictRecord]) -> str:
    """Return a sentence about the failures that no known bias excuses; "" if there are none."""
    red = [f"{one.test.rpartition('::')[2]} ({Standing((one,)).said})" for one in gravest_first(verdicts) if gates(one)]
    return f"Kept red by {names_in_brief(red, MOST_NAMED)}." if red else ""


def _biases(compared: Iterable[Compared]) -> str:
    return ", ".join(sorted({one.bias for one in compared}))
