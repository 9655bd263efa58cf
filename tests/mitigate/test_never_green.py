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
MANY = "scenes:100"  # a mean passes at some n between, if it does
OF_SIDES = {
    "test_mirror_swaps_own_hands",
    "test_mirror_swaps_sides",
    "test_true_hand_beats_the_other",
    "test_true_side_beats_the_other",
}
WITHOUT_SIDES = {"test_true_vertical_beats_the_other", "test_upside_down_swaps_above_and_below"}


def verdicts(model: object, suite: Path = SUITE, scenes: str = SCENES) -> dict[tuple[str, str], VerdictRecord]:
    found = vlcheck.evaluate(model, scenes, suite=suite, images=False, progress=False)  # type: ignore[arg-type]
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


@pytest.mark.nightly
@pytest.mark.parametrize("wrap", [Symmetrised, Calibrated])
def test_no_broken_model_passes_a_test_about_a_mean_where_it_has_enough_scenes(wrap: type) -> None:
    found = verdicts(wrap(sabotaged.random(device="cpu", dtype="float32")), scenes=MANY)
    assert {key for key, one in found.items() if one.status == "pass"} == set()


@pytest.mark.parametrize("name", ["tiny-mirror", pytest.param("tiny-right", marks=pytest.mark.nightly)])
def test_a_model_that_cannot_tell_sides_passes_no_test_of_them_when_it_is_symmetrised(name: str) -> None:
    found = verdicts(f"symmetrised:{name}", SUITE / "test_position.py")
    assert given_in(found) == GIVEN
    for status, tests in (("pass", WITHOUT_SIDES), ("fail", OF_SIDES), ("invalid", GIVEN)):
        both = {(test, metric) for test in tests for metric in ("mlm", "itm")}
        assert {key for key, one in found.items() if one.status == status} == both
    assert {test for test, _ in found} == WITHOUT_SIDES | OF_SIDES | GIVEN
