"""Wrapped models keep the contract that every model keeps."""

from __future__ import annotations

import pytest

from vlcheck.datasets.registry import open_source
from vlcheck.models.contract import examine, probes_of
from vlcheck.models.loading.load import load_model


@pytest.mark.parametrize("spec", ["symmetrised:tiny", "calibrated:tiny", "calibrated:symmetrised:tiny"])
def test_a_wrapped_model_keeps_the_contract(spec: str) -> None:
    outcomes = list(examine(load_model(spec), probes_of(open_source("scenes:2").cases)[:4]))
    assert len(outcomes) == 22 + spec.startswith("calibrated")  # its shares have to sum to 1
    assert [f"{one.clause}: {one.found}" for one in outcomes if not one.kept] == []
