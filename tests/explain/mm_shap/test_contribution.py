"""MM-SHAP of the embedded models."""

import numpy as np
import pytest

import vlcheck
from tests.explain.mm_shap.collapsed import Blindfolded, Deaf
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.explained import WithMMShap
from vlcheck.metrics.pictures import Pictures
from vlcheck.models.protocol import lacks

pytestmark = pytest.mark.slow  # networks are run many times

QUICK = MMShap(precision=0.05)


@pytest.fixture(scope="module")
def cases():
    return vlcheck.open_cases("scenes:3").select(vlcheck.with_target("object"))[:3]


def explained(name, cases):
    network = vlcheck.load_model(name).differentiable()
    return QUICK.explain(network, [case.image.open() for case in cases], [case.caption for case in cases])


@pytest.mark.parametrize(("kind", "share"), [(Blindfolded, 1.0), (Deaf, 0.0)])
def test_a_collapsed_model_owes_all_to_the_other_modality(cases, kind, share):
    network = kind(vlcheck.load_model("tiny").differentiable())
    (one,) = QUICK.explain(network, [cases[0].image.open()], [cases[0].caption])
    assert one.share.value == pytest.approx(share, abs=QUICK.precision)
    assert abs(one.synergy) < 1e-6


def test_values_sum_to_the_score_without_the_empty_pair(cases):
    for one in explained("tiny", cases):
        total = one.token_values.sum() + one.image.values.sum()
        assert total == pytest.approx(one.values.full - one.values.base, abs=1e-9)
        assert one.token_values[0] == 0
        assert len(one.tokens) == len(one.token_values)
        assert one.share.standard_error <= 0.05


def test_a_caption_of_the_fewest_words_is_enumerated(cases):
    network = vlcheck.load_model("tiny").differentiable()
    (one,) = MMShap().explain(network, [cases[0].image.open()], ["a ball"])
    assert one.values.exact
    assert one.share.standard_error == 0
    phi, texts = one.values.phi, 2
    assert one.share.value == pytest.approx(abs(phi[:texts]).sum() / abs(phi).sum())


def test_synergy_is_the_difference_of_the_four_corners(cases):
    one = explained("tiny", cases[:1])[0]
    model = vlcheck.load_model("tiny")
    image, text = cases[0].image.open(), cases[0].caption
    assert one.values.full == pytest.approx(model.itm(model.encode([image]), [text])[0], abs=1e-5)
    assert abs(one.synergy) <= 2


def test_a_model_with_mm_shap_keeps_its_own_metrics(cases):
    tiny = vlcheck.load_model("tiny")
    model = WithMMShap(tiny, method=QUICK)
    assert model.metrics == {*tiny.metrics, "mm-shap"}
    assert (model.name, model.fingerprint) == (tiny.name, tiny.fingerprint)
    images, texts = [case.image.open() for case in cases], [case.caption for case in cases]
    np.testing.assert_array_equal(model.itm(model.encode(images), texts), tiny.itm(tiny.encode(images), texts))
    shares = model.mm_shap(Pictures(tuple(images)), texts)
    assert all(0 <= one.share.value <= 1 for one in shares)


class Closed:
    name, fingerprint, mask = "closed", "v1", "[MASK]"
    metrics, kinds = frozenset({"itm"}), {"itm": "match-head"}

    def encode(self, images):
        return np.zeros(len(images))

    def itm(self, encoded, texts, foils=None):
        return np.full(len(texts), 0.5)


class Wordless(Closed):
    metrics, kinds = frozenset({"mlm"}), {"mlm": "masked-lm"}


@pytest.mark.parametrize(
    ("model", "reason"), [(Closed(), "gives no gradients"), (Wordless(), "explains a match score")]
)
def test_a_model_that_cannot_be_explained_says_why(model, reason):
    assert reason in lacks(WithMMShap(model), "mm-shap")
