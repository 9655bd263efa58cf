"""Object cases: a caption that names an annotated category exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from vlcheck.cases.case import MASK
from vlcheck.cases.words import PhraseMatch
from vlcheck.datasets.coco.photograph import Draft, Finding, ParsedCaption, PhotographFacts
from vlcheck.datasets.lexicons.lexicon import Sense
from vlcheck.datasets.lexicons.tables import Number

# Always "a": "an" would reveal part of the answer.
_BARE: Mapping[Number, str] = {"one": f"a photo of a {MASK}", "many": f"a photo of {MASK}"}
_Mention = PhraseMatch[tuple[Sense, ...]]


def find_objects(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield one finding for each category: its word is the target, its boxes are the region."""
    if facts.photograph.instances is None:
        yield "", "photograph is not annotated"
        return
    named, found = False, set()
    for caption in facts.captions:
        for category, mentions in _mentions(facts, caption).items():
            named = True
            if category not in found:
                outcome = _case(facts, caption, category, mentions)
                found |= {category} if isinstance(outcome, Draft) else set()
                yield category, outcome
    if not named:
        yield "", "no caption names an annotated category"


def _mentions(facts: PhotographFacts, caption: ParsedCaption) -> Mapping[str, list[_Mention]]:
    """Return the phrases of a caption that name each annotated category, in the order of the annotations."""
    named: dict[str, list[_Mention]] = {}
    for found in caption.named:
        for category in {sense.category for sense in found.meaning if sense.target}:
            named.setdefault(category, []).append(found)
    return {category: named[category] for category in facts.counts if category in named}


def _case(facts: PhotographFacts, caption: ParsedCaption, category: str, mentions: list[_Mention]) -> Draft | str:
    mention = mentions[0]
    sense = _target(mention, category)
    if sense is None or sense.target is None or len(mentions) > 1 or not caption.names_once(sense.target):
        return "caption names the category more than once"
    reason = _why_not(facts, caption, category, mention, sense.target)
    if reason:
        return reason
    number = _number(sense, facts.counts[category])
    tags = {"person"} if category == facts.lexicons.persons.category else set()
    boxes, stands_out = facts.boxes(category), facts.stands_out(category)
    if stands_out and len(boxes) == 1:
        tags.add("single")
    return facts.case(
        "object",
        [sense.target],
        caption=caption.text,
        target=sense.target,
        tags=tags | facts.names(caption),
        bare=_BARE[number] if stands_out else None,
        candidates=partial(facts.absent, number),
        about=frozenset({category}),
        region=boxes,
    )


def _why_not(facts: PhotographFacts, caption: ParsedCaption, category: str, mention: _Mention, target: str) -> str:
    lexicons = facts.lexicons
    others = {sense.category for sense in mention.meaning} - {category}
    if any(other in facts.counts or other in facts.unsought for other in others):
        return "word could mean another annotated category"
    if not lexicons.stops.closes(caption.tokens, mention.end - 1) or _continues(facts, caption, mention):
        return "word is part of a longer noun"
    if mention.start and caption.tokens[mention.start - 1].word in lexicons.stops.before:
        return "word may be a verb"
    if unsettled := lexicons.stops.unsettles(caption.words):
        return unsettled
    if category in facts.likenesses:
        return "a caption says that the thing is a likeness"
    if lexicons.persons.disputed(target, facts.said):
        return "captions disagree about the person"
    return ""


def _continues(facts: PhotographFacts, caption: ParsedCaption, mention: _Mention) -> bool:
    """Return True if another noun is directly before, as in "kids train" or "pizza box"; a color is not a noun here."""
    before = [found for found in caption.named if found.end == mention.start and any(found.meaning)]
    return any(
        caption.tokens[found.end - 1].gap.isspace() and not facts.lexicons.colors_of(caption.tokens[found.end - 1].word)
        for found in before
    )


def _target(mention: _Mention, category: str) -> Sense | None:
    """Return the sense in which a phrase names the category; None if it only hints at it."""
    senses = [sense for sense in mention.meaning if sense.category == category and sense.target]
    return senses[0] if senses else None


def _number(sense: Sense, count: int) -> Number:
    if len(sense.numbers) == 1:
        return sense.numbers[0]
    return "one" if count == 1 else "many"
