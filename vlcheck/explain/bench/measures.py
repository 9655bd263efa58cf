"""Measures of one explanation against the truth about its picture and its text."""

from __future__ import annotations

import re

import numpy as np

from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.image_map import ImageMap

_ROUNDING = 1e-9
_MARKS = re.compile(r"^(##|\u0120|\u2581)|</w>$")  # marks of tokenizers at the beginning or the end of a word


def pointing(image: ImageMap, mask: np.ndarray) -> float:
    """Return 1 if the peak of a map lies on a thing, and 0 if not; the share of the peak's pixels for a peak of many.

    Args:
        image: the map.
        mask: the pixels of the thing, (height, width), bool.

    Source: Zhang et al. 2016, arXiv:1608.00507, section 4.1 (the pointing game).
    """
    height, width = mask.shape
    painted = image.render(width, height)
    peak = painted.max()
    return float(mask[painted >= peak - _ROUNDING * abs(peak)].mean())


def energy(image: ImageMap, mask: np.ndarray) -> float:
    """Return the share of a map's positive part that lies on a thing; the thing's share of the picture without one.

    Args:
        image: the map; values below 0, which speak against the score, are left out.
        mask: the pixels of the thing, (height, width), bool.

    Source: Wang et al. 2020, arXiv:1910.01279, section 4.3 (the energy-based pointing game).
    """
    height, width = mask.shape
    painted = image.render(width, height).clip(min=0)
    total = painted.sum()
    return float(painted[mask].sum() / total) if total > 0 else float(mask.mean())


def word_precedence(found: Attribution, word: str) -> float | None:
    """Return the share of a text's other words whose values are smaller in size than a word's; ties count half.

    1 means that the word comes first, and 0.5 is the mean of noise. None if the method gives tokens no value, or if
    the word is no token of the text or its only one.

    Args:
        found: the explanation.
        word: the word.
    """
    if found.token_values is None:
        return None
    words = [place for place, special in enumerate(found.special) if not special]
    own = [place for place in words if _MARKS.sub("", found.tokens[place]).lower() == word]
    others = np.abs(found.token_values[[place for place in words if place not in own]])
    if not own or not others.size:
        return None
    size = np.abs(found.token_values[own]).max()
    return float(((others < size) + 0.5 * (others == size)).mean())
