"""A section of a model card in Markdown, under the hub's metadata: questions, results and limits.

Names, texts and reasons are foreign: all of them are escaped, in Markdown and in YAML.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath

from vlcheck._util.numbers import brief, counted, moment, rounded, share, whole
from vlcheck.metrics.registry import METRICS
from vlcheck.report.markdown import markdown
from vlcheck.report.text.summary import biases, held
from vlcheck.report.text.words import words_sentence, words_table
from vlcheck.results.conclusion import Conclusion, Standing, conclude, excuse
from vlcheck.results.file import ResultLines
from vlcheck.results.foils import marks
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.thoughts import thought_notes
from vlcheck.results.wordings import wording_notes
from vlcheck.results.words import WordsRecord
from vlcheck.results.wrapped import setup_line, wrapper_lines
from vlcheck.stats.decision import BY_GRAVITY, NOT_ASKED

_LONGEST = 2_000  # of a text


def card(results: ResultLines, words: Sequence[WordsRecord] = ()) -> str:
    """Return the model card's section of a run, under its metadata. It depends on its arguments alone.

    Args:
        results: the results of the run.
        words: accuracies of models from words alone; a table each.
    """
    verdicts = list(results.verdicts.values())
    section = [*_section(results, verdicts, conclude(results)), *_words_alone(words)]
    lines = ["---", *_metadata(results.run, verdicts), "---", "", *section]
    return "".join(f"{line}\n" for line in lines)


def _metadata(run: RunRecord, verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the hub's model-index: one result a metric, with one figure for each test that has one."""
    by_metric: dict[str, list[VerdictRecord]] = defaultdict(list)
    for verdict in verdicts:
        if _value(verdict) is not None and verdict.status != NOT_ASKED:
            by_metric[verdict.metric].append(verdict)
    yield "model-index:"
    yield f"- name: {_quoted(run.name)}"
    yield "  results:" if by_metric else "  results: []"
    for metric, figures in by_metric.items():
        yield "  - task:"
        known = METRICS.get(metric)
        yield f"      type: {_quoted(known.task if known else metric)}"
        yield f"      name: {_quoted(known.meaning if known else metric)}"
        yield "    dataset:"
        yield f"      name: {_quoted(_dataset(run))}"
        yield f"      type: {_quoted(_scheme(run))}"
        yield from (f"      config: {_quoted(asked)}" for asked in [_amount(run)] if asked)
        yield "    metrics:"
        for verdict in figures:
            yield f"    - type: {_quoted('mean-score' if verdict.claim == 'mean' else 'violation-rate')}"
            yield f"      name: {_quoted(_named_figure(verdict))}"
            yield f"      value: {_number(_value(verdict) or 0.0)}"
            yield "      verified: false"


def _value(verdict: VerdictRecord) -> float | None:
    return verdict.observed


def _named_figure(verdict: VerdictRecord) -> str:
    """Return a figure's name, with its interval and the allowed value."""
    _, interval, allowed = held(verdict)
    what = "mean" if verdict.claim == "mean" else "share of images that violates"
    test = f"{verdict.bias}: {verdict.behavior} ({verdict.metric})"
    return f"{test}, {what}, {interval}, {allowed} allowed: {Standing((verdict,)).said}"


def _section(results: ResultLines, verdicts: Sequence[VerdictRecord], found: Conclusion) -> Iterator[str]:
    run = results.run
    yield "## Behavioral tests"
    yield ""
    yield f"**{_text(found.sentence)}** {found.counts}".rstrip()
    yield ""
    yield from _table([["asked", ""], *([_text(what), _text(said)] for what, said in _asked(run, verdicts))])
    yield ""
    yield "### Biases"
    yield ""
    yield (
        f"Each cell is the gravest verdict of a bias and metric: {', '.join(BY_GRAVITY)}; over a test that has none it"
        " is *no verdict* where nothing is graver."
    )
    yield ""
    yield from _table([[_text(cell) for cell in row] for row in _biases(results)])
    failing = [verdict for verdict in verdicts if verdict.status == "fail"]
    if failing:
        yield ""
        yield "### What fails"
        yield ""
        yield "Observed is the share of images that violates, or a mean; the interval is its one-sided bounds."
        yield ""
        head = ["test", "metric", "verdict", "observed", "interval", "allowed", "n", "what a user should know"]
        yield from _table([head, *map(_failing, failing)])
    yield ""
    yield "### Limits"
    yield ""
    yield from _limits(run, verdicts, found)


def _asked(run: RunRecord, verdicts: Sequence[VerdictRecord]) -> Iterator[tuple[str, str]]:
    yield "model", run.name
    yield from (("wrapper", said) for said in wrapper_lines(run))
    yield "fingerprint", run.fingerprint
    if line := setup_line(run):
        yield "setup", line
    yield "data", ", ".join(filter(None, [_dataset(run), _amount(run)]))
    yield "n", f"{_range((verdict.n for verdict in verdicts), whole)} images that count, by test"
    yield "date", moment(run.started)
    yield "vlcheck", str(run.versions.get("vlcheck", "unknown"))
    kinds = dict.fromkeys((verdict.metric, verdict.score_kind) for verdict in verdicts)
    yield "scores", ", ".join(f"{metric} {kind}" for metric, kind in kinds) or "none"


