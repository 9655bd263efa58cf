"""The tests of cross-modal ablation: their verdicts on embedded models and on doubles, and when they are collected."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

import vlcheck
from tests import doubles
from tests.conftest import ROOT
from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import asked
from vlcheck.cases import CaseSource, Offer
from vlcheck.datasets.registry import open_source
from vlcheck.expect import Preserved
from vlcheck.perturb import AblateOther, AblateRegions, View
from vlcheck.perturb.regions import TakeOut
from vlcheck.results.records import VerdictRecord

pytestmark = pytest.mark.slow  # networks are run many times

SUITE = ROOT / "behavior_tests" / "test_modality.py"
SEEN, TOLD = "test_word_comes_from_the_thing_not_its_surroundings", "test_caption_tells_what_is_hidden"


def verdicts(model: object, data: str | CaseSource, test: str) -> dict[str, VerdictRecord]:
    """The verdicts of a test by metric."""
    found = vlcheck.evaluate(model, data, suite=SUITE, tests=test, explain="ablation", images=False, progress=False)
    assert found.errors == {}
    return {verdict.metric: verdict for verdict in found.verdicts}


def double(kind: type[doubles.Competent], data: str) -> doubles.Competent:
    return kind(doubles.everything(open_source(data)), name=kind.__name__, fingerprint=kind.__name__)


@pytest.mark.parametrize(("model", "all_hidden"), [("tiny", 0.0), ("tiny-blind", 1.0)])
def test_the_embedded_models_take_a_word_from_its_thing(model: str, all_hidden: float) -> None:
    found = verdicts(model, "scenes:40", SEEN)
    assert {metric: verdict.status for metric, verdict in found.items()} == {"mlm": "pass", "itm": "pass"}
    sees, matches = (found[metric].tables["vision_for_language"] for metric in ("mlm", "itm"))
    assert [sees[f"bare_{removed}"] for removed in ("none", "object", "all")] == pytest.approx(
        [1, 1 / 14, 1 / 14], abs=0.04
    )
    assert matches["hint_none"] > 0.95
    assert matches["hint_object"] < 0.2
    assert matches["hint_all"] == pytest.approx(all_hidden, abs=0.02)  # to tiny-blind a caption matches a black picture
    assert sees["n"] == matches["n"] == 40


def test_the_match_head_of_tiny_gives_a_hidden_thing_no_probability() -> None:
    verdict = verdicts("tiny", "scenes:40", TOLD)["itm"]
    assert (verdict.status, verdict.n < 20) == ("invalid", True)
    assert "is under 0.01" in verdict.reason
    assert verdict.tables["language_for_vision"]["none"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "test", "status"),
    [
        (doubles.Competent, SEEN, "pass"),
        (doubles.KnowsSurroundings, SEEN, "fail"),
        (doubles.Competent, TOLD, "pass"),
        (doubles.ContradictsTheCaption, TOLD, "fail"),
        (doubles.ReadsOnly, SEEN, "invalid"),
    ],
)
def test_each_test_fires_for_its_reason(kind: type[doubles.Competent], test: str, status: str) -> None:
    found = verdicts(double(kind, "scenes:40"), "scenes:40", test)
    assert {verdict.status for verdict in found.values()} == {status}


def test_cases_without_a_region_do_not_count_and_are_counted() -> None:
    source = open_source("scenes:40")
    cases = {name: tuple(replace(case, region=()) for case in cases) for name, cases in source.offer.cases.items()}
    bare = CaseSource("scenes without boxes", Offer(cases, Counter(), lambda case: None), images=40, seed=0)
    found = verdicts(double(doubles.Competent, "scenes:40"), bare, SEEN)
    reasons = {verdict.reason for verdict in found.values()}
    assert reasons == {"no case applies: 40 x the case has no region; a pass needs 19"}


def test_the_control_is_a_picture_without_its_own_thing() -> None:
    cases = open_source("scenes:8").select(vlcheck.with_target("object"))
    view = View.of(cases[0])
    elsewhere = AblateOther()(view, cases)
    (other,) = (case for case in cases if case.image.key == elsewhere.picture.source.key)
    assert cases[0].target not in other.present
    assert elsewhere.picture == AblateRegions()(View.of(other), cases).picture
    assert elsewhere.picture.edits == (TakeOut(other.region),)
    assert (elsewhere.text, elsewhere.region) == (view.text, ())
    with pytest.raises(vlcheck.NotApplicable, match="no other picture is known to refute the caption"):
        AblateOther()(view, [replace(case, region=()) for case in cases])


def test_language_for_vision_is_collected_with_the_option_alone() -> None:
    with collected(SUITE) as tests:
        plain, ablation = ({test.name for test in asked(tests, method)} for method in ([], ["ablation"]))
    assert ablation - plain == {f"{TOLD}[itm]", "test_caption_tells_class_of_hidden_regions[mrc]"}
    assert plain < ablation
    assert f"{SEEN}[mlm]" in plain


def test_an_option_that_nobody_can_give_is_refused() -> None:
    with pytest.raises(ValueError, match="explain='ablate' has to be 'ablation' or 'mmshap', or left out"):
        vlcheck.behavior(cases=vlcheck.with_target("object"), expect=Preserved(), metrics=["itm"], explain="ablate")
