"""A worker that is killed at any moment loses at most its batch in flight; `python -m benchmarks.lost` kills 50."""

import pytest

from benchmarks.lost import Lost, kills
from tests.tiers import NIGHTLY


def test_more_than_a_batch_is_too_much():
    assert Lost(pictures=4, texts=16, missing=0).held
    assert not Lost(pictures=5, texts=0, missing=0).held
    assert not Lost(pictures=0, texts=17, missing=0).held
    assert not Lost(pictures=0, texts=0, missing=1).held


@pytest.mark.slow
def test_a_kill_costs_at_most_the_batch_in_flight():
    found = kills(50 if NIGHTLY else 5, seed=3)

    assert [lost for lost in found if not lost.held] == []
    assert any(lost.pictures for lost in found)  # some kills did hit a batch
