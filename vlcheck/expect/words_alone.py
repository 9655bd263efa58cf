"""Choices between a caption and its foils by the words alone, without a language model.

They are the plain controls of a set of foils: where one of them is right more often than by chance, the set can be
solved to that extent without its pictures. Each is cross-fitted: what it learns, a direction or the weight of a word,
it learns on other images than those that it is tried on.

Source:
    Hsieh et al. 2023, arXiv:2306.14610, show that choices without pictures beat models on several sets of foils.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

from vlcheck._util.hashing import digest
from vlcheck.cases.case import Case
from vlcheck.cases.foils import COIN
from vlcheck.cases.words import article_of, tokenize

FOLDS = 5
_SINGULAR, _PLURAL = {"a", "an", "one", "this", "that", "each"}, {"two", "three", "four", "several", "many", "these"}
_SPACED = re.compile(r"\s[.,;!?]|\s{2}")
_Measure = Callable[[str], float]


def blind_choices(images: Mapping[str, Iterable[Case]]) -> Mapping[str, Mapping[str, float]]:
    """Return the credit of each choice by the words alone for each case, by the case's id and the choice's name.

    Args:
        images: all cases that there are, by the name of their image; those without foils are left out. The choices for
            an image learn from those of other folds than its own.

    Returns:
        1 for a choice that is right, 0 for one that is wrong, and a share for one that cannot tell the caption from
        some foils. The choices are a coin; the text with more or fewer letters, words that are common or rare in the
        captions, or slips of grammar, whichever is right more often on other images; and the text whose words are more
        often those of captions than those of foils there.

    Example:
        >>> from vlcheck.perturb import Solid
        >>> def case(number, foil):
        ...     image = Solid((8, 8), (number, 0, 0))
        ...     return Case(id=str(number), image=image, caption="a dog", target="dog", foils=(foil,))
        >>> images = {str(number): [case(number, "no dog at all")] for number in range(20)}
        >>> choices = blind_choices(images)["7"]
        >>> choices["a coin"], choices["its length"]
        (0.5, 1.0)
    """
    folds: defaultdict[int, list[Case]] = defaultdict(list)
    for image, cases in images.items():
        folds[_fold(image)] += [case for case in cases if case.foils]
    found: dict[str, Mapping[str, float]] = {}
    for fold, cases in folds.items():
        measures = _learnt([_texts(case) for other, its in folds.items() if other != fold for case in its])
        found |= {case.id: _credits(measures, _texts(case)) for case in cases}
    return MappingProxyType(found)


def credit(scores: Iterable[float]) -> float:
    """Return the share of a right answer that the highest score earns; several highest ones share it.

    Args:
        scores: the score of the caption, then the scores of its foils.

    Example:
        >>> credit([2, 1]), credit([2, 2]), credit([1, 2])
        (1.0, 0.5, 0.0)
    """
    caption, *foils = scores
    best = max(foils)
    return float(caption > best) if caption != best else 1 / (1 + foils.count(best))


def _credits(measures: Mapping[str, _Measure], texts: Sequence[str]) -> Mapping[str, float]:
    return MappingProxyType(
        {COIN: 1 / len(texts)} | {name: credit(map(measure, texts)) for name, measure in measures.items()}
    )


def _texts(case: Case) -> tuple[str, ...]:
    """Return a case's caption and its foils."""
    return case.caption, *case.foils


def _fold(image: str) -> int:
    """Return the fold of an image, the same in every run."""
    return int(digest("words alone", image)[:8], 16) % FOLDS


def _learnt(taught: Sequence[Sequence[str]]) -> Mapping[str, _Measure]:
    """Return the scores by which texts are chosen, by the name of the choice.

    Args:
        taught: the caption and the foils of each case to learn from.
    """
    common = Counter(word for caption, *_ in taught for word in set(_words(caption)))
    measures: dict[str, _Measure] = {
        "its length": len,
        "common words": lambda text: _mean([math.log1p(common[word]) for word in _words(text)]),
        "slips of grammar": grammar_slips,
    }
    directed = {name: _directed(measure, taught) for name, measure in measures.items()}
    return MappingProxyType({**directed, "words of captions": _likelier(taught)})


def _directed(measure: _Measure, taught: Sequence[Sequence[str]]) -> _Measure:
    """Return a measure, or its negative if that has more of the taught cases right."""
    up = sum(credit(map(measure, texts)) for texts in taught)
    down = sum(credit([-measure(text) for text in texts]) for texts in taught)
    return measure if up >= down else lambda text: -measure(text)


def _likelier(taught: Sequence[Sequence[str]]) -> _Measure:
    """Return the log-odds that a text is a caption and no foil, by naive Bayes over the words that it has.

    Each foil counts as a part of its case's foils, so that both sides weigh alike.
    """
    true, false = Counter[str](), Counter[str]()
    for caption, *foils in taught:
        true.update(set(_words(caption)))
        for foil in foils:
            for word in set(_words(foil)):
                false[word] += 1 / len(foils)  # type: ignore[assignment] # a Counter adds any numbers

    def odds(text: str) -> float:
        return math.fsum(math.log((true[word] + 1) / (false[word] + 1)) for word in set(_words(text)))

    return odds


@lru_cache(maxsize=100_000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(token.word for token in tokenize(text))


@lru_cache(maxsize=100_000)
def grammar_slips(text: str) -> float:
    """Return the number of plain slips of grammar and writing in an English text.

    They are a word that is there twice in a row, "a" for "an" or "an" for "a", "a" or "one" before a plural, "two" or
    "many" before a singular, a space before a comma, and a small letter at the beginning.

    Example:
        >>> grammar_slips("A apple and and two dog ."), grammar_slips("An apple and two dogs.")
        (4, 0)
    """
    words = _words(text)
    pairs = list(pairwise(words))
    return (
        sum(one == other for one, other in pairs)
        + sum(one in ("a", "an") and one != article_of(other) for one, other in pairs)
        + sum(one in _SINGULAR and _is_plural(other) for one, other in pairs)
        + sum(one in _PLURAL and not _is_plural(other) and other not in _PLURAL for one, other in pairs)
        + len(_SPACED.findall(text))
        + text[:1].islower()
    )


def _is_plural(word: str) -> bool:
    return word in ("people", "men", "women", "children") or (word.endswith("s") and not word.endswith(("ss", "us")))


def _mean(values: Sequence[float]) -> float:
    """Return the mean, exactly rounded: the same values have the same one in any order."""
    return math.fsum(values) / len(values) if values else 0.0
