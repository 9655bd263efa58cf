"""From the pairs of a foil suite, a caption and its foils, to cases, and the reasons why pairs are left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from vlcheck.cases.case import MASK, Case, ImageSource, folded, word_pattern
from vlcheck.cases.foils import FOIL
from vlcheck.cases.words import tokenize, words_of
from vlcheck.datasets.limits import LONGEST_CAPTION, is_text
from vlcheck.errors import NotApplicable


def foil_case(
    case_id: str,
    image: ImageSource,
    caption: str,
    foils: Sequence[str],
    phenomenon: str,
    source: str = "",
    licence: str = "",
) -> Case:
    """Make the case of a caption and its foils.

    The target is the first word of the caption, among those that occur once in it, that is not at the same place in
    every foil; if there is none, it is the first word that occurs once.

    Args:
        case_id: unique within its source, printable ASCII without spaces.
        image: the picture.
        caption: the sentence that is true of it; runs of spaces become one.
        foils: whole sentences that are false of it; repeated ones count once.
        phenomenon: the thing that the foils are wrong about, one of `vlcheck.cases.foils.PHENOMENA`.
        source: origin of pair and picture, for attribution.
        licence: licence under which the picture may be shown.

    Raises:
        NotApplicable: If the texts cannot be those of a case; the message is the reason to count.
    """
    caption = _sentence(caption)
    false = _false(caption, foils)
    return Case(
        id=case_id,
        image=image,
        caption=caption,
        target=_target(caption, false),
        foils=false,
        present=words_of(caption),
        tags=frozenset({FOIL, phenomenon}),
        source=source,
        licence=licence,
    )


def _false(caption: str, foils: Sequence[str]) -> tuple[str, ...]:
    """Return the foils, each once; raise NotApplicable if there is none, or one is the caption."""
    false = {folded(foil): _sentence(foil) for foil in reversed(foils)}
    if not false:
        raise NotApplicable("pair has no foil")
    if folded(caption) in false:
        raise NotApplicable("foil is the caption itself")
    return tuple(false.values())[::-1]


def _sentence(text: str) -> str:
    """Return a text with single spaces; raise NotApplicable if it cannot be a caption."""
    if len(text) > LONGEST_CAPTION:
        raise NotApplicable(f"text has more than {LONGEST_CAPTION} characters")
    if not is_text(text) or not words_of(text):
        raise NotApplicable("text has no words")
    if "\0" in text:
        raise NotApplicable("text holds a NUL character")
    if MASK in text:
        raise NotApplicable(f"text holds {MASK}")
    return " ".join(text.split())


def _target(caption: str, foils: Sequence[str]) -> str:
    """Return the word that is masked; raise NotApplicable if every word is there twice."""
    own, others = _places(caption), [_places(foil) for foil in foils]
    changed = (word for at, word in own.items() if any(other.get(at) != word for other in others))
    for word in chain(changed, own.values()):
        if len(word_pattern(word).findall(caption)) == 1:
            return word
    raise NotApplicable("caption has no word that occurs once")


def _places(text: str) -> dict[int, str]:
    return {at: token.word for at, token in enumerate(tokenize(text))}