def _biases(results: ResultLines) -> Iterator[Sequence[str]]:
    """Yield the matrix of verdicts, with the question that each bias asks of a model."""
    asks = {verdict.bias: verdict.bias_doc or "" for verdict in results.verdicts.values()}
    (bias, *metrics), *rows = biases(results)
    yield bias, "asks", *metrics
    for bias, *statuses in rows:
        yield bias, asks.get(bias, ""), *statuses


def _failing(verdict: VerdictRecord) -> list[str]:
    told = [verdict.behavior, verdict.metric, Standing((verdict,)).said, *held(verdict), whole(verdict.n)]
    return [*map(_text, told), _text(verdict.doc or "-")]


def _words_alone(words: Sequence[WordsRecord]) -> Iterator[str]:
    """Yield what models tell of the visible properties of things without a picture."""
    for one in words:
        yield ""
        yield f"### Words alone: {_text(one.model)}"
        yield ""
        yield _text(words_sentence(one))
        yield ""
        yield from _table([[_text(cell) for cell in row] for row in words_table(one)])


def _limits(run: RunRecord, verdicts: Sequence[VerdictRecord], found: Conclusion) -> Iterator[str]:
    """Yield the limits of the verdicts."""
    yield from _meaning([verdict for verdict in verdicts if verdict.status == "pass"])
    if _scheme(run) == "scenes":
        yield "- The pictures are drawn scenes: nothing here says how the model does on photographs."
    else:
        yield f"- The pictures are those of {_text(_dataset(run))}: other ones may show other biases."
    for status, what in (
        ("inconclusive", "too few images to tell"),
        ("invalid", "the answers, or the data, say nothing"),
        (NOT_ASKED, "no model could pass on these images, and they show no fail"),
    ):
        about = [verdict for verdict in verdicts if verdict.status == status]
        if about:
            yield f"- {status.capitalize()}, {what}: {len(about):,} of {counted(len(verdicts), 'test')}."
            yield from (_below([_named(verdict)], verdict.reason) for verdict in about)
    excused: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.known:
            this_time = "" if verdict.status == "fail" else f", {verdict.status} this time"
            excused[excuse(verdict.known)].append(_named(verdict, this_time))
    if excused:
        yield "- Known biases, which the policy accepts until a date:"
        yield from (_below(tests, entry) for entry, tests in excused.items())
    if run.sequential:
        yield "- Each test stopped asking once it was decided: rely on the intervals of such a run, not on the rates."
    remarks = (*marks(verdicts), *wording_notes(run, verdicts), *thought_notes(verdicts), *found.left_out)
    yield from (f"- {_text(note)}" for note in remarks)
    skipped = sum(verdict.not_applicable or 0 for verdict in verdicts)
    if skipped:
        why = "not applicable, or not known to the model"
        yield f"- Summed over the tests, {counted(skipped, 'case')} did not count: {why}."
    yield "- Biases for which there is no test were not looked for."


def _meaning(passed: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield the meaning of a pass, for rates and for means."""
    rates = [verdict for verdict in passed if verdict.claim == "rate"]
    if rates:
        allowed = _range((verdict.allowed for verdict in rates), share)
        alpha = _range((verdict.alpha for verdict in rates), brief)
        yield f"- A pass means at most the allowed share of violations ({allowed}), at alpha {alpha}: not none."
    if len(rates) < len(passed):
        yield "- A pass of a mean says that it is inside its band; single pictures may be far out."
    if not passed:
        yield "- Nothing passed."


def _below(tests: Sequence[str], said: str) -> str:
    """Return a line under a limit that names the tests concerned."""
    return f"  - {', '.join(tests)}: {_text(said)}"


def _named(verdict: VerdictRecord, beside: str = "") -> str:
    return f"{_text(verdict.behavior)} ({_text(verdict.metric + beside)})"


def _scheme(run: RunRecord) -> str:
    return str(run.data).partition(":")[0]


def _dataset(run: RunRecord) -> str:
    """Return the data's name without its path, since a card is public."""
    place = re.sub(r"(^|:)\d+(:\d+)?$", "", str(run.data).partition(":")[2])
    return PurePath(place).name or _scheme(run)


def _amount(run: RunRecord) -> str:
    """Return how many images were asked about, if the run says so."""
    images, seed = run.images, run.seed
    amount = f"{counted(images, 'image')} a test at most" if isinstance(images, int) else ""
    return ", ".join(filter(None, [amount, "" if seed is None else f"seed {seed}"]))


def _range(numbers: Iterable[float | None], written: Callable[[float], str]) -> str:
    found = sorted({number for number in numbers if number is not None})
    if not found:
        return "-"
    return written(found[0]) if len(found) == 1 else f"{written(found[0])} to {written(found[-1])}"


def _table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, of cells that are already Markdown."""
    head, *body = rows
    yield markdown.row(head)
    yield markdown.rule(len(head))
    yield from map(markdown.row, body)


def _text(foreign: object) -> str:
    return markdown.text(foreign, _LONGEST)


def _quoted(text: object) -> str:
    """Return foreign text as a double-quoted scalar of YAML, with unpaired surrogates replaced."""
    whole = str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return '"' + "".join(map(_escaped, whole)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"


def _number(value: float) -> str:
    """Return a number as YAML 1.1 reads a float: with a point, also before an exponent."""
    said = repr(rounded(value))
    return said if "." in said or "e" not in said else said.replace("e", ".0e")
