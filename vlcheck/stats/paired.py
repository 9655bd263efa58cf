"""Exact tests of paired values, which assume no distribution: do two models differ on the same images?

The unit is the image: several rows about one picture are not independent, and count once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr  # scipy.stats takes half a second to import

DRAWS = 99_999
_AT_ONCE = 2_000_000  # signs that are drawn at a time
_PARTS = 16  # in which they are multiplied
_ROUNDING = 1e-12


def by_image(images: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Return the means of each image's rows.

    Args:
        images: a key of each row's image, shape (rows,).
        *columns: values of each row, such as those under the old and under the new model, each of shape (rows,).

    Returns:
        The means, shape (images, columns), in the order in which the images first appear.

    Example:
        >>> by_image(np.array(["b", "a", "b"]), np.array([1.0, 3.0, 2.0]), np.array([0.0, 1.0, 1.0])).tolist()
        [[1.5, 0.5], [3.0, 1.0]]
    """
    _, first, group = np.unique(images, return_index=True, return_inverse=True)
    sums = np.stack([np.bincount(group, weights=values, minlength=len(first)) for values in columns], axis=1)
    means: np.ndarray = sums / np.bincount(group, minlength=len(first))[:, None]
    return means[np.argsort(first)]


def mcnemar(worse: int, better: int) -> float:
    """Return the exact two-sided p-value of the hypothesis that as many images change for the worse as for the better.

    Under the hypothesis each changed image is equally likely to have changed either way: p = min(1, 2 P(X <= min(worse,
    better))), X ~ Binomial(worse + better, 1/2). If each image either violates or does not, this is McNemar's test in
    its exact form. If an image's violating *share* rose or fell, it is the sign test of these differences; McNemar's is
    its special case of one row an image.

    Args:
        worse: number of images that changed for the worse.
        better: number of images that changed for the better.

    Source: McNemar, Psychometrika 12, 1947.
    """
    return min(1.0, 2 * float(bdtr(min(worse, better), worse + better, 0.5)))


def sign_flip(differences: Sequence[float] | np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the two-sided p-value of a mean difference of 0, by random flips of the signs of the differences.

    If the two models are exchangeable, every image's difference is as likely with the other sign. If r of m random
    flips have a sum as far from 0 as the observed one, p = (r + 1) / (m + 1), which holds its level for every m.

    Args:
        differences: one difference for each image.
        draws: m; the least possible p is 1 / (m + 1).
        seed: seed of the random flips; equal differences have equal p.

    Source: Fisher, The Design of Experiments, 1935, chapter III; Pitman, Supplement to the Journal of the Royal
    Statistical Society 4, 1937; Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010.
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
        for part in np.array_split(flips, _PARTS):  # memory: a sign has eight bytes where it is multiplied
            as_far += int((np.abs((2.0 * part - 1.0) @ moved) >= seen).sum())
    return (as_far + 1) / (draws + 1)
