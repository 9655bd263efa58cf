"""Side and vertical cases, worded from boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.datasets.coco.photograph import Finding, Known

SMALLEST = 1 / 14**2  # of the picture's area: a patch of a ViT-B/16 at 224 pixels
SHARED = 0.5  # of the narrower box's width: more of it lies above or below the other box than beside it


def find_sides(known: Known) -> Iterator[Finding]:
    """The pair of categories whose smaller box is the largest, worded from the left and from the right.

    Each of the two has one instance, with at least SMALLEST of the picture's area; their boxes share no column, and
    are farther apart across than up and down.
    """
    large = _large(known)
    if isinstance(large, str):
        yield "", large
        return
    pairs = [pair for pair in permutations(sorted(large), 2) if _left_of(*(large[name] for name in pair))]
    if not pairs:
        yield "", "boxes overlap in x"
        return
    pairs = [pair for pair in pairs if _beside(*(large[name] for name in pair))]
    if not pairs:
        yield "", "one thing is above the other rather than beside it"
        return
    left, right = _clearest(pairs, large)
    for side, subject, anchor in (("left", left, right), ("right", right, left)):
        yield side, _case(known, "side", side, f"to the {side} of", subject, anchor)


def find_verticals(known: Known) -> Iterator[Finding]:
    """The pair of categories whose smaller box is the largest, worded from above and from below.

    The upper one is known to be aloft: of two things on the ground, the higher one in a picture is the farther one.
    Each has one instance, with at least SMALLEST of the picture's area; their boxes share no row, and SHARED of the
    narrower one's columns.
    """
    large = _large(known)
    if isinstance(large, str):
        yield "", large
        return
    aloft = known.lexicons.aloft
    pairs = [
        (upper, lower)
        for upper, lower in permutations(sorted(large), 2)
        if upper in aloft and _over(large[upper], large[lower])
    ]
    if not pairs:
        yield "", "nothing that hangs or flies is above another thing"
        return
    pairs = [pair for pair in pairs if known.told(pair[0], aloft[pair[0]])]
    if not pairs:
        yield "", "no caption says that the upper thing flies"
        return
    upper, lower = _clearest(pairs, large)
    for place, subject, anchor in (("above", upper, lower), ("below", lower, upper)):
        yield place, _case(known, "vertical", place, place, subject, anchor)


def _large(known: Known) -> Mapping[str, Box] | str:
    """The categories that have one instance, and that is not too small, or why there are no two."""
    if known.photograph.instances is None:
        return "photograph is not annotated"
    if len(known.singles) < 2:
        return "fewer than two categories have one instance"
    width, height = known.photograph.size
    large = {category: box for category, box in known.singles.items() if box.area >= SMALLEST * width * height}
    return large if len(large) > 1 else "objects are too small"


def _clearest(pairs: list[tuple[str, str]], boxes: Mapping[str, Box]) -> tuple[str, str]:
    return max(pairs, key=lambda pair: min(boxes[name].area for name in pair))


def _left_of(one: Box, other: Box) -> bool:
    return one.x + one.width <= other.x


def _beside(one: Box, other: Box) -> bool:
    across = abs(one.x + one.width / 2 - other.x - other.width / 2)
    return across >= abs(one.y + one.height / 2 - other.y - other.height / 2)


def _over(upper: Box, lower: Box) -> bool:
    shared = min(upper.x + upper.width, lower.x + lower.width) - max(upper.x, lower.x)
    return upper.y + upper.height <= lower.y and shared >= SHARED * min(upper.width, lower.width)


def _case(known: Known, kind: str, target: str, relation: str, subject: str, anchor: str) -> Case:
    """Region: the box of the object that is said to be in the place."""
    return known.case(
        kind,
        [target, subject, anchor],
        caption=f"{known.called(subject)} {relation} {known.called(anchor)}",
        target=target,
        tags={"names-side"} if kind == "side" else (),
        about=frozenset({subject, anchor}),
        region=(known.singles[subject],),
    )
