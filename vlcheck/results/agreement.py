"""Agreement of the metrics mlm and itm on the same cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlcheck.results.file import Key, ResultLines, key_of
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.decision import HOLLOW

Row = tuple[str, str]  # case and perturbation


@dataclass(frozen=True)
class Agreement:
    """Counts of the rows of a behavior by the metrics that they violate; only rows that count under both metrics.

    Attributes:
        behavior: the behavior's name.
        statuses: the verdicts under mlm and itm.
        neither: number of rows that hold under both.
        both: number of rows that violate under both.
        mlm: number of rows that violate under mlm alone.
        itm: number of rows that violate under itm alone.
    """

    behavior: str
    statuses: tuple[str, str]
    neither: int
    both: int
    mlm: int
    itm: int

    @property
    def n(self) -> int:
        return self.neither + self.both + self.mlm + self.itm

    @property
    def disagrees(self) -> bool:
        """True if two meaningful verdicts differ, or at least a tenth of the rows do."""
        differ = not {*HOLLOW}.intersection(self.statuses) and self.statuses[0] != self.statuses[1]
        return self.n > 0 and (differ or 10 * (self.mlm + self.itm) >= self.n)


def agreements(results: ResultLines) -> Iterator[Agreement]:
    """Yield the agreement of each behavior that makes a claim about its cases under both metrics."""
    found: dict[tuple[str, ...], dict[str, VerdictRecord]] = {}
    for verdict in results.verdicts.values():
        file, _, item = verdict.test.partition("::")
        name, _, parameters = item.partition("[")
        others = [one for one in parameters.rstrip("]").split("-") if one != verdict.metric]
        found.setdefault((file, name, *others, verdict.behavior), {})[verdict.metric] = verdict
    for (*_, behavior), verdicts in found.items():
        mlm, itm = verdicts.get("mlm"), verdicts.get("itm")
        if mlm and itm and mlm.claim == "rate":
            violates = [violations(results, key_of(verdict)) for verdict in (mlm, itm)]
            yield _agreement(behavior, (mlm.status, itm.status), *violates)


def _agreement(behavior: str, statuses: tuple[str, str], mlm: Mapping[Row, bool], itm: Mapping[Row, bool]) -> Agreement:
    shared = [(mlm[row], itm[row]) for row in mlm.keys() & itm.keys()]
    return Agreement(
        behavior,
        statuses,
        neither=shared.count((False, False)),
        both=shared.count((True, True)),
        mlm=shared.count((True, False)),
        itm=shared.count((False, True)),
    )


def violations(results: ResultLines, key: Key) -> dict[Row, bool]:
    """Return for each row that counts whether it violates.

    Args:
        results: the results of a run.
        key: the key of a verdict.
    """
    rows = results.each_row(key)
    return {(row.case, row.perturbation or ""): row.violates for row in rows if row.margin is not None}
