"""Side and vertical cases, with captions made from boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

from vlcheck.cases.box import Box
from vlcheck.datasets.coco.photograph import Draft, Finding, PhotographFacts

SMALLEST = 1 / 14**2  # least share of the picture's area: a patch of a ViT-B/16 at 224 pixels
SHARED = 0.5  # least share of the narrower box's width that lies above or below the other box


def find_sides(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield the pair of categories whose smaller box is the largest, described from the left and from the right.

    Each of the two has one instance, with at least SMALLEST of the picture's area. Their boxes share no column, and
    their horizontal distance is larger than the vertical one.
    """
    large = _large(facts)
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
        yield side, _case(facts, "side", side, f"to the {side} of", subject, anchor)


def find_verticals(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield the pair of categories whose smaller box is the largest, described from above and from below.

    The upper one is known to be in the air: of two things on the ground, the higher one in a picture is the more
    distant one. Each has one instance, with at least SMALLEST of the picture's area. Their boxes share no row, and
    SHARED of the narrower one's columns.
    """
    large = _large(facts)
    if isinstance(large, str):
        yield "", large
        return
    aloft = facts.lexicons.aloft
    pairs = [
        (upper, lower)
        for upper, lower in permutations(sorted(large), 2)
        if upper in aloft and _over(large[upper], large[lower])
    ]
    if not pairs:
        yield "", "nothing that hangs or flies is above another thing"
        return
    pairs = [pair for pair in pairs if facts.told(pair[0], aloft[pair[0]])]
    if not pairs:
        yield "", "no caption says that the upper thing flies"
        return
    upper, lower = _clearest(pairs, large)
    for place, subject, anchor in (("above", upper, lower), ("below", lower, upper)):
        yield place, _case(facts, "vertical", place, place, subject, anchor)


def _large(facts: PhotographFacts) -> Mapping[str, Box] | str:
    """Return the categories that have one instance of sufficient size, or the reason why there are not two."""
    if facts.photograph.instances is None:
        return "photograph is not annotated"
    if len(facts.singles) < 2:
        return "fewer than two categories have one instance"
    width, height = facts.photograph.size
    large = {category: box for category, box in facts.singles.items() if box.area >= SMALLEST * width * height}
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


def _case(facts: PhotographFacts, kind: str, target: str, relation: str, subject: str, anchor: str) -> Draft:
    """Return a case whose region is the box of the object that is said to be in the place; the other is the anchor."""
    return facts.case(
        kind,
        [target, subject, anchor],
        caption=f"{facts.called(subject)} {relation} {facts.called(anchor)}",
        target=target,
        tags={"names-side"} if kind == "side" else (),
        about=frozenset({subject, anchor}),
        region=(facts.singles[subject],),
        other_region=(facts.singles[anchor],),
    )
