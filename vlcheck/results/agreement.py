"""Where the masked word and the match disagree about the same cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlcheck.results.file import Key, ResultLines, key_of
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.decision import HOLLOW

Row = tuple[str, str]  # case and perturbation


@dataclass(frozen=True)
class Agreement:
    """Of the rows of a behavior that both metrics could be asked about, how many violate under which.

    Attributes:
        statuses: the verdicts, of mlm and itm.
        neither: rows that hold under both.
        both: rows that violate under both.
        mlm, itm: rows that violate under that metric alone.
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
        """Whether verdicts that rest on enough differ, or a tenth of the rows do; never where there is no row."""
        differ = not {*HOLLOW}.intersection(self.statuses) and self.statuses[0] != self.statuses[1]
        return self.n > 0 and (differ or 10 * (self.mlm + self.itm) >= self.n)


def agreements(results: ResultLines) -> Iterator[Agreement]:
    """One for each behavior that claims about its cases under both metrics."""
    found: dict[tuple[str, ...], dict[str, VerdictRecord]] = {}
    for verdict in results.verdicts.values():
        file, _, item = verdict.test.partition("::")
        name, _, parameters = item.partition("[")
        others = [one for one in parameters.rstrip("]").split("-") if one != verdict.metric]
        found.setdefault((file, name, *others, verdict.behavior), {})[verdict.metric] = verdict
    for (*_, behavior), verdicts in found.items():
        mlm, itm = verdicts.get("mlm"), verdicts.get("itm")
        if mlm and itm and mlm.claim == "rate":
            violates = [_violations(results, key_of(verdict)) for verdict in (mlm, itm)]
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


def _violations(results: ResultLines, key: Key) -> dict[Row, bool]:
    """Whether a row violates, where it counts."""
    rows = results.rows(key)
    return {(row.case, row.perturbation or ""): row.violates for row in rows if row.margin is not None}
