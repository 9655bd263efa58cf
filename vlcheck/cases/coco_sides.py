"""Side cases, worded from boxes, and hand cases, found in captions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vlcheck.cases.case import Box, Case
from vlcheck.cases.lexicon import Lexicons
from vlcheck.cases.photograph import Caption, Finding, Known, article

SMALLEST = 0.01


def find_sides(known: Known) -> Iterator[Finding]:
    """The pair of categories whose smaller box is the largest, worded from the left and from the right.

    Each of the two has one instance, with at least SMALLEST of the picture's area; their boxes share no column.
    """
    if known.photograph.instances is None:
        yield "", "photograph is not annotated"
        return
    if len(known.singles) < 2:
        yield "", "fewer than two categories have one instance"
        return
    width, height = known.photograph.size
    large = {category: box for category, box in known.singles.items() if box.area >= SMALLEST * width * height}
    if len(large) < 2:
        yield "", "objects are too small"
        return
    pairs = [pair for pair in combinations(sorted(large), 2) if _apart(large[pair[0]], large[pair[1]])]
    if not pairs:
        yield "", "boxes overlap in x"
        return
    pair = max(pairs, key=lambda pair: min(large[name].area for name in pair))
    left, right = sorted(pair, key=lambda name: large[name].x)
    yield "left", _case(known, "left", left, right, large[left])
    yield "right", _case(known, "right", right, left, large[right])


def _apart(one: Box, other: Box) -> bool:
    return one.x + one.width <= other.x or other.x + other.width <= one.x


def _case(known: Known, side: str, subject: str, anchor: str, box: Box) -> Case:
    """Region: the box of the object that is said to be on the side."""
    return known.case(
        "side",
        [side, subject, anchor],
        caption=f"{_called(known.lexicons, subject)} to the {side} of {_called(known.lexicons, anchor)}",
        target=side,
        tags={"names-side"},
        about=frozenset({subject, anchor}),
        region=(box,),
    )


def _called(lexicons: Lexicons, category: str) -> str:
    return lexicons.category(category).name or article(category)


def find_hands(known: Known) -> Iterator[Finding]:
    """One thing a side and part of the body; only somebody's hand, foot, arm or leg makes a case."""
    for index, caption in enumerate(known.captions):
        sides = [i for i, token in enumerate(caption.tokens) if token.word in known.lexicons.sides.words]
        if sides:
            outcome = _hand(known, caption, sides)
            yield outcome.id if isinstance(outcome, Case) else index, outcome


def _hand(known: Known, caption: Caption, sides: list[int]) -> Case | str:
    if len(sides) > 1:
        return "caption has several words for a side"
    at = sides[0]
    tokens, side = caption.tokens, caption.tokens[at].word
    if not _somebodys(known, caption, at) or not caption.names_once(side):
        return "word for a side is not about somebody's hand, foot, arm or leg"
    if _animals(known, caption, at):
        return "word for a side may be about an animal"
    if unsettled := known.lexicons.stops.unsettles(tokens):
        return unsettled
    person = known.lexicons.persons.category
    return known.case(
        "hand",
        [side, tokens[at + 1].word],
        caption=caption.text,
        target=side,
        tags={"names-side", "person"},
        about=frozenset({person}),
        region=known.box(person),
    )


def _somebodys(known: Known, caption: Caption, at: int) -> bool:
    tokens, sides = caption.tokens, known.lexicons.sides
    if at == 0 or at + 1 == len(tokens) or not (tokens[at - 1].gap.isspace() and tokens[at].gap.isspace()):
        return False
    owner = tokens[at - 1]
    person = known.lexicons.category(known.lexicons.persons.category)
    possessive = owner.possessive and owner.word in (*person.every, *known.lexicons.persons.contrary)
    part = tokens[at + 1].word in sides.parts and known.lexicons.stops.closes(tokens, at + 1)
    if at == 2 and tokens[0].word in sides.aside:
        return False
    return part and (owner.word in sides.possessors or possessive)


def _animals(known: Known, caption: Caption, at: int) -> bool:
    """Whether what was named last before a side, of persons and animals, is an animal: a dog has a left leg, too."""
    animals = known.lexicons.sides.animals
    living = animals | {known.lexicons.persons.category}
    before = [sense.category for found in caption.named if found.end <= at for sense in found.meaning]
    named = [category for category in before if category in living]
    return bool(named) and named[-1] in animals
