"""The behaviors on which mlm and itm agree or disagree, as a page shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.report.page.escaping import ShownText
from vlcheck.report.page.formatting import title
from vlcheck.results.agreement import Agreement


@dataclass(frozen=True)
class Disagreement:
    """A behavior on which mlm and itm have different verdicts.

    Attributes:
        title: the behavior's name in words.
        statuses: the verdicts of mlm and of itm.
        counts: numbers of rows, by which of the two metrics they violate.
    """

    title: ShownText
    statuses: tuple[str, str]
    counts: tuple[int, ...]


def disagreements(alike: Sequence[Agreement]) -> Iterator[Disagreement]:
    """Yield the behaviors with different verdicts."""
    for one in alike:
        if one.disagrees:
            yield Disagreement(title(one.behavior), one.statuses, (one.neither, one.mlm, one.itm, one.both, one.n))


def agreement_by_behavior(alike: Sequence[Agreement]) -> Mapping[str, Agreement]:
    """Return the agreements by behavior, for names that only one behavior has."""
    found: Mapping[str, list[Agreement]] = defaultdict(list)
    for one in alike:
        found[one.behavior].append(one)
    return {behavior: ones[0] for behavior, ones in found.items() if len(ones) == 1}
