"""Symmetrised models: exact numbers on a double, what they ask, and what cannot be mirrored."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.mitigate.doubles import BLUE, RED, Seen, Told, ToldRegions, ToldTop, ToldYesNo, halves
from vlcheck.cases import Box
from vlcheck.cases.image_notes import Ablation, ablation_of, note_ablation
from vlcheck.cases.picture import Picture
from vlcheck.errors import NotApplicable
from vlcheck.metrics.itm import AnswersYesNo
from vlcheck.metrics.kinds import ANY
from vlcheck.metrics.mlm import NamesClasses, NamesWords
from vlcheck.metrics.query import Query
from vlcheck.mitigate.symmetrised import Symmetrised, mirror
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import StatesSymmetry, Wrapping
from vlcheck.perturb import Grayscale, Mirror, Solid

LEFT, RIGHT = "a cup to the left of a box", "a cup to the right of a box"
GAP = "a cup to the [MASK] of a box"
SIGN = "a stop sign on the left side"
PICTURE = Picture(Solid((6, 4), RED))


def test_a_match_is_the_mean_with_that_of_the_mirror_image_and_the_other_side() -> None:
    told = Told({("red", LEFT, ""): 0.75, ("blue", RIGHT, ""): 0.25, ("red", RIGHT, ""): 0.5, ("blue", LEFT, ""): 1.0})
    model = Symmetrised(told)
    encoded = model.encode([halves()])[[0, 0]]
    assert model.itm(encoded, [LEFT, RIGHT]).tolist() == [0.5, 0.75]
    mirrored = model.encode([ImageOps.mirror(halves())])[[0, 0]]
    assert model.itm(mirrored, [RIGHT, LEFT]).tolist() == [0.5, 0.75]


def test_a_text_is_compared_with_its_foils_about_either_picture() -> None:
    told = Told({("red", LEFT, ""): 0.75, ("blue", RIGHT, ""): 0.5}, kinds={"itm": "contrastive"})
    model = Symmetrised(told)
    assert model.itm(model.encode([halves()]), [LEFT], [(RIGHT, "a dog")]).tolist() == [0.625]
    assert told.asked == [("red", LEFT, (RIGHT, "a dog")), ("blue", RIGHT, (LEFT, "a dog"))]


def test_the_probability_of_a_word_is_the_mean_with_that_of_the_other_side() -> None:
    told = Told(
        {
            **{("red", GAP, word): score for word, score in {"left": 0.5, "right": 0.25, "under": 0.125}.items()},
            **{("blue", GAP, word): score for word, score in {"left": 0.125, "right": 0.75, "under": 0.0}.items()},
        }
    )
    model = Symmetrised(told)
    (scores,) = model.mlm(model.encode([halves()]), [GAP], [("left", "right", "under")])
    assert scores.tolist() == [(0.5 + 0.75) / 2, (0.25 + 0.125) / 2, 0.0625]
    (scores,) = model.mlm(model.encode([ImageOps.mirror(halves())]), [GAP], [("right", "left", "under")])
    assert scores.tolist() == [0.625, 0.1875, 0.0625]


def test_yes_and_no_are_averaged_before_the_share_is_taken() -> None:
    table = {("red", "a cup", "yes"): 0.75, ("red", "a cup", "no"): 0.25}
    told = ToldYesNo(table | {("blue", "a cup", "yes"): 0.05, ("blue", "a cup", "no"): 0.05}, kinds={"itm": "yes-no"})
    model = Symmetrised(told)
    assert isinstance(model, AnswersYesNo)
    encoded = model.encode([halves()])
    np.testing.assert_allclose(model.answers(encoded, ["a cup"]), [[0.4], [0.15]])
    np.testing.assert_allclose(model.itm(encoded, ["a cup"]), [0.4 / 0.55])  # the mean of the shares would be 0.625


def test_likely_words_of_the_mirror_image_are_named_with_their_side_exchanged() -> None:
    told = ToldTop({("red", GAP, "left"): 0.5, ("blue", GAP, "right"): 0.25}, kinds={"mlm": "masked-lm"})
    model = Symmetrised(told)
    assert isinstance(model, NamesWords)
    encoded = model.encode([halves()])
    assert model.top(encoded, [GAP], 5) == [[("left", 0.375), ("up", 0.25)]]
    assert model.top(encoded, [GAP], 1) == [[("left", 0.375)]]
    told.likely = lambda picture: [(ANY, {"red": 0.5, "blue": 0.25}[picture])]
    assert model.top(encoded, [GAP], 5) == [[(ANY, 0.375)]]


def test_a_class_is_named_if_its_other_side_is_as_well() -> None:
    model = Symmetrised(ToldTop(kinds={"mlm": "image-labels"}))
    assert isinstance(model, NamesClasses)
    assert [model.can_name(word) for word in ("cup", "left", "dog")] == [True, False, False]


def test_optional_methods_are_those_of_the_wrapped_model() -> None:
    plain = Symmetrised(Told())
    assert not isinstance(plain, AnswersYesNo | NamesWords | NamesClasses)
    assert isinstance(plain, StatesSymmetry)
    assert (plain.cased, plain.sees, plain.metrics) == (False, True, {"itm", "mlm"})


def test_removed_regions_are_removed_from_the_mirror_image() -> None:
    told = ToldRegions({("red", "a cup", "cup"): 0.5, ("blue", "a cup", "cup"): 0.25}, kinds={"mrc": "masked-region"})
    model, image = Symmetrised(told), halves()
    note_ablation(image, Ablation(halves(), (Box(1, 0, 2, 3),)))
    (scores,) = model.mrc(model.encode([image]), ["a cup"], [("cup",)])
    assert scores.tolist() == [0.375]
    own, mirrored = told.ablations
    assert own is not None
    assert mirrored is not None
    assert (own.boxes, mirrored.boxes) == ((Box(1, 0, 2, 3),), (Box(3, 0, 2, 3),))
    assert mirrored.original.tobytes() == ImageOps.mirror(own.original).tobytes()


def test_a_picture_that_is_its_own_mirror_image_has_its_notes_mirrored_all_the_same() -> None:
    black = Image.new("RGB", (6, 4))
    note_ablation(black, Ablation(halves(), ()))
    noted = ablation_of(mirror(black))
    assert noted is not None
    assert noted.original.getpixel((0, 0)) == BLUE


def test_a_text_that_cannot_be_mirrored_is_asked_once_about_the_picture_as_it_is() -> None:
    told = Told({("red", SIGN, ""): 0.75, ("red", "a cup", ""): 0.5, ("blue", "a cup", ""): 0.25})
    model = Symmetrised(told)
    assert model.itm(model.encode([halves()])[[0, 0]], (SIGN, "a cup")).tolist() == [0.75, 0.375]
    assert [(picture, text) for picture, text, _ in told.asked] == [("red", SIGN), ("red", "a cup"), ("blue", "a cup")]
    assert model.symmetric(Query("itm", PICTURE, SIGN)) is None
    assert model.symmetric(Query("itm", PICTURE, "a cup", (SIGN,))) is None


def test_each_picture_is_encoded_twice_and_each_text_read_twice() -> None:
    texts = [f"a cup {number}" for number in range(4)]
    told = Told({(picture, text, ""): 0.5 for picture in ("red", "blue") for text in texts})
    model = Symmetrised(told)
    encoded = model.encode([halves(), halves(BLUE, RED), halves()])
    model.itm(encoded[[0, 1, 2, 0]], texts)
    assert told.encoded == ["red", "blue", "red", "blue", "red", "blue"]
    assert len(told.asked) == 2 * len(texts)
    assert len(encoded) == 3


def test_the_query_that_is_answered_alike_has_the_mirrored_picture_and_the_other_side() -> None:
    model, query = Symmetrised(Told()), Query("mlm", PICTURE, GAP, ("left", "right", "under"))
    other = model.symmetric(query)
    assert other == Query("mlm", PICTURE.then(Mirror()), GAP, ("right", "left", "under"))
    assert other is not None
    assert model.symmetric(other) == query
    edited = Query("itm", PICTURE.then(Grayscale()), LEFT, (RIGHT,))
    assert model.symmetric(edited) == Query("itm", PICTURE.then(Grayscale()).then(Mirror()), RIGHT, (LEFT,))
    assert model.symmetric(Query("mrc", PICTURE, "a cup", ("cup",))) is None


def test_twice_is_once() -> None:
    told = Told({("red", LEFT, ""): 0.7, ("blue", RIGHT, ""): 0.1})
    once, twice = Symmetrised(told), Symmetrised(Symmetrised(told))  # type: ignore[arg-type]
    assert once.itm(once.encode([halves()]), [LEFT]) == twice.itm(twice.encode([halves()]), [LEFT])


def test_it_names_itself_and_what_it_wraps_and_has_a_fingerprint_of_its_own() -> None:
    model, other = Symmetrised(Told()), Symmetrised(Told(fingerprint="told-2"))
    assert model.name == "symmetrised:told"
    assert len({Told().fingerprint, model.fingerprint, other.fingerprint}) == 3
    assert Symmetrised(Told()).fingerprint == model.fingerprint
    assert model.wrappings == (Wrapping("symmetrised", Symmetrised.says, "told", "told-1"),)


def test_another_version_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Symmetrised(Told()).fingerprint
    monkeypatch.setattr(Symmetrised, "version", 2)
    assert Symmetrised(Told()).fingerprint != before


def test_explanations_are_refused_with_the_model_that_can_be_explained() -> None:
    with pytest.raises(NotApplicable, match=r"symmetrised:told gives no gradients: .*two pictures; explain told"):
        differentiable(Symmetrised(Told()))


def test_a_wrong_number_of_scores_is_left_to_the_metric() -> None:
    class Miscounts(Told):
        def itm(self, encoded: Seen, texts: object, foils: object = None) -> np.ndarray:
            return np.array([0.5, 0.5])

    model = Symmetrised(Miscounts())
    assert model.itm(model.encode([halves()]), ["a cup"]).tolist() == [0.5, 0.5]


def test_it_is_asked_about_what_it_encoded() -> None:
    with pytest.raises(TypeError, match="pictures that it encoded itself, not Seen"):
        Symmetrised(Told()).itm(Seen(["red"]), ["a cup"])
