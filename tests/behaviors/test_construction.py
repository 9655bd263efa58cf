"""Trials that a symmetric model decides by construction: which are found, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.mitigate.doubles import Told
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.construction import ALIKE, IMPARTIAL
from vlcheck.behaviors.tables import LeftAndRight
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import Case, CaseSource, with_target
from vlcheck.datasets.registry import open_source
from vlcheck.errors import ForeignFault
from vlcheck.evaluation.calibration import ahead
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.preview import foresee, preview_lines
from vlcheck.evaluation.session import scored
from vlcheck.expect import Beats, Drops, Flips, Preserved, SidePreference, Skew, Swaps
from vlcheck.expect.base import Expectation
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.mitigate.symmetrised import Symmetrised
from vlcheck.models.loading.load import as_model
from vlcheck.perturb import (
    Blur,
    Compose,
    Each,
    Grayscale,
    Jpeg,
    Mirror,
    OfThePicture,
    Perturbation,
    SwapSides,
    UpsideDown,
    View,
)
from vlcheck.policy.toml_file import load_policy
from vlcheck.stats.verdict import Verdict
from vlcheck.suite.shipped import policy_path

SIDES, OBJECTS = with_target("side"), with_target("object", lacking=("names-side", "legible-text"))
SYMMETRIC = Symmetrised(Told())


@dataclass(frozen=True)
class Turned(OfThePicture):
    """A mirror of a user's own."""

    name: ClassVar[str] = "turned"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        return Image.fromarray(np.ascontiguousarray(np.asarray(image)[:, ::-1]))


@dataclass(frozen=True)
class NearlyTurned(Turned):
    name: ClassVar[str] = "nearly-turned"

    def edit(self, image: Image.Image) -> Image.Image:
        turned = super().edit(image)
        turned.putpixel((0, 0), (1, 2, 3))
        return turned


@pytest.fixture(scope="module")
def source() -> CaseSource:
    return open_source("scenes:30")


def behavior(expect: Expectation, perturb: Perturbation | Each | None, *, sides: bool = True) -> Behavior:
    return Behavior(name="test_x", bias="position", cases=SIDES if sides else OBJECTS, perturb=perturb, expect=expect)


def trials_of(source: CaseSource, stated: Behavior, metric: Metric, model: Any = SYMMETRIC) -> list[Trial]:
    """The trials of captions that can be mirrored: one that reads a book cannot."""
    trials = Trials.for_model(source, model).of(stated, metric)
    return [trial for trial in trials if " reads " not in trial.case.caption]


def test_a_caption_that_cannot_be_mirrored_is_asked_about(source: CaseSource) -> None:
    trials = Trials.for_model(source, SYMMETRIC).of(behavior(Preserved(), Mirror(), sides=False), "itm")
    found = {trial.given for trial in trials if " reads " in trial.case.caption}
    assert found == {False}


@pytest.mark.parametrize("metric", ["mlm", "itm"])
@pytest.mark.parametrize(
    ("perturb", "expect", "given"),
    [
        (Mirror(), Flips(), True),
        (Turned(), Flips(), True),
        (Compose(Mirror(), SwapSides()), Flips(), True),
        (Compose(Mirror(), SwapSides()), Preserved(), True),
        (Compose(Turned(), SwapSides()), Preserved(), True),
        (Compose(Mirror(), SwapSides()), Drops(), True),
        (Mirror(), Preserved(), False),  # the other side's score after is this side's before
        (Mirror(), Drops(), False),
        (SwapSides(), Preserved(), False),
        (Mirror(), Swaps(), False),  # which side is true is not given
        (Compose(Mirror(), SwapSides()), Swaps(), False),
        (Mirror(), Beats(), False),
        (Mirror(), SidePreference(), True),  # over the picture and its mirror image, there is none
        (None, SidePreference(), True),
        (UpsideDown(), SidePreference(), True),
    ],
)
def test_a_side_is_given_where_what_is_read_before_is_read_after(
    source: CaseSource, perturb: Perturbation | None, expect: Expectation, given: bool, metric: Metric
) -> None:
    found = trials_of(source, behavior(expect, perturb), metric)
    assert len(found) == 30
    assert {trial.given for trial in found} == {given}
    assert not given or not [query for trial in found for query in trial.queries()]


def test_words_that_a_table_adds_change_nothing(source: CaseSource) -> None:
    stated = replace(behavior(Preserved(), Mirror()), tables=(LeftAndRight(),))
    assert {trial.given for trial in trials_of(source, stated, "itm")} == {False}
    stated = replace(behavior(Flips(), Mirror()), tables=(LeftAndRight(),))
    assert {trial.given for trial in trials_of(source, stated, "itm")} == {True}


@pytest.mark.parametrize("metric", ["mlm", "itm"])
@pytest.mark.parametrize(
    ("perturb", "given"),
    [
        (Mirror(), True),
        (Turned(), True),
        (Compose(Grayscale(), Mirror()), False),
        (Compose(Mirror(), Blur()), False),
        (NearlyTurned(), False),
        (Grayscale(), False),
        (UpsideDown(), False),
        (Jpeg(), False),
    ],
)
def test_a_mirror_image_is_found_by_its_pixels_and_nothing_else_is(
    source: CaseSource, perturb: Perturbation, given: bool, metric: Metric
) -> None:
    assert {trial.given for trial in trials_of(source, behavior(Preserved(), perturb, sides=False), metric)} == {given}


def test_what_is_done_to_both_views_does_not_matter(source: CaseSource) -> None:
    stated = replace(behavior(Preserved(), Mirror(), sides=False), given=Grayscale())
    assert {trial.given for trial in trials_of(source, stated, "itm")} == {True}


