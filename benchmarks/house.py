"""Draw the rooms of `vlcheck/` by floors, and who imports whom, into docs/explanation/.

    python -m benchmarks.house

The floors are those of the table in CONTRIBUTING.md, the arrows are read from the imports of the code. With --check,
nothing is written; the exit status is 1 if the drawing is not that of the code.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

from benchmarks.rooms import MODULES, ROOT, Room, floors, imports, room_of

DRAWING = ROOT / "docs" / "explanation" / "architecture.svg"
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # of Okabe and Ito
WIDTH, STEP, ROOM_WIDTH, ROOM_HEIGHT, LEFT, TOP = 800, 68, 140, 30, 70, 24

SHIFTS = (0, 24, -24)  # of the floors in turn, so that a line is not hidden by the boxes that it passes


def arrows() -> dict[Room, set[Room]]:
    """Return for each room the other rooms from which its modules import, but for types alone."""
    found: dict[Room, set[Room]] = {name: set() for name in floors()}
    for module in MODULES:
        own = {one.module for one in imports(module) if one.package == "vlcheck" and not one.for_types}
        found[room_of(module)] |= {*map(room_of, own)} - {room_of(module)}
    return found


def direct(found: Mapping[Room, set[Room]]) -> dict[Room, set[Room]]:
    """Return the arrows without those that follow from others: a room that another imported room imports as well."""
    return {
        room: {other for other in others if not any(other in _reached(found, near) for near in others - {other})}
        for room, others in found.items()
    }


def drawing() -> str:
    """Return the SVG: a row for each floor, a box for each room, a line for each arrow that follows from no others."""
    rooms, found = floors(), arrows()
    middles = _middles(rooms)
    count = sum(map(len, found.values()))
    title = f"{len(rooms)} rooms on {max(rooms.values())} floors; {count} pairs of a room and one that it imports"
    parts = [*_floor_names(rooms), *_lines(direct(found), middles), *_boxes(middles)]
    height = TOP + STEP * max(rooms.values())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif"'
        f' font-size="12">\n<title>{title}</title>\n<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _reached(found: Mapping[Room, set[Room]], start: Room) -> set[Room]:
    """Return all rooms to which the arrows lead from a room."""
    reached: set[Room] = set()
    waiting = [start]
    while waiting:
        new = found[waiting.pop()] - reached
        reached |= new
        waiting.extend(new)
    return reached


def _middles(rooms: Mapping[Room, int]) -> dict[Room, tuple[float, float]]:
    """Return the middle of each room's box, in the drawing's units."""
    by_floor: dict[int, list[Room]] = defaultdict(list)
    for room, floor in rooms.items():
        by_floor[floor].append(room)
    highest = max(by_floor)
    return {
        room: (
            LEFT + (WIDTH - LEFT) * (at + 0.5) / len(here) + SHIFTS[floor % len(SHIFTS)],
            TOP + STEP * (highest - floor) + ROOM_HEIGHT / 2,
        )
        for floor, here in by_floor.items()
        for at, room in enumerate(here)
    }


def _floor_names(rooms: Mapping[Room, int]) -> Iterator[str]:
    highest = max(rooms.values())
    for floor in sorted(set(rooms.values())):
        y = TOP + STEP * (highest - floor) + ROOM_HEIGHT / 2 + 4
        yield f'<text x="8" y="{y:.0f}" fill="#555">floor {floor}</text>'


def _lines(found: Mapping[Room, set[Room]], middles: Mapping[Room, tuple[float, float]]) -> Iterator[str]:
    """Yield a line from the lower edge of each room to the upper edge of each room that it imports."""
    for at, (room, others) in enumerate(found.items()):
        for other in sorted(others):
            (x1, y1), (x2, y2) = middles[room], middles[other]
            yield (
                f'<path d="M{x1:.0f} {y1 + ROOM_HEIGHT / 2:.0f} L{x2:.0f} {y2 - ROOM_HEIGHT / 2:.0f}" fill="none"'
                f' stroke="{COLORS[at % len(COLORS)]}" stroke-width="1.5"><title>{room} imports {other}</title></path>'
            )


def _boxes(middles: Mapping[Room, tuple[float, float]]) -> Iterator[str]:
    for room, (x, y) in middles.items():
        yield (
            f'<rect x="{x - ROOM_WIDTH / 2:.0f}" y="{y - ROOM_HEIGHT / 2:.0f}" width="{ROOM_WIDTH}"'
            f' height="{ROOM_HEIGHT}" rx="4" fill="#f4f4f4" stroke="#333"/>'
        )
        yield f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{room}</text>'


def main() -> None:
    wanted = drawing()
    if "--check" in sys.argv:
        same = DRAWING.exists() and DRAWING.read_text(encoding="utf-8") == wanted
        sys.exit(None if same else f"{DRAWING.name}: not as the code has it; write it with python -m benchmarks.house")
    DRAWING.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
