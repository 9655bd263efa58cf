"""Binding cases: two things of a caption, each with its own color directly before it.

No caption may give one of them the other's color.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from vlcheck.cases.case import MASK, word_pattern
from vlcheck.datasets.coco.colors import Colored, colored_things, why_unknown
from vlcheck.datasets.coco.photograph import Draft, Finding, ParsedCaption, PhotographFacts, article
from vlcheck.datasets.lexicons.lexicon import with_near

NEAR = 3  # number of words after a color among which its noun is searched
_JOINS = frozenset({"and", "or"})


def find_bindings(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield one finding for two colors and the words after them; each of the two colors is the target once."""
    for caption in facts.captions:
        for pair in combinations(colored_things(facts, caption) if len(caption.colors) > 1 else (), 2):
            things = frozenset((one.color, one.noun) for one in pair)
            reason = _why_not(facts, *pair)
            if reason:
                yield (things, pair[0].color), reason
                continue
            for one, other in (pair, pair[::-1]):
                yield (things, one.color), _case(facts, one, other)


def _case(facts: PhotographFacts, colored: Colored, other: Colored) -> Draft:
    caption = colored.caption
    return facts.case(
        "binding",
        [colored.word, colored.noun, other.word, other.noun],
        caption=caption.text,
        target=colored.word,
        bare=_without(other.word, word_pattern(colored.word).sub(MASK, caption.text)),
        tags=facts.names(caption),
        candidates=lambda: (other.word,),
        about=frozenset({colored.color, other.color}),
        region=facts.box(colored.category),
        other_region=facts.box(other.category) if other.category != colored.category else (),
    )


def _why_not(facts: PhotographFacts, one: Colored, other: Colored) -> str:
    """Return why exchanging the two colors might leave the caption true, or ""."""
    if one.color and one.noun and one.color == other.color:
        return "caption binds one color to two nouns"
    if unknown := why_unknown(facts, one) or why_unknown(facts, other):
        return unknown
    if any(_shared(facts, colored) for colored in (one, other)):
        return "caption binds one color to two nouns"
    if any(_several(colored) for colored in (one, other)):
        return "caption names one of the things more than once"
    if other.color in with_near([one.color], facts.lexicons.confused_colors):
        return "viewers mix up the two colors"
    if any(_shaded(facts, colored) for colored in (one, other)):
        return "color has a shade"
    if _loose(facts, one, other) or _loose(facts, other, one):
        return "captions may give one thing the other's color"
    return ""


def _shared(facts: PhotographFacts, colored: Colored) -> bool:
    """Return True if another noun is joined to the thing, as in "a red shirt and hat"; both may have the color."""
    tokens, end = colored.caption.tokens, colored.end
    if end + 1 >= len(tokens) or tokens[end].word not in _JOINS:
        return False
    following = [found for found in colored.caption.named if found.start == end + 1 and any(found.meaning)]
    return bool(following) or tokens[end + 1].word in facts.lexicons.nouns


def _several(colored: Colored) -> bool:
    nouns = [token for token in colored.caption.tokens if token.word == colored.noun]
    return len(nouns) > 1


def _shaded(facts: PhotographFacts, colored: Colored) -> bool:
    """Return True if a word before says which shade of the color it is; another color does not have the same shades."""
    before = colored.caption.tokens[: colored.found.start][-1:]
    return any(token.word in facts.lexicons.stops.shades for token in before)


def _loose(facts: PhotographFacts, colored: Colored, other: Colored) -> bool:
    """Return True if a caption that names the thing may give it the other's color, as in "a bus, painted blue"."""
    return any(
        _leads_to(facts, caption, found.end, colored)
        for caption in facts.captions
        if _names(caption, colored)
        for found in caption.colors
        if found.meaning == other.color
    )


def _names(caption: ParsedCaption, colored: Colored) -> bool:
    named = {sense.category for found in caption.named for sense in found.meaning}
    return any(token.word == colored.noun for token in caption.tokens) or colored.category in named


def _leads_to(facts: PhotographFacts, caption: ParsedCaption, end: int, colored: Colored) -> bool:
    """Return True if a color that ends there describes the thing, or no known noun."""
    lexicons = facts.lexicons
    for at in range(end, min(end + NEAR, len(caption.tokens))):
        token = caption.tokens[at]
        named = {sense.category for found in caption.named if found.start == at for sense in found.meaning}
        if named or token.word in lexicons.nouns:
            return token.word == colored.noun or colored.category in named
        if token.word in lexicons.stops.after:
            break
    return True


def _without(color: str, masked: str) -> str:
    """Remove the other color from the masked text; adapt an article before it, and use "a" before the mask."""
    named = rf"(?P<article>(?<![\w-])an? )?{word_pattern(color).pattern}\s+(?P<word>\w+)"
    text = re.sub(named, lambda found: _fitted(found["article"], found["word"]), masked, flags=re.IGNORECASE)
    text = re.sub(rf"(?<![\w-])(a)n (?={re.escape(MASK)})", r"\1 ", text, flags=re.IGNORECASE)
    return text[:1].upper() + text[1:] if masked[:1].isupper() else text


def _fitted(before: str | None, word: str) -> str:
    return article(word) if before else word
