"""A comparison of two runs as lines of text: a table, the reasons why tests are not comparable, and a conclusion."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import chance, counted, figure, moment, verb, whole
from vlcheck.errors import printable
from vlcheck.report.text.columns import aligned
from vlcheck.results.comparison import ALPHA, Change, Compared, Comparison
from vlcheck.results.records import RunRecord

_LONGEST = 80  # characters of a name
_LEGEND = (
    "old, new: the share of images that violates, or a mean; worse, better: images whose share rose, or fell; n: images"
    " paired, of those that count in either run; p: p-value of the hypothesis that there is no difference, corrected"
    " for the number of tests (Holm); effect: how far an edit moves the score, or by how much what is true leads, in"
    " the old run and in the new one, which decides nothing, and its p"
)


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """Yield a comparison as lines for a terminal. Foreign text in it is made harmless."""
    yield from _body(comparison, comparison.rows)
    yield ""
    yield conclusion(comparison)


def changed_lines(comparison: Comparison) -> Iterator[str]:
    """Yield a comparison as lines without a row for each test that is the same, and without the conclusion."""
    yield from _body(comparison, [row for row in comparison.rows if row.verdict != "same"])
    if same := comparison.which("same"):
        yield f"-v lists the {counted(len(same), 'test')} that {verb(len(same), 'is', 'are')} the same, too."


def _body(comparison: Comparison, rows: Iterable[Compared]) -> Iterator[str]:
    """Yield a comparison without its conclusion; its table has the rows given."""
    yield _head(comparison.old, comparison.new)
    yield from other_versions(comparison)
    measured = [row for row in rows if row.figure]
    if measured:
        yield ""
        yield from aligned(list(_table(measured)))
        yield _LEGEND
    if comparison.scales:
        yield f"effects are on each run's own operating scale, and these differ: {'; '.join(comparison.scales)}"
    left_out = comparison.which("not comparable")
    if left_out:
        yield ""
        yield from _reasons(left_out, comparison.comparable)


def conclusion(comparison: Comparison) -> str:
    """Return the conclusion as one sentence; it begins with the runs that have tests without a verdict."""
    return "; ".join([*comparison.incomplete, _conclusion(comparison)])


def _conclusion(comparison: Comparison) -> str:
    if not comparison.comparable:
        return "nothing can be compared: nothing green comes out of nothing"
    same, left_out = len(comparison.which("same")), len(comparison.which("not comparable"))
    worse, better = _biases(comparison.which("worse")), _biases(comparison.which("better"))
    lost = f"; no longer decided: {_biases(comparison.lost)}" if comparison.lost else ""
    return f"worse: {worse}; better: {better}; {same} same, {left_out} not comparable{lost}"


def other_versions(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence if versions of packages differ between the runs: these may cause a change, and not the model."""
    if comparison.versions:
        yield f"What is installed differs: {'; '.join(comparison.versions)}"


def _head(old: RunRecord, new: RunRecord) -> str:
    return f"{_subject(new)} against {_subject(old)}{_related(old, new)}"


def _related(old: RunRecord, new: RunRecord) -> str:
    """Return how the models of two runs are related; "" if their fingerprints do not tell."""
    if old.fingerprint == new.fingerprint:
        return "; the same weights"
    if old.fingerprint in {one.fingerprint for one in new.wrappers}:
        return "; the new model wraps the old one"
    return "; the old model wraps the new one" if new.fingerprint in {one.fingerprint for one in old.wrappers} else ""


def _subject(run: RunRecord) -> str:
    return f"{printable(run.name)} on {printable(run.data)} ({printable(moment(run.started))})"


def _table(rows: Iterable[Compared]) -> Iterator[Sequence[str]]:
    yield "test", "metric", "verdict", "old", "new", "worse", "better", "n", "p (Holm)", "effect", "p (effect)"
    for row in rows:
        about = f": {row.about}" if row.about else ""
        images = (whole(row.images_worse), whole(row.images_better), _paired(row))
        yield _name(row.behavior + about), _name(row.metric), row.verdict, *_change(row, images), *_effect(row.effect)


def _change(row: Compared, images: tuple[str, str, str]) -> tuple[str, ...]:
    change = row.figure or Change(0.0, 0.0, 1.0)
    return figure(change.old), figure(change.new), *images, chance(change.p, ALPHA)


def _paired(row: Compared) -> str:
    return whole(row.n) if row.n >= row.counted else f"{row.n:,} of {row.counted:,}"


def _effect(change: Change | None) -> tuple[str, str]:
    return (f"{figure(change.old)} -> {figure(change.new)}", chance(change.p)) if change else ("-", "-")


def _reasons(rows: Sequence[Compared], some: bool) -> Iterator[str]:
    """Yield the reasons why rows are not comparable, each once."""
    by_reason: dict[str, list[Compared]] = defaultdict(list)
    for row in rows:
        by_reason[row.reason].append(row)
    for reason, alike in by_reason.items():
        named = "all tests" if len(by_reason) == 1 and not some else _names(alike)
        yield f"{len(alike)} not comparable, {printable(reason)}: {named}"


def _names(rows: Iterable[Compared]) -> str:
    metrics: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        metrics[_name(row.behavior)].append(_name(row.metric))
    return ", ".join(f"{name} ({', '.join(asked)})" for name, asked in metrics.items())


def _biases(rows: Iterable[Compared]) -> str:
    counts = Counter(_name(row.bias) for row in rows)
    said = (f"{bias} ({counted(count, 'test')})" for bias, count in sorted(counts.items()))
    return ", ".join(said) or "none"


def _name(text: str) -> str:
    return printable(text, _LONGEST)
