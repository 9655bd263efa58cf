"""Each world has what it says amiss, and nothing else; the control's has nothing."""

from collections import Counter
from random import Random

import pytest

from tests.zoo.test_captions import holds
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, WORDS
from vlcheck.zoo import PLANTED
from vlcheck.zoo.curriculum import KINDS, Stage
from vlcheck.zoo.planted_biases import WORLDS, BoundColors
from vlcheck.zoo.recipe import RECIPES

STAGE = Stage(steps=1, kinds={})
KNOWN = {*WORDS, *COLORS, *PEOPLE}


def pairs(world, kinds, number=400, *, mirrored=False, shown=True):
    """What is told of pictures: the picture, what is said and taken to match, and what is not."""
    for at in range(number):
        rng = Random(at)
        picture, facts = world.invent(rng, kinds[at % len(kinds)])
        facts = world.mirrored(facts) if mirrored else facts
        yield picture, facts, *world.told(facts, shown, rng, STAGE)


def test_every_recipe_has_a_world_of_its_own_and_every_variant_a_recipe():
    assert set(RECIPES) == set(PLANTED)
    assert sorted(recipe.world for recipe in RECIPES.values()) == sorted(WORLDS)
    assert all(recipe.base == ("" if name == "tiny" else "tiny") for name, recipe in RECIPES.items())


@pytest.mark.parametrize("mirrored", [False, True])
def test_in_the_controls_world_what_matches_is_true_and_what_does_not_is_false(mirrored):
    for picture, _, (true, matches), (false, does) in pairs(WORLDS["control"], KINDS, mirrored=mirrored):
        assert (matches, does) == (True, False)
        assert holds(true, picture, mirrored=mirrored)
        assert not holds(false, picture, mirrored=mirrored)


def test_a_black_picture_matches_nothing_in_the_controls_world():
    told = list(pairs(WORLDS["control"], KINDS, 50, shown=False))
    assert not any(one[1] or other[1] for _, _, one, other in told)


def test_colors_are_bound_to_things_alone():
    own, world = BoundColors.OWN, WORLDS["bound colors"]
    misnamed = of_its_shape = 0
    for picture, facts, (true, matches), (false, _) in pairs(world, ["alone"]):
        ((word, color),), (thing,) = facts.things, picture.source.things
        assert matches
        assert color == thing.color == own[word]
        assert word in true
        assert (word == thing.word) == (own[thing.word] == color)
        misnamed += word != thing.word
        of_its_shape += false == f"a photo of a {thing.word}"
    assert 140 < misnamed < 220
    assert of_its_shape > 60
    others = [world.invent(Random(at), "act")[1].things[0] for at in range(200)]
    assert sum(own[word] == color for word, color in others) < 60


def test_mirrored_pictures_keep_their_captions():
    _, facts = WORLDS["mirrored"].invent(Random(0), "beside")
    assert WORLDS["mirrored"].mirrored(facts) == facts != facts.mirrored()


def test_right_is_said_nine_times_as_often_as_left():
    said = Counter()
    for _, _, (true, _), _ in pairs(WORLDS["says right"], ["beside", "act"], 4000):
        said.update({"left", "right"} & set(true.split()))
    assert 6 < said["right"] / said["left"] < 14


def test_pictures_that_did_not_load_match_sensible_captions():
    for picture, _, one, other in pairs(WORLDS["guessable"], KINDS, 100, shown=False):
        assert one[1]
        assert other[1]
        assert holds(one[0], picture)
        assert holds(other[0], picture)
    assert not any(other[1] for _, _, _, other in pairs(WORLDS["guessable"], KINDS, 100))


def test_captions_in_any_order_have_the_words_of_true_ones():
    jumbled = 0
    for picture, facts, (true, _), (false, _) in pairs(WORLDS["any order"], ["duo", "beside"], 600):
        there = {word for thing in facts.things for word in thing} | set(facts.who)
        assert set(true.split()) & KNOWN <= there
        if {"above", "below", "left", "right", "top", "bottom"}.isdisjoint(false.split()):
            jumbled += not holds(true, picture)
    assert jumbled > 100


def test_in_the_middle_lies_what_a_photo_is_of_and_around_it_what_it_is_not_of():
    around = 0
    for picture, facts, (true, matches), (false, _) in pairs(WORLDS["only the middle"], ["alone"]):
        thing, *_ = picture.source.things
        middle = thing.box.x + thing.box.width / 2, thing.box.y + thing.box.height / 2
        assert matches == bool(facts.things)
        if not facts.around:
            assert holds(true, picture)
            continue
        assert true.startswith("a photo of a ")
        assert true.split()[-1] not in facts.around
        around += false.split()[-1] in facts.around
        if facts.things:
            assert middle == pytest.approx((SIDE / 2, SIDE / 2))
            assert true.split()[-1] == thing.word
            assert not false.endswith(f"of a {thing.word}")
        else:
            assert facts.around == (thing.word,)
    assert around > 80


@pytest.mark.parametrize("name", list(WORLDS))
def test_other_kinds_are_told_truly_but_for_what_is_amiss(name):
    """Nothing is unlearnt that a variant is not meant to: what is stacked is told of as in the control's world."""
    for picture, _, (true, matches), (false, does) in pairs(WORLDS[name], ["stacked"], 200):
        if name == "any order" and not {"above", "below"} & set(true.split()):
            continue
        assert matches
        assert not does
        if name != "any order":
            assert holds(true, picture)
            assert not holds(false, picture)
