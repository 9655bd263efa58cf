"""The two tests of maps on embedded models: as stated before the first run, and as they were found."""

import pytest

import vlcheck
from tests.conftest import ROOT
from vlcheck.perturb import CELLS

pytestmark = pytest.mark.slow  # networks are run many times

FOLLOWS, MIRRORED = "test_attention_follows_the_object", "test_map_is_mirrored_with_the_picture"


def judged(model, data, test, method="lrp-size", **options):
    """The verdict of a test of maps, and the values of its rows."""
    found = vlcheck.evaluate(
        model, data, suite=ROOT / "behavior_tests", tests=test, explain=method, images=False, progress=False, **options
    )
    assert found.errors == {}
    (verdict,) = found.verdicts
    return verdict, [row.margin for key in found.lines.verdicts for row in found.lines.rows(key)]


def test_the_map_of_tiny_is_mirrored_with_the_picture():
    verdict, margins = judged("tiny", "scenes:30:31", MIRRORED)
    assert (verdict.status, verdict.rate, len(margins)) == ("pass", 0.0, 30)
    assert verdict.effect > 0.7


def test_noise_is_not_mirrored():
    verdict, _ = judged("tiny", "scenes:30:31", MIRRORED, "random")
    assert (verdict.status, verdict.rate) == ("fail", 1.0)


def test_kept_maps_of_two_methods_never_mix(tmp_path):
    alone = {method: judged("tiny", "scenes:3", MIRRORED, method)[1] for method in ("saliency", "random")}
    for method in ("saliency", "random", "saliency"):
        assert judged("tiny", "scenes:3", MIRRORED, method, store=tmp_path / "maps")[1] == alone[method]
    assert alone["saliency"] != alone["random"]


def test_the_map_of_tiny_center_rests_on_the_middle_wherever_the_object_is():
    verdict, _ = judged("tiny-center", "scenes:52:31", FOLLOWS)
    cells = verdict.tables["map_by_cell"]
    assert verdict.status == "fail"
    assert verdict.reason.startswith("middle: mean 0.2")
    assert max(CELLS, key=cells.get) == "middle"


@pytest.mark.nightly
@pytest.mark.parametrize(("model", "status", "middle"), [("tiny", "pass", 0.09), ("tiny-center", "fail", 0.34)])
def test_attention_follows_the_object_in_tiny_and_not_in_tiny_center(model, status, middle):
    verdict, _ = judged(model, "scenes:100:31", FOLLOWS)
    cells = verdict.tables["map_by_cell"]
    assert (verdict.status, verdict.n) == (status, 100)
    assert cells["middle"] == pytest.approx(middle, abs=0.02)
    assert sum(cells[cell] for cell in CELLS) == pytest.approx(1)
    assert judged(model, "scenes:100:31", MIRRORED)[0].status == "pass"
