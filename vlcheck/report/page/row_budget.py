"""Which rows a page shows: it opens fast however large the run was, and shows most of what failed.

Every verdict gets its worst, its median and its best row. What is left of the page goes to the failing ones first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.report.page.images import Album
from vlcheck.results.file import encoded
from vlcheck.results.records import EvidenceRecord
from vlcheck.stats.decision import BY_GRAVITY

FIRST = 3
MOST: Mapping[str, int] = {"fail": 100, "invalid": 20, "inconclusive": 50, "pass": 12, "not asked": 12}
_ROW = 3_000  # characters that a usual row takes, without its pictures
_USUAL = 4_000  # of such a row in the results file
_ESCAPED = 5  # characters that one becomes at most


@dataclass(frozen=True)
class Room:
    """What fits on a page: 2,000 rows open in less than 2 s, and the file stays under 15 MB.

    Attributes:
        rows: how many rows.
        characters: how many characters of rows and pictures.
    """

    rows: int = 2_000
    characters: int = 12_000_000

    def less(self, rows: int, characters: int) -> Room:
        return Room(self.rows - rows, self.characters - characters)

    def for_one_of(self, count: int) -> Room:
        """An equal share."""
        return Room(self.rows // count, self.characters // count)


@dataclass(frozen=True)
class Wanted:
    """The rows that a verdict would show, the most telling first.

    Attributes:
        name: whatever tells the verdicts of a page apart.
    """

    name: str
    status: str
    rows: Sequence[EvidenceRecord]


def by_interest(count: int, most: int) -> list[int]:
    """The places of the most telling of so many ranked rows, the most telling first.

    The worst, the median and the best one; then as many of the worst as fit beside a tenth of each of the others.
    """
    tenth = max(1, most // 10)
    worst, middle, best = range(count), range(max(0, count - 1) // 2, count), range(count - 1, -1, -1)
    first = [*worst[:1], *middle[:1], *best[:1]]
    return list(dict.fromkeys([*first, *worst[: most - 2 * tenth], *middle[:tenth], *best[:tenth], *worst]))[:most]


def choose(wanted: Sequence[Wanted], album: Album, room: Room) -> Mapping[str, list[EvidenceRecord]]:
    """The rows that fit, by the verdict's name: FIRST of each, then all that can be, by gravity.

    Verdicts alike share alike. The pictures of what is chosen are in the album.
    """
    chosen: dict[str, list[EvidenceRecord]] = {one.name: [] for one in wanted}
    groups: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        groups[one.status].append(one)
    for part in (slice(0, FIRST), slice(FIRST, None)):
        for status in BY_GRAVITY:
            alike = groups[status]
            for place, one in enumerate(alike):
                taken, room = _take(one.rows[part], album, room, room.for_one_of(len(alike) - place))
                chosen[one.name] += taken
    return chosen


def _take(rows: Iterable[EvidenceRecord], album: Album, room: Room, share: Room) -> tuple[list[EvidenceRecord], Room]:
    """The rows that fit into a share of the room, and the room that is left."""
    taken: list[EvidenceRecord] = []
    for row in rows:
        keys = row.image, row.perturbed
        cost = _ROW + _ESCAPED * max(0, len(encoded(row)) - _USUAL) + album.cost(keys)
        if share.rows < 1 or share.characters < cost:
            continue
        for key in keys:
            album.get(key)
        taken.append(row)
        room, share = room.less(1, cost), share.less(1, cost)
    return taken, room
