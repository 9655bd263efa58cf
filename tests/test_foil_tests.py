"""The tests of foils: what they have to say of models whose answers are known."""

import dataclasses
import math

import numpy as np
import pytest

import vlcheck
from tests import doubles
from tests.conftest import ROOT
from tests.foil_cases import OBJECTS, TESTS, foil_source, longer
from vlcheck._util.hashing import digest
from vlcheck.cases.foils import CONTROL, PHENOMENA
from vlcheck.report.markdown import markdown
from vlcheck.report.page import draw
from vlcheck.results.foils import without_picture

IMAGES = 40
SUITE = ROOT / "behavior_tests"


@pytest.fixture(scope="module")
def source():
    return foil_source(IMAGES)


@pytest.fixture(scope="module")
def told():
    """Foils that are longer than their captions, all of them."""
    return foil_source(IMAGES, longer)


def judged(kind, cases, **options):
    model = kind(doubles.everything(cases), name=kind.__name__, fingerprint=kind.__name__)
    return vlcheck.evaluate(model, cases, suite=SUITE, images=False, progress=False, **options)


def statuses(results):
    return {verdict.behavior: verdict.status for verdict in results.verdicts}


@pytest.mark.parametrize("kind", [doubles.Competent, doubles.Compares])
def test_a_competent_model_passes_and_only_tests_of_foils_that_are_there_are_asked(source, kind):
    results = judged(kind, source)
    assert statuses(results) == dict.fromkeys(TESTS, "pass")
    assert results.passed
    assert {verdict.n for verdict in results.verdicts} == {IMAGES}
    for verdict in results.verdicts:
        assert verdict.violations == 0
        assert verdict.effect_low > 0
        found = without_picture(verdict)
        assert (found.right, found.n, found.chance) == (1.0, IMAGES, 0.5)
        assert not verdict.told.marked


@pytest.mark.parametrize(
    "kind",
    [
        doubles.KnowsCaptions,
        doubles.PrefersShort,
        doubles.Hashes,
        doubles.Constant,
        doubles.NotANumber,
        doubles.Raises,
        doubles.Miscounts,
        doubles.TakesTheFoil,
    ],
)
def test_no_blind_random_or_broken_model_is_green(source, kind):
    results = judged(kind, source)
    assert results.verdicts
    assert "pass" not in statuses(results).values()
    assert not results.passed


def test_a_model_that_takes_the_foils_fails(source):
    results = judged(doubles.TakesTheFoil, source)
    assert statuses(results) == dict.fromkeys(TESTS, "fail")
    assert {verdict.rate for verdict in results.verdicts} == {1.0}


def test_a_model_that_has_read_the_captions_does_as_well_without_the_picture(source):
    for verdict in judged(doubles.KnowsCaptions, source).verdicts:
        assert verdict.status == "invalid"
        best = without_picture(verdict).best
        assert (best.name, best.right, best.lead) == ("the model with another picture", 1.0, 0.0)


class Forgetful(doubles.Competent):
    """Does not know every third picture."""

    def _match(self, seen, text):
        unknown = seen.photograph is None or int(seen.photograph[:4], 16) % 3 == 0
        return doubles.REST if unknown else super()._match(seen, text)


@pytest.mark.parametrize("kind", [doubles.Competent, Forgetful])
def test_where_words_alone_tell_the_foils_no_model_is_held_to_them(told, kind):
    """Neither one that is always right, nor one that is nearly so: the images cannot show that it looks."""
    results = judged(kind, told)
    assert set(statuses(results).values()) == {"not asked"}
    assert results.lines.run.required == []
    for verdict in results.verdicts:
        assert f"(its length in 100 % of {IMAGES} images)" in verdict.reason
        found = without_picture(verdict)
        assert verdict.told.marked
        assert (verdict.told.choice, verdict.told.right, verdict.told.n) == ("its length", 1.0, IMAGES)
        assert (found.best.right, found.chance) == (1.0, 0.5)
    said = [f"Words alone tell many of these foils ({name} itm)" for name in TESTS]
    assert all(one in str(results) for one in said)
    assert all(one.replace("_", r"\_") in markdown.summary(results.lines) for one in said)
    page = draw(results.lines, source="results.jsonl")
    assert all(one in page for one in said)
    marked = "not asked ((!) words alone tell many foils)"
    for text in (str(results), markdown.summary(results.lines).replace("\\", ""), page):
        assert marked in text
    assert f"over {IMAGES} images (!)" in page


class AnswersFew(doubles.KnowsCaptions):
    """Has no score for most sentences, and sees no picture."""

    sees = False

    def itm(self, encoded, texts, foils=None):
        known = [digest("few", text[:9])[0] in "01" for text in texts]
        return np.where(known, super().itm(encoded, texts, foils), np.nan)


def test_a_control_that_answers_few_images_is_left_out_and_this_is_said(source):
    control = AnswersFew(doubles.everything(source), name="few", fingerprint="few")
    results = judged(doubles.Competent, source, control=control)
    for verdict in results.verdicts:
        assert verdict.status == "pass"
        assert CONTROL not in {one.name for one in without_picture(verdict).choices}
        assert f"of {IMAGES} images and is left out" in verdict.reason
        assert {one.n for one in without_picture(verdict).choices} == {IMAGES}


