"""Bootstrap intervals over images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

_AT_ONCE = 100_000  # drawn images that are in memory at a time


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean over images.

    Images are drawn with replacement; an image with several rows counts once, by the mean of its rows.

    Args:
        values: one value for each row.
        clusters: the image of each row; without it each row is an image of its own.
        seed: seed of the random draws; equal seeds give equal intervals.
        draws: number of bootstrap samples.
        level: coverage of the interval, in (0, 1).

    Returns:
        The lower and the upper end.

    Raises:
        ValueError: If there are not as many clusters as values.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    means = by_cluster(zip(values, range(len(values)) if clusters is None else clusters, strict=True))
    drawn = np.concatenate([*_drawn_means(means, draws, np.random.default_rng(seed))])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _drawn_means(means: np.ndarray, draws: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the means of bootstrap samples, of several at a time: the same ones as if all were drawn at once."""
    at_once = max(1, _AT_ONCE // max(1, len(means)))
    for start in range(0, draws, at_once):
        chosen = random.integers(0, len(means), (min(at_once, draws - start), len(means)))
        yield means[chosen].mean(axis=1)


def by_cluster(rows: Iterable[tuple[float, Hashable]]) -> np.ndarray:
    """Return the mean of each cluster, in the order in which the clusters first appear: (clusters,), float64."""
    clusters: dict[Hashable, list[float]] = defaultdict(list)
    for row, image in rows:
        clusters[image].append(row)
    return np.array([np.mean(members) if len(members) > 1 else members[0] for members in clusters.values()], np.float64)
