"""A section of a model card in Markdown, under the hub's metadata: the matrix, what fails, limits, and a link.

Names, texts and reasons are foreign: all of them are escaped, in Markdown and in YAML.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.addresses import quoted_address
from vlcheck._util.hashing import brief_digest
from vlcheck._util.numbers import moment, share, whole
from vlcheck.report.markdown import markdown
from vlcheck.report.markdown.limits import first_lines, limit_lines, range_of, short_name
from vlcheck.report.markdown.model_index import model_index
from vlcheck.report.text.summary import biases, held
from vlcheck.report.text.words import words_sentence, words_table
from vlcheck.results.asked import amount_of, dataset_of
from vlcheck.results.bias_matrix import gravest_first
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import ResultLines
from vlcheck.results.known_biases import is_known
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.words import WordsRecord
from vlcheck.results.wrapped import setup_line, wrapper_lines

_LONGEST = 2_000  # characters of a text
_MOST = 10  # lines on tests that fail


def card(results: ResultLines, words: Sequence[WordsRecord] = (), page: str = "") -> str:
    """Return the model card's section of a run, under its metadata. It depends on its arguments alone.

    Args:
        results: the results of the run.
        words: accuracies of models from words alone; a table each.
        page: the address of the reviewer page, to which the section links.
    """
    lines = ["---", *model_index(results), "---", "", *_section(results, page), *_words_alone(words)]
    return "".join(f"{line}\n" for line in lines)


def _section(results: ResultLines, page: str) -> Iterator[str]:
    verdicts, found = list(results.verdicts.values()), conclude(results)
    yield "## Behavioral tests"
    yield ""
    yield " ".join(filter(None, (f"**{_text(found.sentence)}**", found.counts, _linked(page))))
    yield ""
    yield from _table([[_text(cell) for cell in row] for row in _biases(results)])
    yield ""
    yield "A cell is the gravest verdict of the tests of a bias under a metric."
    if failing := [verdict for verdict in gravest_first(verdicts) if verdict.status == "fail"]:
        yield ""
        yield "### What fails"
        yield ""
        yield from first_lines([_failing(tests, page) for tests in _by_behavior(failing)], _MOST)
    yield ""
    yield "### Limits"
    yield ""
    yield from limit_lines(results.run, verdicts, found)
    yield ""
    yield " ".join(_asked(results.run, verdicts))


def _linked(page: str) -> str:
    """Return the sentence that links to the reviewer page; "" without an address, since no reader could draw it."""
    if not page:
        return ""
    named = markdown.link("The page for reviewers", quoted_address(page))
    return f"{named} has each test with its interval, and the pictures that prove it."


def _asked(run: RunRecord, verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield sentences on the model, the data and the run."""
    yield f"Model: {_text(run.name)}, fingerprint {_text(brief_digest(run.fingerprint))}."
    yield from map(_text, wrapper_lines(run))
    if line := setup_line(run):
        yield f"Setup: {_text(line)}."
    kinds = dict.fromkeys(f"{verdict.metric} {verdict.score_kind}" for verdict in verdicts)
    yield f"Scores: {_text(', '.join(kinds) or 'none')}."
    counting = f"{range_of((verdict.n for verdict in verdicts), whole)} that count, by test"
    yield f"Data: {_text(', '.join(filter(None, [dataset_of(run), amount_of(run), counting])))}."
    version = run.versions.get("vlcheck", "of unknown version")
    yield f"Asked on {_text(moment(run.started))}, by vlcheck {_text(version)}."


def _biases(results: ResultLines) -> Iterator[Sequence[str]]:
    """Yield the matrix of verdicts, with the question that each bias asks of a model."""
    asks = {verdict.bias: verdict.bias_doc or "" for verdict in results.verdicts.values()}
    (bias, *metrics), *rows = biases(results)
    yield bias, "asks", *metrics
    for bias, *statuses in rows:
        yield bias, asks.get(bias, ""), *statuses


def _by_behavior(verdicts: Iterable[VerdictRecord]) -> Iterable[Sequence[VerdictRecord]]:
    found: dict[str, list[VerdictRecord]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.behavior].append(verdict)
    return found.values()


def _failing(verdicts: Sequence[VerdictRecord], page: str) -> str:
    """Return a line on a test that fails: what was observed under each metric, and what is allowed."""
    first = verdicts[0]
    what = "mean" if first.claim == "mean" else "violations"
    seen = (f"{one.metric} {_observed(one)}{' (known)' if is_known(one) else ''}" for one in verdicts)
    allowed = f"; {_allowed(first)} allowed" if _allowed(first) else ""
    name = markdown.verdict_link(short_name(first.behavior), page, first)
    return f"- {_text(first.bias)}: {name}: {what} {_text(', '.join(seen) + allowed)}"


def _observed(verdict: VerdictRecord) -> str:
    if verdict.claim == "mean" or verdict.rate is None:
        return held(verdict)[0]
    return share(verdict.rate, () if verdict.allowed is None else (verdict.allowed,))


def _allowed(verdict: VerdictRecord) -> str:
    """Return the allowed values; "" if the verdict names none, or if they decide nothing."""
    if verdict.claim == "rate":
        return "" if verdict.allowed is None else share(verdict.allowed)
    return held(verdict)[2] if verdict.band else ""


def _words_alone(words: Sequence[WordsRecord]) -> Iterator[str]:
    """Yield what models tell of the visible properties of things without a picture."""
    for one in words:
        yield ""
        yield f"### Words alone: {_text(one.model)}"
        yield ""
        yield _text(words_sentence(one))
        yield ""
        yield from _table([[_text(cell) for cell in row] for row in words_table(one)])


def _table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, of cells that are already Markdown."""
    head, *body = rows
    yield markdown.row(head)
    yield markdown.rule(len(head))
    yield from map(markdown.row, body)


def _text(foreign: object) -> str:
    return markdown.text(foreign, _LONGEST)
