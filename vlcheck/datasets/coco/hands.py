"""Hand cases: made from boxes and keypoints, which have the person's own left, and found in captions."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck.cases.box import Box
from vlcheck.datasets.coco.photograph import Draft, Finding, ParsedCaption, PhotographFacts
from vlcheck.datasets.lexicons.tables import Held
from vlcheck.datasets.limbs import Whose, whose
from vlcheck.datasets.scenes.scene import Limb


def find_hands(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield one finding for each category that is held or kicked, and for each side and part of the body in a caption.

    Captions may mean the viewer's left. If the keypoints show the person's own side, a caption with the other side
    gives no case.
    """
    held = list(_find_held(facts))
    yield from held
    sides = {case.target for _, case in held if isinstance(case, Draft)}
    for index, caption in enumerate(facts.captions):
        if caption.words.isdisjoint(facts.lexicons.sides.words):
            continue
        named = [i for i, token in enumerate(caption.tokens) if token.word in facts.lexicons.sides.words]
        outcome = _hand(facts, caption, named)
        if isinstance(outcome, Draft) and sides and outcome.target not in sides:
            outcome = "keypoints say the other side"
        yield outcome.id if isinstance(outcome, Draft) else index, outcome


def _find_held(facts: PhotographFacts) -> Iterator[Finding]:
    for category, held in facts.lexicons.held.items():
        if category in facts.counts:
            yield category, _why_not(facts, category, held) or _held(facts, category, held)


def _why_not(facts: PhotographFacts, category: str, held: Held) -> str:
    photograph = facts.photograph
    if photograph.persons is None:
        return "no keypoints file lists the photograph"
    if not photograph.persons:
        return "no wrist or ankle is marked"
    if any(instance.crowd for instance in photograph.instances or () if instance.category == category):
        return "thing is one of a crowd"
    if facts.lexicons.sides.mirrors & facts.said:
        return "person may be a reflection"
    if facts.lexicons.stops.depictions & facts.said:
        return "person may be a depiction"
    return "" if facts.told(category, held.said) else "no caption says that the thing is held"


def _held(facts: PhotographFacts, category: str, held: Held) -> Draft | str:
    """Return a case if all things of the category that are at a hand, or foot, are at the same side; else a reason."""
    person = facts.lexicons.persons.category
    sides = {box: _whose(facts, box, held.limb) for box in facts.boxes(category)}
    found = {side for side in sides.values() if side != "nobody"}
    if len(found) != 1 or "unclear" in found:
        return f"thing is not at one {held.limb} alone" if found else f"thing is at nobody's {held.limb}"
    (side,) = found
    return facts.case(
        "hand",
        [side, held.limb, category],
        caption=f"{facts.called(person)} with {facts.called(category)} {held.word} their {side} {held.limb}",
        target=side,
        tags={"names-side", "person", "own-side"},
        about=frozenset({person, category}),
        region=tuple(box for box in sides if sides[box] == side),
        other_region=facts.box(person),
    )


def _whose(facts: PhotographFacts, box: Box, limb: Limb) -> Whose:
    """Return the side that a thing is at; a thing within a person's box may be at a hand that was not marked."""
    side = whose(box, facts.photograph.persons or (), limb)
    people = facts.boxes(facts.lexicons.persons.category)
    return "unclear" if side == "nobody" and any(box.meets(person) for person in people) else side


def _hand(facts: PhotographFacts, caption: ParsedCaption, sides: list[int]) -> Draft | str:
    if len(sides) > 1:
        return "caption has several words for a side"
    at = sides[0]
    tokens, side = caption.tokens, caption.tokens[at].word
    if not _somebodys(facts, caption, at) or not caption.names_once(side):
        return "word for a side is not about somebody's hand, foot, arm or leg"
    if not _persons(facts, caption, at):
        return "word for a side is not known to be about a person"
    if unsettled := facts.lexicons.stops.unsettles(caption.words):
        return unsettled
    if facts.lexicons.stops.depictions & facts.said:
        return "person may be a depiction"
    person = facts.lexicons.persons.category
    return facts.case(
        "hand",
        [side, tokens[at + 1].word],
        caption=caption.text,
        target=side,
        tags={"names-side", "person"},
        about=frozenset({person}),
        region=facts.box(person),
    )


def _somebodys(facts: PhotographFacts, caption: ParsedCaption, at: int) -> bool:
    tokens, sides = caption.tokens, facts.lexicons.sides
    if at == 0 or at + 1 == len(tokens) or not (tokens[at - 1].gap.isspace() and tokens[at].gap.isspace()):
        return False
    owner = tokens[at - 1]
    person = facts.lexicons.category(facts.lexicons.persons.category)
    possessive = owner.possessive and owner.word in (*person.every, *facts.lexicons.persons.contrary)
    part = tokens[at + 1].word in sides.parts and facts.lexicons.stops.closes(tokens, at + 1)
    if at == 2 and tokens[0].word in sides.aside:
        return False
    return part and (owner.word in sides.possessors or possessive)


def _persons(facts: PhotographFacts, caption: ParsedCaption, at: int) -> bool:
    """Return True if the last person, animal or toy named before a side is a person; a dog has a left leg, too.

    If none is named, there may be a person, unless the photograph was annotated and nothing suggests one.
    """
    lexicons, person = facts.lexicons, facts.lexicons.persons.category
    words = ((i, caption.tokens[i].word) for i in range(at) if i not in caption.hidden)
    named = {i: lexicons.beings[word].kind for i, word in words if word in lexicons.beings}
    senses = ((found.end, sense.category) for found in caption.named for sense in found.meaning)
    named |= {end - 1: category for end, category in senses if end <= at and category in lexicons.living}
    return named[max(named)] == person if named else person in facts.possible
