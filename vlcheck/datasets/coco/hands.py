"""Hand cases: made from boxes and keypoints, which have the person's own left, and found in captions."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case
from vlcheck.datasets.coco.photograph import Caption, Finding, Known
from vlcheck.datasets.lexicons.lexicon import Held
from vlcheck.datasets.limbs import Whose, whose
from vlcheck.datasets.scenes.scene import Limb


def find_hands(known: Known) -> Iterator[Finding]:
    """Yield one finding for each category that is held or kicked, and for each side and part of the body in a caption.

    Captions may mean the viewer's left. If the keypoints show the person's own side, a caption with the other side
    gives no case.
    """
    held = list(_find_held(known))
    yield from held
    sides = {case.target for _, case in held if isinstance(case, Case)}
    for index, caption in enumerate(known.captions):
        named = [i for i, token in enumerate(caption.tokens) if token.word in known.lexicons.sides.words]
        if named:
            outcome = _hand(known, caption, named)
            if isinstance(outcome, Case) and sides and outcome.target not in sides:
                outcome = "keypoints say the other side"
            yield outcome.id if isinstance(outcome, Case) else index, outcome


def _find_held(known: Known) -> Iterator[Finding]:
    for category, held in known.lexicons.held.items():
        if category in known.counts:
            yield category, _why_not(known, category, held) or _held(known, category, held)


def _why_not(known: Known, category: str, held: Held) -> str:
    photograph = known.photograph
    if photograph.persons is None:
        return "no keypoints file lists the photograph"
    if not photograph.persons:
        return "no wrist or ankle is marked"
    if any(instance.crowd for instance in photograph.instances or () if instance.category == category):
        return "thing is one of a crowd"
    if known.lexicons.sides.mirrors & known.said:
        return "person may be a reflection"
    if known.lexicons.stops.depictions & known.said:
        return "person may be a depiction"
    return "" if known.told(category, held.said) else "no caption says that the thing is held"


def _held(known: Known, category: str, held: Held) -> Case | str:
    """Return a case if all things of the category that are at a hand, or foot, are at the same side; else a reason."""
    person = known.lexicons.persons.category
    sides = {box: _whose(known, box, held.limb) for box in known.boxes(category)}
    found = {side for side in sides.values() if side != "nobody"}
    if len(found) != 1 or "unclear" in found:
        return f"thing is not at one {held.limb} alone" if found else f"thing is at nobody's {held.limb}"
    (side,) = found
    return known.case(
        "hand",
        [side, held.limb, category],
        caption=f"{known.called(person)} with {known.called(category)} {held.word} their {side} {held.limb}",
        target=side,
        tags={"names-side", "person", "own-side"},
        about=frozenset({person, category}),
        region=tuple(box for box in sides if sides[box] == side),
    )


def _whose(known: Known, box: Box, limb: Limb) -> Whose:
    """Return the side that a thing is at; a thing within a person's box may be at a hand that was not marked."""
    side = whose(box, known.photograph.persons or (), limb)
    people = known.boxes(known.lexicons.persons.category)
    return "unclear" if side == "nobody" and any(box.meets(person) for person in people) else side


def _hand(known: Known, caption: Caption, sides: list[int]) -> Case | str:
    if len(sides) > 1:
        return "caption has several words for a side"
    at = sides[0]
    tokens, side = caption.tokens, caption.tokens[at].word
    if not _somebodys(known, caption, at) or not caption.names_once(side):
        return "word for a side is not about somebody's hand, foot, arm or leg"
    if not _persons(known, caption, at):
        return "word for a side is not known to be about a person"
    if unsettled := known.lexicons.stops.unsettles(tokens):
        return unsettled
    if known.lexicons.stops.depictions & known.said:
        return "person may be a depiction"
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


def _persons(known: Known, caption: Caption, at: int) -> bool:
    """Return True if the last person, animal or toy named before a side is a person; a dog has a left leg, too.

    If none is named, there may be a person, unless the photograph was annotated and nothing suggests one.
    """
    lexicons, person = known.lexicons, known.lexicons.persons.category
    words = ((i, caption.tokens[i].word) for i in range(at) if i not in caption.hidden)
    named = {i: lexicons.beings[word].kind for i, word in words if word in lexicons.beings}
    senses = ((found.end, sense.category) for found in caption.named for sense in found.meaning)
    named |= {end - 1: category for end, category in senses if end <= at and category in lexicons.living}
    return named[max(named)] == person if named else person in known.possible
