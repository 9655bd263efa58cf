"""A node that is killed costs no answer; `python -m benchmarks.ray_kills` kills 50."""

import pytest

pytest.importorskip("ray", reason="needs the package ray, of the extra ray")

from benchmarks.ray_kills import Round, kills


def test_an_answer_that_is_missing_or_differs_is_a_fault():
    assert Round(missing=0, errors=0, apart=1e-6, twice=4, at_work=True).held
    assert not Round(missing=1, errors=0, apart=0.0, twice=0, at_work=True).held
    assert not Round(missing=0, errors=1, apart=0.0, twice=0, at_work=True).held
    assert not Round(missing=0, errors=0, apart=2e-5, twice=0, at_work=True).held
    assert not Round(missing=0, errors=0, apart=0.0, twice=5, at_work=True).held


@pytest.mark.nightly
def test_a_node_that_is_killed_at_any_moment_costs_no_answer():
    found = list(kills(6, seed=1))

    assert [one for one in found if not one.held] == []
    assert any(one.at_work for one in found)  # a kill did hit a copy at work
