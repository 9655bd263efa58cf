"""Calibrated models: exact numbers on a double, what they ask, and which models they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.mitigate.doubles import BLUE, RED, Seen, Told, ToldTop, ToldYesNo, halves
from vlcheck.cases.picture import Picture
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.itm import AnswersYesNo
from vlcheck.metrics.kinds import ANY
from vlcheck.metrics.query import Query
from vlcheck.mitigate.calibrated import LEAST, Calibrated
from vlcheck.mitigate.symmetrised import Symmetrised
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import StatesSymmetry, lacks
from vlcheck.perturb import Mirror, Solid

GAP = "a cup to the [MASK] of a box"
SIDES = ("left", "right")


def words(picture: str, left: float, right: float) -> dict[tuple[str, str, str], float]:
    return {(picture, GAP, "left"): left, (picture, GAP, "right"): right}


def test_each_word_is_divided_by_its_prior_and_is_a_share_of_all_words() -> None:
    model = Calibrated(Told(words("red", 0.6, 0.3) | words("blue", 0.4, 0.4) | words("blank", 0.8, 0.1)))
    scores = model.mlm(model.encode([halves(), halves(BLUE, RED)]), [GAP, GAP], [SIDES, SIDES[::-1]])
    np.testing.assert_allclose(scores, [[0.2, 0.8], [8 / 9, 1 / 9]])  # 0.75 : 3; 4 : 0.5
    assert model.kinds == {"mlm": "candidates", "itm": "match-head"}


def test_the_odds_of_a_match_are_divided_by_those_of_the_prior() -> None:
    model = Calibrated(Told({("red", "a cup", ""): 0.5, ("blue", "a cup", ""): 0.9, ("blank", "a cup", ""): 0.9}))
    found = model.itm(model.encode([halves(), halves(BLUE, RED)]), ["a cup", "a cup"])
    np.testing.assert_allclose(found, [0.1, 0.5])


def test_compared_texts_are_divided_by_their_own_priors_and_sum_to_one() -> None:
    shares = {"a cup": (0.5, 0.8), "a box": (0.25, 0.1), "a dog": (0.25, 0.1)}
    table = {
        (picture, text, ""): own[at] for text, own in shares.items() for at, picture in enumerate(("red", "blank"))
    }
    told = Told(table, kinds={"itm": "contrastive"})
    model = Calibrated(told)
    texts = list(shares)
    foils = [[other for other in texts if other != text] for text in texts]
    found = model.itm(model.encode([halves()])[[0, 0, 0]], texts, foils)
    np.testing.assert_allclose(found, np.array([0.625, 2.5, 2.5]) / 5.625)
    assert {text: set(against) for _, text, against in told.asked} == dict(zip(texts, map(set, foils), strict=True))


def test_yes_and_no_keep_their_sum() -> None:
    table = {("red", "a cup", "yes"): 0.3, ("red", "a cup", "no"): 0.3}
    told = ToldYesNo(table | {("blank", "a cup", "yes"): 0.09, ("blank", "a cup", "no"): 0.01}, kinds={"itm": "yes-no"})
    model = Calibrated(told)
    assert isinstance(model, AnswersYesNo)
    encoded = model.encode([halves()])
    np.testing.assert_allclose(model.answers(encoded, ["a cup"]), [[0.06], [0.54]])
    np.testing.assert_allclose(model.itm(encoded, ["a cup"]), [0.1])


def test_the_mass_of_the_words_is_that_of_the_wrapped_model() -> None:
    told = Told(words("red", 0.6, 0.3) | words("blank", 0.8, 0.1))
    model = Calibrated(told)
    encoded = model.encode([halves()])
    assert model.top(encoded, [GAP], 5) == [[]]
    model.mlm(encoded, [GAP], [SIDES])
    assert model.top(encoded, [GAP], 5) == [[(ANY, pytest.approx(0.9))]]
    compares = ToldTop(told.table, kinds={"mlm": "candidates"})
    compares.likely = lambda picture: [(ANY, 0.125)]
    assert Calibrated(compares).top(Calibrated(compares).encode([halves()]), [GAP], 5) == [[(ANY, 0.125)]]


def test_a_prior_of_nothing_makes_no_word_the_likeliest() -> None:
    model = Calibrated(Told(words("red", 1e-9, 0.5) | words("blank", 1e-30, 0.5)))
    (scores,) = model.mlm(model.encode([halves()]), [GAP], [SIDES])
    np.testing.assert_allclose(scores, np.array([1e-9 / LEAST, 1]) / (1 + 1e-9 / LEAST))


def test_words_that_never_occur_share_alike_and_what_is_no_number_stays_none() -> None:
    model = Calibrated(Told(words("red", 0, 0) | words("blue", np.nan, 0.5) | words("blank", 0.5, 0.5)))
    nothing, nan = model.mlm(model.encode([halves(), halves(BLUE, RED)]), [GAP, GAP], [SIDES, SIDES])
    assert nothing.tolist() == [0.5, 0.5]
    assert np.isnan(nan).any()


def test_a_single_word_is_refused_as_it_would_always_be_certain() -> None:
    model = Calibrated(Told(words("red", 0.6, 0.3) | words("blank", 0.8, 0.1)))
    with pytest.raises(NotApplicable, match="only compares words"):
        model.mlm(model.encode([halves()]), [GAP], [("left",)])


def test_the_blank_picture_is_encoded_once_and_each_text_is_read_twice() -> None:
    told = Told({(picture, "a cup", ""): 0.5 for picture in ("red", "blank")})
    model = Calibrated(told)
    for _ in range(3):
        model.itm(model.encode([halves(), halves()]), ["a cup", "a cup"])
    assert told.encoded.count("blank") == 1
    assert [picture for picture, _, _ in told.asked] == ["red", "red", "blank", "blank"] * 3


def test_what_no_picture_changes_has_nothing_left() -> None:
    class Blind(Told):
        sees = False

    with pytest.raises(UsageError, match=r"^calibrated: told sees no pictures"):
        Calibrated(Blind())


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        ({"mlm": "image-labels"}, "mlm: image-labels reads no text"),
        ({"mrc": "masked-region"}, "mrc: a picture without content has no regions"),
    ],
)
def test_a_model_without_a_metric_that_has_a_prior_is_refused(kinds: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=rf"told has no metric with a blind prior \({why}.*\)\. Accepted: "):
        Calibrated(Told(kinds=kinds))
    both = Calibrated(Told(kinds={**kinds, "itm": "match-head"}))
    assert both.metrics == {"itm"}
    assert why.partition(": ")[2] in lacks(both, *kinds)


def test_it_states_the_symmetry_of_what_it_wraps() -> None:
    assert not isinstance(Calibrated(Told()), StatesSymmetry)
    model = Calibrated(Symmetrised(Told()))  # type: ignore[arg-type]
    assert isinstance(model, StatesSymmetry)
    query = Query("itm", Picture(Solid((6, 4), RED)), "his left hand")
    assert model.symmetric(query) == Query("itm", query.picture.then(Mirror()), "his right hand")
    assert [one.wrapper for one in model.wrappings] == ["calibrated", "symmetrised"]
    assert model.name == "calibrated:symmetrised:told"


def test_explanations_are_refused() -> None:
    with pytest.raises(NotApplicable, match=r"calibrated:told gives no gradients: .*; explain told"):
        differentiable(Calibrated(Told()))


def test_a_wrong_number_of_scores_is_left_to_the_metric() -> None:
    class Miscounts(Told):
        def itm(self, encoded: Seen, texts: object, foils: object = None) -> np.ndarray:
            return np.array([0.5, 0.5])

    model = Calibrated(Miscounts())
    assert model.itm(model.encode([Image.new("RGB", (4, 4), RED)]), ["a cup"]).tolist() == [0.5, 0.5]
