"""Bootstrap intervals are the same however many samples are drawn at a time, and take little memory."""

import tracemalloc

import numpy as np
import pytest

from vlcheck.stats import bootstrap
from vlcheck.stats.bootstrap import bootstrap_interval

LEVEL = 0.95


@pytest.mark.parametrize("n", [1, 2, 7, 333, 1_000])
@pytest.mark.parametrize("at_once", [1, 999, 2_500, 10**9])
def test_the_interval_is_that_of_samples_that_are_drawn_all_at_once(monkeypatch, n, at_once):
    monkeypatch.setattr(bootstrap, "_AT_ONCE", at_once)
    values = np.random.default_rng(n).random(n)
    chosen = np.random.default_rng(5).integers(0, n, (100, n))
    wanted = np.quantile(values[chosen].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    assert bootstrap_interval(values.tolist(), seed=5, draws=100, level=LEVEL) == tuple(wanted)


def test_its_memory_does_not_grow_with_the_samples_of_many_images():
    tracemalloc.start()
    try:
        bootstrap_interval([0.5] * 20_000, draws=300)  # 96 MB, if all are drawn at once
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 25_000_000
