"""A wrapper makes no broken model green, and says which tests it decides itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import vlcheck
from benchmarks import sabotaged
from tests.conftest import ROOT
from vlcheck.mitigate.calibrated import Calibrated
from vlcheck.mitigate.symmetrised import Symmetrised
from vlcheck.results.records import VerdictRecord

pytestmark = pytest.mark.slow  # each asks the whole suite

SCENES = "scenes:30"  # a pass takes 29
SUITE = ROOT / "behavior_tests"
GIVEN = {
    "test_mirror_flips_hands",
    "test_mirror_and_swapped_words_preserve",
    "test_mirror_preserves_sideless_captions",
    "test_right_is_not_preferred_to_left",
}
OF_TRUTH = {"test_mirror_swaps_sides", "test_true_side_beats_the_other"}


def verdicts(model: object, suite: Path = SUITE) -> dict[tuple[str, str], VerdictRecord]:
    found = vlcheck.evaluate(model, SCENES, suite=suite, images=False, progress=False)  # type: ignore[arg-type]
    assert not found.passed
    return {(one.behavior, one.metric): one for one in found.verdicts}


def given_in(found: dict[tuple[str, str], VerdictRecord]) -> set[str]:
    """The tests that are invalid by construction; under one metric they are so under the other one, too."""
    given = {(test, metric) for (test, metric), one in found.items() if one.cause == "by construction"}
    tests = {test for test, _ in given}
    assert given == {(test, metric) for test in tests for metric in ("mlm", "itm")}
    return tests


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (Symmetrised, "random"),
        (Symmetrised, "constant"),
        (Calibrated, "random"),
        *(
            pytest.param(*asked, marks=pytest.mark.nightly)
            for asked in ((Symmetrised, "by_size"), (Calibrated, "by_size"), (Calibrated, "constant"))
        ),
    ],
)
def test_no_broken_model_passes_anything_with_a_wrapper(wrap: type, name: str) -> None:
    broken = getattr(sabotaged, name)(device="cpu", dtype="float32")
    found = verdicts(wrap(broken))
    assert len(found) > 50
    assert {key for key, one in found.items() if one.status == "pass"} == set()
    assert given_in(found) == (GIVEN if wrap is Symmetrised else set())


def test_a_model_that_cannot_tell_sides_does_not_pass_position_when_it_is_symmetrised() -> None:
    found = verdicts("symmetrised:tiny-mirror", SUITE / "test_position.py")
    assert given_in(found) == GIVEN
    assert {one.status for (test, _), one in found.items() if test in OF_TRUTH} == {"fail"}
