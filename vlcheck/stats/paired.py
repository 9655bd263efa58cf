"""Whether two models differ on the same images: exact tests of paired figures, which assume no distribution.

The unit is the image: what is said of one picture in several rows is not independent, and counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from scipy.special import bdtr  # scipy.stats takes half a second to import

DRAWS = 99_999
_AT_ONCE = 2_000_000  # signs that are held at a time
_ROUNDING = 1e-12


def by_image(rows: Iterable[tuple[Hashable, float, float]]) -> np.ndarray:
    """The means of each image's rows under both models.

    Args:
        rows: image, old figure, new figure.

    Returns:
        Old and new, shape (images, 2), in the order in which the images first appear.
    """
    images: dict[Hashable, list[tuple[float, float]]] = defaultdict(list)
    for image, old, new in rows:
        images[image].append((old, new))
    return np.array([np.mean(members, axis=0) for members in images.values()]).reshape(-1, 2)


def mcnemar(worse: int, better: int) -> float:
    """Exact two-sided p of as many images changing for the worse as for the better.

    Where neither model is better, each image that changed is as likely to have changed either way:
    p = min(1, 2 P(X <= min(worse, better))), X ~ Binomial(worse + better, 1/2). Where an image either violates or does
    not, this is McNemar's test (Psychometrika 12, 1947) in its exact form; where its violating *share* rose or fell, it
    is the sign test of these differences, of which McNemar's is the case of one row an image.
    """
    return min(1.0, 2 * float(bdtr(min(worse, better), worse + better, 0.5)))


def sign_flip(differences: Sequence[float] | np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Two-sided p of a mean difference of 0, by flipping the sign of each image's difference.

    Where the two models are exchangeable, every image's difference is as likely with the other sign (Fisher, The Design
    of Experiments, 1935, section 21; Pitman, Supplement to the Journal of the Royal Statistical Society 4, 1937). Of m
    random flips, r have a sum as far from 0 as the one seen: p = (r + 1) / (m + 1), which holds its level whatever m is
    (Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010).

    Args:
        differences: one an image.
        draws: m; p is 1 / (m + 1) at least.
        seed: of the flips: the same differences have the same p.
    """
    moved = np.asarray(differences, dtype=np.float64)
    moved = moved[moved != 0]
    if not len(moved):
        return 1.0
    seen = abs(moved.sum()) - _ROUNDING * np.abs(moved).sum()
    random = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // len(moved))
    as_far = 0
    for start in range(0, draws, at_once):
        flips = random.integers(0, 2, (min(at_once, draws - start), len(moved)), dtype=np.int8)
        as_far += int((np.abs((2.0 * flips - 1.0) @ moved) >= seen).sum())
    return (as_far + 1) / (draws + 1)
