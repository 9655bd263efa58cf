"""The explained cases of a run: which of them are kept, and how many have no map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from vlcheck._util.numbers import part_of
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.results.file import ResultLines
from vlcheck.results.records import ExplanationRecord, MethodRecord
from vlcheck.stats.decision import BY_GRAVITY, Status

Order = tuple[int, int, str, str]
_MOST_REASONS = 3  # reasons that a sentence names


def order_of(status: Status, rank: int, test: str, metric: str) -> Order:
    """Return the place of a case among the cases of a run, the worst first.

    Args:
        status: the status of its verdict.
        rank: its rank among the cases of the verdict, 1 for the worst.
        test: the test's id.
        metric: the metric.
    """
    return BY_GRAVITY.index(status), rank, test, metric


def keep_worst(results: ResultLines) -> None:
    """Keep the explanations of the worst cases of a run, as many for each method as the run asked for, in their order.

    Of several lines of one view the last one counts: the first says what holds if the run ends before it is explained.

    Args:
        results: results of all processes of the run, each of which explained its own worst cases.
    """
    statuses = {(verdict.test, verdict.metric): verdict.status for verdict in results.verdicts.values()}
    kept: list[ExplanationRecord] = []
    for method in results.run.explained:
        by_case: dict[Order, dict[str, ExplanationRecord]] = {}
        for one in results.explanations:
            if one.method == method.name and (status := statuses.get((one.test, one.metric))):
                by_case.setdefault(order_of(status, one.rank, one.test, one.metric), {})[one.side] = one
        worst = sorted(by_case.items(), key=lambda item: item[0])[: method.count]
        kept += [one for _, sides in worst for one in sides.values()]
    results.explanations[:] = kept


def explained_lines(results: ResultLines) -> Iterator[str]:
    """Yield for each method a sentence: how many cases it explains, and why others have no map."""
    scored = any(verdict.metric in OF_PICTURES for verdict in results.verdicts.values())
    why = "" if scored else f": no test of {' or '.join(OF_PICTURES)} was judged"
    for method in results.run.explained:
        yield _told(method, (one for one in results.explanations if one.method == method.name)) + why


def _told(method: MethodRecord, views: Iterable[ExplanationRecord]) -> str:
    reasons: dict[tuple[str, str, int], str] = {}
    for one in views:
        case = one.test, one.metric, one.rank
        reasons[case] = reasons.get(case) or one.reason
    without = Counter(filter(None, reasons.values())).most_common()
    named = [f"{count}: {reason}" for reason, count in without[:_MOST_REASONS]]
    if others := sum(count for _, count in without[_MOST_REASONS:]):
        named.append(f"{others}: other reasons")
    mapped = len(reasons) - sum(count for _, count in without)
    few = f" ({method.count:,} were asked for)" if len(reasons) < method.count else ""
    return "; ".join([f"{method.title}: explained {part_of(mapped, len(reasons), 'case')}{few}", *named])
