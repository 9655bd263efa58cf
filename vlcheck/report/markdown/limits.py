"""The limits of a run's verdicts as a list in Markdown: what a pass means, and what nobody knows after the run.

Names, texts and reasons are foreign: all of them are escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from vlcheck._util.numbers import brief, counted, names_in_brief, part_of, share
from vlcheck.report.markdown import markdown
from vlcheck.results.asked import dataset_of, scheme_of
from vlcheck.results.conclusion import Conclusion
from vlcheck.results.foils import marks
from vlcheck.results.known_biases import excuse
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.thoughts import thought_notes
from vlcheck.results.wordings import wording_notes
from vlcheck.stats.decision import NOT_ASKED

_MOST = 5  # tests, and lines, of a list
_LONGEST = 2_000  # characters of a text
_CHECK = "vlcheck models check"  # the command that notes on the contract name
_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "inconclusive": "too few images to tell",
        "invalid": "the answers, or the data, say nothing",
        NOT_ASKED: "no model could pass on these images, and they show no fail",
    }
)


def limit_lines(run: RunRecord, verdicts: Sequence[VerdictRecord], found: Conclusion) -> Iterator[str]:
    """Yield the limits of the verdicts, as lines of a list.

    Args:
        run: the run.
        verdicts: its verdicts.
        found: its conclusion.
    """
    yield from _meaning([verdict for verdict in verdicts if verdict.status == "pass"])
    if scheme_of(run) == "scenes":
        yield "- The pictures are drawn scenes: nothing here says how the model does on photographs."
    else:
        yield f"- The pictures are those of {_text(dataset_of(run))}: other ones may show other biases."
    yield from _undecided(verdicts)
    yield from _excuses(verdicts)
    if run.sequential:
        yield "- Each test stopped asking once it was decided: rely on the intervals of such a run, not on the rates."
    remarks = (*marks(verdicts), *wording_notes(run, verdicts), *thought_notes(verdicts), *found.left_out)
    yield from (f"- {_text(note).replace(_CHECK, f'`{_CHECK}`')}" for note in remarks)
    skipped = sum(verdict.not_applicable or 0 for verdict in verdicts)
    if skipped:
        why = "not applicable, or not known to the model"
        yield f"- Summed over the tests, {counted(skipped, 'case')} did not count: {why}."
    yield "- Biases for which there is no test were not looked for."


def range_of(numbers: Iterable[float | None], written: Callable[[float], str]) -> str:
    """Return the smallest and the largest of some numbers, as a text; "-" if there is none.

    Args:
        numbers: the numbers; None is left out.
        written: the format of a number.
    """
    found = sorted({number for number in numbers if number is not None})
    if not found:
        return "-"
    return written(found[0]) if len(found) == 1 else f"{written(found[0])} to {written(found[-1])}"


def short_name(behavior: str) -> str:
    """Return the name of a test's function without its beginning, e.g. "mirror_swaps_sides"."""
    return behavior.removeprefix("test_")


def first_lines(lines: Sequence[str], most: int = _MOST, before: str = "") -> Iterator[str]:
    """Yield the first lines of a list, and the number of the others.

    Args:
        lines: the lines.
        most: the most lines to yield.
        before: the indent of each line.
    """
    yield from (f"{before}{line}" for line in lines[:most])
    if len(lines) > most:
        yield f"{before}- and {len(lines) - most:,} more"


def _undecided(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the numbers of tests without a pass or a fail, and the reasons; a reason stands once with its tests."""
    for status, what in _UNDECIDED.items():
        by_reason: dict[str, list[str]] = defaultdict(list)
        for verdict in verdicts:
            if verdict.status == status:
                by_reason[verdict.reason].append(_named(verdict))
        if by_reason:
            count = sum(map(len, by_reason.values()))
            yield f"- {status.capitalize()}, {what}: {part_of(count, len(verdicts), 'test')}."
            yield from _listed(by_reason)


def _excuses(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the entries of known biases that verdicts have, each with its tests."""
    excused: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.known:
            this_time = "" if verdict.status == "fail" else f", {verdict.status} this time"
            excused[excuse(verdict.known)].append(_named(verdict, this_time))
    if excused:
        yield "- Known biases, which the policy accepts until a date:"
        yield from _listed(excused)


def _listed(tests: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a line for each text, with the tests that it is said of."""
    lines = [f"- {names_in_brief(names, _MOST)}: {_text(said)}" for said, names in tests.items()]
    yield from first_lines(lines, before="  ")


def _meaning(passed: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the meaning of a pass, for rates and for means."""
    rates = [verdict for verdict in passed if verdict.claim == "rate"]
    if rates:
        allowed = range_of((verdict.allowed for verdict in rates), share)
        alpha = range_of((verdict.alpha for verdict in rates), brief)
        yield f"- A pass means at most the allowed share of violations ({allowed}), at alpha {alpha}: not none."
    if len(rates) < len(passed):
        yield "- A pass of a mean says that it is inside its band; single pictures may be far out."
    if not passed:
        yield "- Nothing passed."


def _named(verdict: VerdictRecord, beside: str = "") -> str:
    return f"{_text(short_name(verdict.behavior))} ({_text(verdict.metric + beside)})"


def _text(foreign: object) -> str:
    return markdown.text(foreign, _LONGEST)
