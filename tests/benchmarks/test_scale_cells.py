"""Simulated tests on scales that are fitted anew: their truth is what it says, and few verdicts are wrong."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration import sequentially
from benchmarks.scale_cells import (
    ALONE,
    CLOSED,
    ONCE,
    SCORES,
    SEQUENTIALLY,
    Cell,
    cells,
    logits_of,
    middle_of,
    predictable,
    simulated,
    violates,
)


@pytest.mark.parametrize(("scores", "expects"), [(ALONE, "preserved"), (CLOSED, "drops")])
def test_the_true_rate_is_that_of_very_many_images(scores, expects):
    cell, how = Cell(expects, 50, 0.1, 1.0, scores), SCORES[scores]
    noise = np.random.default_rng(3).standard_normal((3, 5_000, how.width))
    own, other, after = (logits_of(*one) for one in zip(noise, (how.own, how.other, middle_of(cell)), strict=True))
    scale = how.fit(own, other)
    assert violates(cell, how.levels(scale, own), how.levels(scale, after)).mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(("scores", "looks"), [(ALONE, SEQUENTIALLY), (CLOSED, ONCE)])
def test_what_is_clear_is_decided_and_not_wrong(scores, looks):
    found = simulated(Cell("drops", 50, 0.4, 1.0, scores, looks, runs=40))
    assert (found.fails > 30, found.wrong) == (True, 0)


def test_a_predictable_scale_rests_on_images_before_and_the_first_8_are_not_judged():
    images = range(50)
    batches = [(list(images[taught]), list(images[here])) for taught, here in predictable(50)]
    assert [(len(taught), here[0], here[-1]) for taught, here in batches] == [(8, 8, 15), (16, 16, 31), (32, 32, 49)]
    assert all(max(taught) < min(here) for taught, here in batches)
    seen = []
    sequentially(np.arange(50.0) / 50, lambda sample: seen.append(sample.n) or "inconclusive", unjudged=8)
    assert (seen[0], seen[-1]) == (2, 42)


def test_each_cell_has_figures_of_its_own():
    found = list(cells())
    assert len({tuple(cell.seed) for cell in found}) == len(found)
    assert {(cell.scores, cell.looks) for cell in found} >= {(ALONE, ONCE), (ALONE, SEQUENTIALLY), (CLOSED, ONCE)}
    few = [replace(found[0], runs=20)] * 2
    assert simulated(few[0]) == simulated(few[1])