@dataclass(frozen=True)
class MirrorFirst(Turned):
    """Mirrors the picture before all other edits."""

    name: ClassVar[str] = "mirror-first"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, picture=replace(view.picture, edits=(Mirror(), *view.picture.edits)))


@pytest.mark.parametrize(("given", "found"), [(Grayscale(), True), (Jpeg(), False)])
def test_edits_in_another_order_that_show_the_same_are_found(
    source: CaseSource, given: Perturbation, found: bool
) -> None:
    stated = replace(behavior(Preserved(), MirrorFirst(), sides=False), given=given)
    assert {trial.given for trial in trials_of(source, stated, "itm")} == {found}


def test_of_several_perturbations_the_mirror_alone_is_given(source: CaseSource) -> None:
    found = trials_of(source, behavior(Preserved(), Each(Mirror(), Jpeg()), sides=False), "itm")
    assert {(trial.perturbation, trial.given) for trial in found} == {("mirror v1", True), ("jpeg(50) v1", False)}


@pytest.mark.parametrize("perturb", [Mirror(), Compose(Mirror(), SwapSides())])
def test_nothing_is_given_by_a_model_that_states_nothing(source: CaseSource, perturb: Perturbation) -> None:
    assert not any(trial.given for trial in trials_of(source, behavior(Preserved(), perturb), "itm", Told()))


def test_a_preference_among_words_that_are_no_sides_is_not_given(source: CaseSource) -> None:
    assert not any(trial.given for trial in trials_of(source, behavior(Skew(), None, sides=False), "mlm"))


def test_a_preference_of_a_side_is_invalid_by_construction(source: CaseSource) -> None:
    verdict = judged(source, behavior(SidePreference(), None), Symmetrised(Guessing()))
    assert (verdict.status, verdict.cause, verdict.claim) == ("invalid", "by construction", "mean")
    assert verdict.reason.startswith(f"in 30 of 30 cases {IMPARTIAL}")


class UpsideDownToo(Told):
    """A user's own model that turns pictures upright."""

    def symmetric(self, query: Query) -> Query | None:
        return replace(query, picture=query.picture.then(UpsideDown())) if "dog" not in query.text else None


def test_a_users_own_model_states_its_own_symmetry(source: CaseSource) -> None:
    found = trials_of(source, behavior(Preserved(), UpsideDown(), sides=False), "itm", as_model(UpsideDownToo()))
    assert {trial.given for trial in found} == {True}
    assert not any(trial.given for trial in trials_of(source, behavior(Preserved(), Mirror()), "itm", UpsideDownToo()))


def test_a_symmetry_that_is_no_query_is_a_fault_of_the_model(source: CaseSource) -> None:
    class Strange(Told):
        def symmetric(self, query: Query) -> str:
            return "the same"

    with pytest.raises(ForeignFault, match="symmetric returned str, not a Query or None"):
        trials_of(source, behavior(Preserved(), Mirror()), "itm", Strange())


class Guessing(Told):
    """Answers by chance, and is very sure of it."""

    def itm(self, encoded: Any, texts: Sequence[str], foils: object = None) -> np.ndarray:
        self.asked += [("", text, ()) for text in texts]
        return np.random.default_rng(len(self.asked)).choice([0.01, 0.99], len(texts))


def judged(source: CaseSource, stated: Behavior, model: Any) -> Verdict:
    config = EvaluationConfig(images=False)
    trials = Trials.for_model(source, model)
    with scored(config, model, trials, load_policy(policy_path()), ()) as under_test:
        return under_test.judge(stated, "itm")


@pytest.mark.parametrize("sides", [True, False])
def test_a_verdict_on_what_is_given_is_invalid_and_says_so(source: CaseSource, sides: bool) -> None:
    guessing = Guessing()
    expect, perturb = (Flips(), Mirror()) if sides else (Preserved(), Mirror())
    verdict = judged(source, behavior(expect, perturb, sides=sides), Symmetrised(guessing))
    assert (verdict.status, verdict.cause) == ("invalid", "by construction")
    assert verdict.reason.startswith(f"in {30 if sides else 28} of 30 cases {ALIKE}")


def test_a_guess_that_is_symmetric_fails_where_the_truth_is_asked_for(source: CaseSource) -> None:
    verdict = judged(source, behavior(Swaps(), Mirror()), Symmetrised(Guessing()))
    assert verdict.status in ("fail", "invalid")
    assert verdict.cause != "by construction"


def test_few_cases_that_are_given_are_invalid_and_not_merely_not_asked() -> None:
    verdict = judged(open_source("scenes:3"), behavior(Flips(), Mirror()), Symmetrised(Guessing()))
    assert (verdict.status, verdict.cause) == ("invalid", "by construction")


def test_a_preview_says_what_is_given_and_that_its_verdict_is_invalid(source: CaseSource) -> None:
    with collected(ROOT / "behavior_tests" / "test_position.py") as tests:
        asked = [test for test in tests if test.metric != "map"]
        operating = ahead(Trials.for_model(source, SYMMETRIC), SYMMETRIC.kinds)
        foresight = foresee(asked, operating, load_policy(policy_path()), SYMMETRIC.metrics)
        lines = list(preview_lines(foresight, None))
    assert any(line.startswith("not asked by test_mirror_flips_hands[mlm]") and line.endswith(ALIKE) for line in lines)
    invalid = ", and is invalid: 0 images, a pass needs 29"
    assert f"test_mirror_flips_hands[itm] cannot pass{invalid}" in foresight.hopeless()
    assert not any(line.startswith("test_mirror_swaps_sides") for line in foresight.hopeless())
    alike = sum(line.endswith(invalid) for line in foresight.hopeless())
    assert f"{alike} tests (position {alike}) cannot pass, and are invalid: 0 images, a pass needs 29" in lines
