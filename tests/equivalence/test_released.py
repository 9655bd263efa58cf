"""One model in the forms in which it is released: `vlcheck parity` on checkpoints that are written here."""

from __future__ import annotations

import pytest

import vlcheck

pytest.importorskip("peft")
pytest.importorskip("compressed_tensors")

from benchmarks.parity_released import Forms, forms
from vlcheck.equivalence.records import ParityReport

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

IMAGES = 12
ROUNDING = 1e-5
ALIKE = {  # two forms -> the largest difference
    "base and adapter, merged": ROUNDING,
    "compressed int4, the numbers that it stands for": ROUNDING,
    "in process, served by a small server": 1e-3,
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    with forms(tmp_path_factory.mktemp("forms")) as pairs:
        yield {f"{one.a}, {one.b}": one for one in pairs}


def compared(pair: Forms, images: int = IMAGES) -> ParityReport:
    return vlcheck.parity(*pair.specs, f"scenes:{images}", dtype_b=pair.dtype_b)


@pytest.mark.parametrize("name", ALIKE)
def test_forms_that_compute_the_same_differ_by_rounding_alone(pairs, name):
    report = compared(pairs[name])
    assert [one.metric for one in report.metrics] == ["itm", "mlm"]
    assert all(one.compared for one in report.metrics)
    assert not any(one.failed for one in report.metrics)
    assert max(one.largest for one in report.metrics) < ALIKE[name]
    assert max(each.mean for one in report.metrics for each in one.criteria if each.name == "changed") == 0
    assert report.status == "inconclusive"  # so few images show nothing
    assert report.differs


@pytest.mark.parametrize("name", ["float32, compressed int4", "float32, bfloat16"])
def test_fewer_bits_are_another_model_as_far_as_scores_say(pairs, name):
    largest = {one.metric: one.largest for one in compared(pairs[name]).metrics}
    assert min(largest.values()) > 100 * ROUNDING
