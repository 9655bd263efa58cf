"""The meaning of tags: the possible target words, and the fields that a case needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from vlcheck.cases.case import Case
from vlcheck.cases.foils import FOIL, PHENOMENA
from vlcheck.cases.selection import Selection
from vlcheck.cases.words import words_of
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.errors import closest

# All possible target words of tags with a fixed list.
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"side": ("left", "right"), "hand": ("left", "right"), "vertical": ("above", "below")}
)
# Kinds of target without a fixed list, and the fields that each needs.
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "object": (),
        "single": ("bare", "region"),
        "color": ("candidates",),
        "binding": ("candidates", "bare"),
        "role": ("candidates", "bare"),
    }
)
THINGS = frozenset({"object", "single", "role"})
COLORS = ("chromatic", "achromatic")
BESIDE = ("own-side", "names-side", "names-chromatic", "legible-text", "person")
TAGS = frozenset((*WORDS, *NEEDS, *COLORS, *BESIDE, FOIL, *PHENOMENA))
# The possible tags of each word for a place.
PLACES: Mapping[str, Sequence[str]] = {
    word: [tag for tag, words in WORDS.items() if word in words] for words in WORDS.values() for word in words
}


def misfit(target: str, tags: Collection[str], kinds: Mapping[str, str]) -> str:
    """Return why a target does not fit its tags, and what would be accepted; "" if it fits.

    Args:
        target: the word.
        tags: the tags of the case.
        kinds: the kind of each known color word, chromatic or achromatic.
    """
    for tag in sorted(WORDS.keys() & tags):
        if target not in WORDS[tag]:
            return f"{target!r} is no word of the tag {tag!r}; {_accepted(target, WORDS[tag])}"
    if (places := PLACES.get(target.lower())) and (other := sorted(NEEDS.keys() & tags)):
        own = " or ".join(map(repr, places))
        return f"{target!r} is no word of the tag {other[0]!r}, which names a thing or a color; it is one of {own}"
    if (kind := kinds.get(target.lower())) and (wrong := [tag for tag in COLORS if tag in tags and tag != kind]):
        return (
            f"{target!r} is {kind}; the tag {wrong[0]!r} is for {_colors(kinds, wrong[0])}, or a color not known here"
        )
    return ""


def _accepted(target: str, words: Collection[str]) -> str:
    return f"it has to be {' or '.join(words)}{_meant(target, words)}"


def _meant(name: str, known: Collection[str]) -> str:
    meant = closest(name, known)
    return f" (did you mean {meant!r}?)" if meant else ""


def _colors(kinds: Mapping[str, str], kind: str) -> str:
    return ", ".join(sorted(word for word, its in kinds.items() if its == kind))


def wanting(cases: Iterable[Case]) -> Iterator[str]:
    """Name the fields that cases lack although their tags need them, once for each such case."""
    for case in cases:
        for tag in sorted(NEEDS.keys() & case.tags):
            for field in NEEDS[tag]:
                if not getattr(case, field):
                    yield f"{tag} without {field}, which that tag needs"


def strange_tags(selection: Selection, tags: frozenset[str]) -> str:
    """Return the tags that a selection needs and that neither a case nor vlcheck has, each with the nearest; or "".

    Args:
        selection: the cases that a test asks for.
        tags: the tags of all cases of the data.
    """
    known = TAGS | tags
    kinds = [] if known.intersection(selection.kinds) else selection.kinds
    strange = dict.fromkeys([*kinds, *sorted({*selection.having} - known)])
    return ", ".join(f"no case has the tag {tag!r}{_meant(tag, known)}" for tag in strange)


def doubts(case: Case, lexicons: Lexicons) -> Iterator[str]:
    """Describe possible mistakes in a case; each may be correct, as a violet is both a flower and a color.

    Args:
        case: the case.
        lexicons: the words for things and colors.
    """
    target, thing, color = case.target.lower(), case.tags & THINGS, case.tags & {"color", "binding"}
    if thing and not color and target in lexicons.color_kinds.keys() - lexicons.things:
        yield "target is a color, and its tags call it a thing"
    if "color" in case.tags and not thing and target in lexicons.things and not lexicons.colors_of(target):
        yield "target is a thing, and its tags call it a color"
    said = case.present | words_of(case.caption)
    if case.tags & {"object", "single"} and any(words_of(word) <= said for word in case.candidates):
        yield "a candidate is said of the picture; candidates have to make the caption false"
    if not case.about <= case.present:
        yield "about has a word that is not said of the picture, by present or captions"


def compared_with_nothing(case: Case) -> bool:
    """Return True if a model that only compares texts has no word to compare the target with."""
    return not case.candidates and not case.foils and case.target not in PLACES
