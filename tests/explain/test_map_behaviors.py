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
    assert verdict.effect == pytest.approx(0.235, abs=0.02)
    assert verdict.reason.startswith("middle: ")
    assert max(CELLS, key=cells.get) == "middle"


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("model", "violating", "status", "farthest", "difference"),
    [
        ("tiny", 0.02, "pass", "top left", 0.050),
        ("tiny-color", 0.0, "pass", "top left", 0.055),
        ("tiny-mirror", 0.0, "pass", "top left", 0.045),
        ("tiny-right", 0.01, "pass", "top left", 0.045),
        ("tiny-blind", 0.0, "pass", "top left", 0.042),
        ("tiny-bag", 0.0, "pass", "top left", 0.038),
        ("tiny-center", 0.01, "fail", "middle", 0.225),
    ],
)
def test_each_embedded_model_comes_out_as_in_the_table_of_the_docs(model, violating, status, farthest, difference):
    """The rows of the table in docs/howto/explain.md."""
    mirrored, _ = judged(model, "scenes:100:31", MIRRORED)
    assert (mirrored.status, mirrored.n) == ("pass", 100)
    assert mirrored.rate == pytest.approx(violating, abs=0.015)
    follows, _ = judged(model, "scenes:100:31", FOLLOWS)
    cells = follows.tables["map_by_cell"]
    excess = {cell: cells[cell] - 1 / 9 for cell in CELLS}
    assert (follows.status, follows.n) == (status, 100)
    assert max(CELLS, key=lambda cell: abs(excess[cell])) == farthest
    assert excess[farthest] == pytest.approx(difference, abs=0.015)
    assert sum(excess.values()) == pytest.approx(0)
