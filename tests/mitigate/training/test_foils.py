"""Order foils are false where the caption is true, and captions in an unclear order are found."""

from random import Random

import pytest

from tests.zoo.test_captions import holds
from vlcheck.datasets.scenes.sampling import PEOPLE, WORDS
from vlcheck.mitigate.training import draw_foil, joins_exchangeable, order_foils, present_foils
from vlcheck.zoo.curriculum import KINDS, Stage
from vlcheck.zoo.planted_biases import CONTROL

STAGE = Stage(steps=1, kinds={})
THINGS = (*WORDS, *PEOPLE)


@pytest.mark.parametrize(
    ("caption", "foils"),
    [
        ("a red ball and a blue box", {"a blue ball and a red box", "a red box and a blue ball"}),
        ("a cup to the left of a bottle", {"a bottle to the left of a cup"}),
        ("an apple on a plate", {"a plate on an apple"}),
        ("a man feeds a dog", {"a dog feeds a man"}),
        ("a ball and a box", set()),
        ("here is a small red ball and a small red box.", set()),
        ("a cat next to a dog.", set()),
        ("a dog near a cat", set()),
        ("a red and white bus", set()),
        ("a photo of a ball", set()),
        ("a dog beside a dog", set()),
        ("a red car, a blue car", set()),
        (
            "a dog, a cat, and a bird on a bed",
            {
                "a bed, a cat, and a bird on a dog",
                "a dog, a bed, and a bird on a cat",
                "a dog, a cat, and a bed on a bird",
            },
        ),
        ("a dog, a cat and a bird", set()),
        ("a red bus, a blue car", {"a blue bus, a red car", "a red car, a blue bus"}),
        ("a red car parked across from a blue car", set()),
        ("a cat sitting beside a dog", set()),
        ("a red bed next to a blue chair", {"a blue bed next to a red chair", "a red chair next to a blue bed"}),
        ("two red buses behind a blue car", {"two blue buses behind a red car"}),
        ("a man in red pants", set()),
        ("a cup holds a ball, and a dog", {"a ball holds a cup, and a dog", "a dog holds a ball, and a cup"}),
        ("two dogs chase two cats", {"two cats chase two dogs"}),
        ("", set()),
    ],
)
def test_what_can_change_places_does(caption, foils):
    assert set(order_foils(caption)) == foils


def true_captions(number=300):
    for at in range(number):
        rng = Random(at)
        picture, facts = CONTROL.invent(rng, KINDS[at % len(KINDS)])
        yield picture, CONTROL.caption(facts, rng, STAGE).text, rng


def test_foils_of_true_captions_are_false():
    foils = 0
    for picture, caption, _ in true_captions():
        for foil in order_foils(caption, THINGS):
            colors = len({thing.color for thing in picture.source.things})
            assert not holds(foil, picture) or colors == 1, (caption, foil)
            foils += 1
    assert foils > 100


@pytest.mark.parametrize(
    ("caption", "foils"),
    [
        ("a woman holds a ball", {"a woman holds an apple"}),
        ("an apple to the left of a woman", {"a ball to the left of a woman"}),
        ("a photo of a ball", set()),
        ("a woman holds a ball and an apple", set()),
        ("a man rides a horse", set()),
    ],
)
def test_foils_of_what_is_present_replace_one_of_a_relation(caption, foils):
    assert set(present_foils(caption, {"woman", "ball", "apple"}, {"ball", "apple", "horse"})) == foils


def test_foils_of_what_is_present_are_false():
    foils = 0
    for picture, caption, _ in true_captions():
        present = {*(thing.word for thing in picture.source.things), *(one.word for one in picture.source.people)}
        for group in (WORDS, PEOPLE):
            for foil in present_foils(caption, present, group):
                assert not holds(foil, picture), (caption, foil)
                foils += 1
    assert foils > 10


@pytest.mark.parametrize(
    ("caption", "joins"),
    [
        ("a red ball and a blue box", True),
        ("a man holds a cup and a woman holds a book", True),
        ("a ball and a box", False),
        ("a red ball on a blue box", False),
        ("come and see a red ball on a blue box", False),
    ],
)
def test_captions_that_join_what_could_change_places_are_found(caption, joins):
    assert joins_exchangeable(caption) == joins


def test_a_drawn_foil_has_the_words_of_the_caption_in_another_order():
    for seed in range(50):
        for caption in ("a red ball on a blue box", "a photo of a ball", "two dogs"):
            foil = draw_foil(caption, Random(seed))
            assert foil != caption
            assert sorted(foil.split()) == sorted(caption.split())


@pytest.mark.parametrize("caption", ["", "dog", "dog dog"])
def test_what_has_no_other_order_has_no_foil(caption):
    with pytest.raises(ValueError, match="no two words that could change places"):
        draw_foil(caption, Random(0))