def test_cases_that_share_the_changed_word_have_other_pictures():
    """Another picture is one whose caption lacks a word of the whole caption, not the one that the foils change."""

    def alike(case):
        text, about = f"{case.caption.rstrip('.')} zeppelin", frozenset()
        return dataclasses.replace(case, caption=text, target="zeppelin", about=about, foils=(f"{case.caption} today",))

    cases = {name: tuple(map(alike, own)) for name, own in foil_source(12).offer.cases.items()}
    shared = vlcheck.cases.CaseSource("shared", vlcheck.cases.Offer(cases), 12, 0)
    assert {verdict.n for verdict in judged(doubles.Competent, shared).verdicts} == {12}


def test_a_control_that_sees_no_picture_is_a_rival(source):
    control = doubles.KnowsCaptions(doubles.everything(source), name="reader", fingerprint="reader")
    control.sees = False
    results = judged(doubles.Competent, source, control=control)
    assert set(statuses(results).values()) == {"inconclusive"}
    for verdict in results.verdicts:
        assert {one.name: one.lead for one in without_picture(verdict).choices}[CONTROL] == 0.0
    assert results.control is not None
    seeing = doubles.KnowsCaptions(doubles.everything(source), name="reader", fingerprint="reader")
    assert judged(doubles.Competent, source, control=seeing).passed


class Words:
    """Predicts masked words without a picture: each word of a caption as it has it, and all others rarely."""

    name, fingerprint, mask, sees = "words", "words", "[MASK]", False
    metrics, kinds = frozenset({"mlm"}), {"mlm": "masked-lm"}

    def __init__(self, cases):
        self.captions = [case.caption for case in cases]

    def encode(self, images):
        return np.zeros(len(images))

    def mlm(self, encoded, texts, words):
        def known(text, word):
            return text.replace("[MASK]", word) in self.captions

        return [
            np.array([0.9 if known(text, word) else 0.1 for word in asked])
            for text, asked in zip(texts, words, strict=True)
        ]

    def itm(self, encoded, texts, foils=None):
        raise NotImplementedError


def test_a_control_that_predicts_words_chooses_by_pseudo_log_likelihood(source):
    results = judged(doubles.Competent, source, control=Words(source.cases))
    for verdict in results.verdicts:
        rights = {one.name: one.right for one in without_picture(verdict).choices}
        assert rights[CONTROL] == 1.0
        assert verdict.status == "inconclusive"


def test_two_models_are_compared_pair_by_pair(source):
    old, new = judged(doubles.Competent, source), judged(Forgetful, source)
    comparison = vlcheck.compare(old, new)
    assert {row.verdict for row in comparison.rows} == {"worse"}
    for row in comparison.rows:
        changed = [line for line in new.lines.rows(row.key) if line.violates]
        assert (row.images_worse, row.images_better, row.n) == (len(changed), 0, IMAGES)
        assert len(changed) >= 6
        assert all(line.targets == [line.texts[0]] and len(line.scores[0]) == 2 for line in changed)


def test_too_few_pictures_are_not_asked_about_and_no_bias_is_required_for_them():
    results = judged(doubles.Competent, foil_source(5))
    assert set(statuses(results).values()) == {"not asked"}
    assert results.lines.run.required == []


def test_several_foils_have_all_to_be_beaten(source):
    def doubled(case):
        return dataclasses.replace(case, foils=(*case.foils, f"{case.caption} twice"))

    cases = {name: tuple(map(doubled, own)) for name, own in source.offer.cases.items()}
    twofold = dataclasses.replace(source, offer=vlcheck.cases.Offer(cases), spec="twofold")
    results = judged(doubles.Competent, twofold)
    assert set(statuses(results).values()) <= {"pass", "inconclusive"}
    for verdict in results.verdicts:
        assert math.isclose(without_picture(verdict).chance, 1 / 3)


def test_each_phenomenon_has_one_test():
    from vlcheck.behaviors.collect import collected

    with collected(SUITE / "test_foils.py") as tests:
        asked = [test.behavior.cases.kinds for test in tests]
        assert {test.behavior.bias for test in tests} == {"grounding", "order", "position"}
    assert sorted(kind for (kind,) in asked) == sorted(PHENOMENA)


def test_a_test_that_is_named_and_has_no_cases_says_why(source):
    with pytest.raises(
        vlcheck.UsageError, match="is not asked: foils are asked for, and foils offers none of counting"
    ):
        judged(doubles.Competent, source, tests="test_caption_beats_wrong_count")
    with pytest.raises(vlcheck.UsageError, match="offers foils alone, and other cases are asked for"):
        judged(doubles.Competent, source, tests="test_grayscale_preserves_objects")
    with pytest.raises(vlcheck.UsageError, match="foils are asked for, and scenes:5 offers none"):
        vlcheck.evaluate("tiny", "scenes:5", suite=SUITE, tests=f"test_caption_beats_{OBJECTS.replace('-', '_')}")
