"""Bootstrap intervals over images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

import numpy as np


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
    chosen = np.random.default_rng(seed).integers(0, len(means), (draws, len(means)))
    low, high = np.quantile(means[chosen].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def by_cluster(rows: Iterable[tuple[float, Hashable]]) -> np.ndarray:
    """Return the mean of each cluster, in the order in which the clusters first appear: (clusters,), float64."""
    clusters: dict[Hashable, list[float]] = defaultdict(list)
    for row, image in rows:
        clusters[image].append(row)
    return np.array([np.mean(members) if len(members) > 1 else members[0] for members in clusters.values()], np.float64)
