"""Color cases: a color word directly before the noun whose color it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from vlcheck.cases.words import PhraseMatch
from vlcheck.datasets.coco.photograph import Draft, Finding, ParsedCaption, PhotographFacts
from vlcheck.datasets.lexicons.lexicon import with_near

FAR = 5  # largest number of words between the colors of one thing


@dataclass(frozen=True)
class Colored:
    """A color word of a caption, and the thing that it describes.

    Attributes:
        caption: the caption.
        found: the color word; its meaning is "" if it has another sense.
        noun: the thing's word, the last of a phrase; "" if none follows directly.
        end: the index after the thing's last word.
        category: the category that the thing's word names, if it names one.
    """

    caption: ParsedCaption
    found: PhraseMatch[str]
    noun: str
    end: int
    category: str | None

    @property
    def word(self) -> str:
        """The color as the caption spells it, in lower case."""
        return self.caption.tokens[self.found.start].word

    @property
    def color(self) -> str:
        """The color's name."""
        return self.found.meaning


def find_colors(facts: PhotographFacts) -> Iterator[Finding]:
    """Yield one finding for each color and the word after it.

    Colors are known from the captions alone, in photographs with and without instances. A color that no caption names
    or hints at is taken to be absent.
    """
    for caption in facts.captions:
        for colored in colored_things(facts, caption):
            yield (colored.word, colored.noun), why_unknown(facts, colored) or _case(facts, colored)


def colored_things(facts: PhotographFacts, caption: ParsedCaption) -> Iterator[Colored]:
    """Yield each color word of a caption, with the thing that it describes.

    Args:
        facts: the facts of the photograph.
        caption: one of its captions.
    """
    for found in caption.colors:
        category, end = _category(facts, caption, found.end), _end(caption, found)
        noun = caption.tokens[end - 1].word if end > found.end else ""
        yield Colored(caption, found, noun, end, category)


def _end(caption: ParsedCaption, found: PhraseMatch[str]) -> int:
    """Return the end of the word or phrase after a color, if only a space is between; else the color's own end."""
    if found.end == len(caption.tokens) or not caption.tokens[found.end - 1].gap.isspace():
        return found.end
    phrases = (named.end for named in caption.named if named.start == found.end and any(named.meaning))
    return next(phrases, found.end + 1)


def _case(facts: PhotographFacts, colored: Colored) -> Draft:
    color = colored.color
    return facts.case(
        "color",
        [colored.word, colored.noun],
        caption=colored.caption.text,
        target=colored.word,
        tags={facts.lexicons.colors[color].kind, *facts.names(colored.caption)},
        candidates=partial(_other_colors, facts, color),
        about=frozenset({color}),
        region=facts.box(colored.category),
    )


def _other_colors(facts: PhotographFacts, color: str) -> tuple[str, ...]:
    """Return a word for each color that nothing in the photograph is known to have."""
    lexicons = facts.lexicons
    others = lexicons.colors.keys() - facts.said_colors - with_near([color], lexicons.confused_colors)
    words = {lexicons.colors[name].words[0] for name in others} - facts.present  # oranges are orange
    return tuple(sorted(words))


def why_unknown(facts: PhotographFacts, colored: Colored) -> str:
    """Return why a thing is not known to have the color that a caption gives it, or "".

    Args:
        facts: the facts of the photograph.
        colored: the color word and the thing.
    """
    lexicons, caption, tokens = facts.lexicons, colored.caption, colored.caption.tokens
    if facts.grey:
        return "photograph is said to have no color"
    if not colored.color:
        return "color word has another sense"
    if unsettled := lexicons.stops.unsettles(caption.words):
        return unsettled
    if colored.noun and colored.category == lexicons.persons.category:
        return "color word is said of a person"
    if not colored.noun or (colored.category is None and colored.noun not in lexicons.nouns):
        return "color word is not directly before a known noun"
    if not lexicons.stops.closes(tokens, colored.end - 1):
        return "noun is part of a longer one"
    if _joined(facts, caption, colored.found.start):
        return "thing has several colors"
    named = [one for one in caption.colors if one.meaning == colored.color]
    if len(named) > 1 or not caption.names_once(colored.word):
        return "caption names the color more than once"
    if _disputed(facts, colored.color, colored.noun, colored.category) or _mixed_up(facts, colored.color):
        return "captions disagree about the color"
    return ""


def _joined(facts: PhotographFacts, caption: ParsedCaption, start: int) -> bool:
    """Return True if another color goes before: directly, or a few words back with no noun between."""
    lexicons, tokens = facts.lexicons, caption.tokens
    before = [token.word for token in tokens[max(0, start - 2) : start] if token.word not in ("and", "or", "&")]
    if before and lexicons.colors_of(before[-1]):
        return True
    ends = {found.end for found in caption.named if any(found.meaning)}
    ends |= {index + 1 for index, token in enumerate(tokens) if token.word in lexicons.nouns}
    named = [one for one in caption.colors if one.meaning and start - FAR <= one.start < start]
    return any(ends.isdisjoint(range(one.end + 1, start + 1)) for one in named)


def _disputed(facts: PhotographFacts, color: str, noun: str, category: str | None) -> bool:
    """Return True if a caption gives the noun, or another word of its category, a different color."""
    colored = (
        (caption, end, colors)
        for caption in facts.captions
        if facts.lexicons.may_color(caption.words)
        for end, token in enumerate(caption.tokens[:-1], 1)
        if (colors := facts.lexicons.colors_of(token.word))
    )
    return any(
        (color not in colors or _joined(facts, caption, end - 1))
        and (caption.tokens[end].word == noun or (category and _category(facts, caption, end) == category))
        for caption, end, colors in colored
    )


def _mixed_up(facts: PhotographFacts, color: str) -> bool:
    """Return True if a caption without the color names one that viewers confuse with it."""
    named = [{found.meaning for found in caption.colors} for caption in facts.captions]
    near = with_near([color], facts.lexicons.confused_colors)
    return any(color not in names and names & near for names in named)


def _category(facts: PhotographFacts, caption: ParsedCaption, start: int) -> str | None:
    """Return the category that the phrase at a token names, preferably an annotated one."""
    for found in caption.named:
        if found.start == start:
            names = [sense.category for sense in found.meaning if sense.target]
            annotated = [name for name in names if name in facts.counts]
            return next(iter(annotated or names), None)
    return None
