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
    """Percentile interval of the mean over images, by drawing images with replacement."""
    means = by_cluster(zip(values, range(len(values)) if clusters is None else clusters, strict=True))
    chosen = np.random.default_rng(seed).integers(0, len(means), (draws, len(means)))
    low, high = np.quantile(means[chosen].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def by_cluster(rows: Iterable[tuple[float, Hashable]]) -> np.ndarray:
    """The mean of each cluster, in the order in which they first appear."""
    clusters: dict[Hashable, list[float]] = defaultdict(list)
    for row, image in rows:
        clusters[image].append(row)
    return np.array([np.mean(members) for members in clusters.values()])
