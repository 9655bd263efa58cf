"""Chooses the rows that a page shows, so that it opens fast and shows most of what failed.

Every verdict gets its worst, its median and its best row. The rest of the page goes to the failing ones first. There is
room of their own for large pictures of the worst rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vlcheck.report.page.images import Album
from vlcheck.report.page.survey import FIRST, RowAt
from vlcheck.results.records import EvidenceRecord
from vlcheck.results.schema import encoded
from vlcheck.stats.decision import BY_GRAVITY

MOST: Mapping[str, int] = {"fail": 100, "invalid": 20, "inconclusive": 50, "pass": 12, "not asked": 12}
_ROW = 3_000  # characters of a usual row on the page, without its pictures
_USUAL = 4_000  # characters of such a row in the results file
_ESCAPED = 5  # the most characters that escaping makes of one
_LOOKED_AT = 3  # rows of a verdict, the worst ones, whose pictures are shown large


@dataclass(frozen=True)
class Room:
    """The limits of a page: 2,000 rows open in less than 2 s, and the file stays under 15 MB.

    Attributes:
        rows: the most rows.
        characters: the most characters of rows and pictures.
        large: the most characters of large pictures, beside these.
    """

    rows: int = 2_000
    characters: int = 12_000_000
    large: int = 2_500_000

    def less(self, rows: int, characters: int) -> Room:
        """Return the room that is left.

        Args:
            rows: rows that are taken.
            characters: characters that are taken.
        """
        return replace(self, rows=self.rows - rows, characters=self.characters - characters)

    def for_one_of(self, count: int) -> Room:
        """Return an equal share of the room for one of `count` verdicts."""
        return replace(self, rows=self.rows // count, characters=self.characters // count)


@dataclass(frozen=True)
class Wanted:
    """The rows that a verdict would show, the most telling first.

    Attributes:
        name: a unique name of the verdict.
        status: the verdict's status.
        rows: the rows.
    """

    name: str
    status: str
    rows: Sequence[RowAt]


def choose(wanted: Sequence[Wanted], album: Album, room: Room) -> Mapping[str, list[RowAt]]:
    """Choose the rows that fit: FIRST rows of each verdict, then more rows of the gravest verdicts.

    Verdicts with the same status get equal shares. The pictures of the chosen rows are put into the album.

    Args:
        wanted: the verdicts' rows.
        album: the pictures of the page.
        room: the limits.

    Returns:
        The chosen rows, by the verdict's name.
    """
    _enlarge(wanted, album, room.large)
    chosen: dict[str, list[RowAt]] = {one.name: [] for one in wanted}
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


def _enlarge(wanted: Sequence[Wanted], album: Album, most: int) -> None:
    """Put large pictures of the worst rows into the album: first of each verdict's worst one, the gravest first.

    Args:
        wanted: the verdicts' rows.
        album: the pictures of the page.
        most: the most characters of these pictures.
    """
    gravest_first = sorted(wanted, key=lambda one: BY_GRAVITY.index(one.status))
    for rank in range(1, _LOOKED_AT + 1):
        for row in (row for one in gravest_first for row in one.rows if row.rank == rank):
            most -= album.enlarge(_pictures(row.read()), most)


def _pictures(row: EvidenceRecord) -> tuple[str | None, str | None]:
    return row.image, row.perturbed


def _take(rows: Iterable[RowAt], album: Album, room: Room, share: Room) -> tuple[list[RowAt], Room]:
    """Return the rows that fit into a share of the room, and the room that is left."""
    taken: list[RowAt] = []
    for one in rows:
        if share.rows < 1:
            break
        row = one.read()
        keys = _pictures(row)
        cost = _ROW + _ESCAPED * max(0, len(encoded(row)) - _USUAL) + album.cost(keys)
        if share.characters < cost:
            continue
        for key in keys:
            album.get(key)
        taken.append(one)
        room, share = room.less(1, cost), share.less(1, cost)
    return taken, room
