"""The number types of a verified run, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vlcheck._util.numbers import brief, counted, figure, share
from vlcheck.results.records import DifferenceRecord, PrecisionRecord


def precision_notes(records: Iterable[PrecisionRecord]) -> Iterator[str]:
    """Yield a sentence on what was asked in which number type, and how far the types differ; none for other runs.

    Args:
        records: the lines of the run's processes; the one with most queries counts.
    """
    said = max(records, key=lambda one: one.queries, default=None)
    if said is None:
        return
    if said.alone:
        yield f"All scores are of {said.exact}: {said.alone}."
        return
    twice = share(said.both / said.queries) if said.queries else share(0.0)
    yield (
        f"Scores are of {said.fast}, and of {said.exact} wherever a verdict could differ: of"
        f" {counted(said.queries, 'query', 'queries')}, {said.both:,} ({twice}) were asked in both types and"
        f" {said.exact_alone:,} in {said.exact} alone. {_differences(said)}"
    )


def _differences(said: PrecisionRecord) -> str:
    if not said.differences:
        return "No difference between both was measured."
    most = "; ".join(map(_largest, said.differences))
    return f"Both differ by at most {most}; {brief(said.safety)} times as much was allowed for."


def _largest(one: DifferenceRecord) -> str:
    return f"{figure(one.log_odds)} in log-odds, {figure(one.score, 4)} of a score ({one.metric}, {one.n:,} queries)"
