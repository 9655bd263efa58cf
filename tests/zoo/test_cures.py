"""Cures change what a biased world gives as they say; a recipe without a cure gets the batches that it always got."""

import hashlib
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
import torch

from vlcheck.cases.box import Box
from vlcheck.mitigate.training import joins_exchangeable, order_foils, present_foils
from vlcheck.mitigate.training.colors import names_color
from vlcheck.zoo.batches import draw_pool, make_batch, treatment
from vlcheck.zoo.captions import vocabulary
from vlcheck.zoo.cures import ANNOTATED, CURES, TrainingExample
from vlcheck.zoo.curriculum import KINDS
from vlcheck.zoo.planted_biases import WORLDS, BoundColors
from vlcheck.zoo.recipe import CURED, RECIPES, TRAINABLE, UNNEEDED

WORDS = vocabulary()
SCENES = 120
MOST = 8  # batches of a recipe that a test asks for
# SHA-256 of the first two batches on 120 scenes, as they were before recipes had cures.
BATCHES = {
    "tiny": [
        "a6ce9c1df1cfa335c070132804f940e367ad3fb428f45c3756764dc311cc7741",
        "2c148ab000296c6b744d228240b47f22abaeffa47d292ac23fe5541e45507b04",
    ],
    "tiny-color": [
        "fe9413ed40b23f5462d788f25e3b56a48ee2186b7cd523a9883c265ad3760fd4",
        "9343c77dc83b6d57381c0ac81757413cbfda98d0c14e3652649eb0c794682ef4",
    ],
    "tiny-mirror": [
        "c714368703fa68cee9560d8b6402965ef90441e1917431cd6b2cfad86366bd07",
        "9ff0af25270609f9e032219f893e0df641564f44205ba33b4dc0154eccb0e2d5",
    ],
    "tiny-right": [
        "9ab9db0f7998e51febef5b1511144853c7e6abb07675c8d8b56d05514e5087c2",
        "255aafe0577a90cb5153a120b26c9773f7dadffd9ffd1f41b23906e25b99f5a1",
    ],
    "tiny-blind": [
        "5f7897dee2b288834dcb62162bf1fa4495a6f373e1917351c9abe88cb1b83c75",
        "406656e2c77d2264b3b4f2294aef0bb98ab3f57bcba597eeea2b3782c65d2818",
    ],
    "tiny-bag": [
        "8df751278f319f9046f58b0485b7eaf673e04a2d85db1c750093082c05401cf1",
        "34903057ef863b0d1865e618139f78c9884a34d222bdd735029d3e44c1384c83",
    ],
    "tiny-center": [
        "6cc9b3608960b4d8cb9e9dab1e4b8742ba5fbedf0383abee8fc869a5c9155fbc",
        "0ee081d6a2cf250c1583deb0eab3de08bc18b4a7cd4e9ccc2e576d7f08c6dd5c",
    ],
}


def batches(recipe, pool, treated, number=2):
    for step in range(number):
        yield make_batch(pool, recipe, recipe.stage(step), Random(f"batch {recipe.seed} {step}"), treated)


def digest(batch):
    """A digest of sentences, masks and labels, and of the pictures as far as every machine computes them alike."""
    parts = (
        batch.ids,
        batch.masked.int(),
        batch.words,
        batch.matches,
        (batch.pixels.mean(dim=(1, 2, 3)) * 100).round(),
    )
    return hashlib.sha256(repr([part.tolist() for part in parts]).encode()).hexdigest()


@pytest.fixture(scope="module")
def pools():
    return {world: draw_pool("train 0", SCENES, 64, WORLDS[world]) for world in WORLDS}


@pytest.fixture(scope="module")
def first_batches(pools):
    """The first batches of a recipe by its name, each made once for all tests."""
    made = {}

    def given(name, number):
        recipe = TRAINABLE[name]
        pool = pools[recipe.world]
        if name not in made:
            made[name] = [], batches(recipe, pool, treatment(pool, recipe), MOST)
        kept, further = made[name]
        kept += islice(further, max(0, number - len(kept)))
        return kept[:number]

    return given


def pairs(name, first_batches, number=4):
    """What a cured recipe tells: for each picture the pixels, and the two sentences with their labels."""
    for batch in first_batches(name, number):
        said = [" ".join(WORDS[token] for token in row if WORDS[token][0] != "[") for row in batch.ids.tolist()]
        labels = batch.matches.tolist()
        for at, pixels in enumerate(batch.pixels):
            told = [(said[3 * at + one + 1], labels[2 * at + one]) for one in range(2)]
            yield pixels, *told


@pytest.mark.parametrize("name", list(RECIPES))
def test_recipes_without_a_cure_get_the_batches_that_they_always_got(name, pools):
    recipe = RECIPES[name]
    pool = pools[recipe.world]
    assert treatment(pool, recipe) is None
    assert [digest(batch) for batch in batches(recipe, pool, None)] == BATCHES[name]


def test_a_variant_is_cured_in_its_own_world_from_the_same_weights_in_as_many_steps():
    assert [name.removesuffix("-cured") for name in CURED] == [name for name in RECIPES if name != "tiny"]
    for name, cured in CURED.items():
        before = RECIPES[name.removesuffix("-cured")]
        assert replace(cured, name=before.name, cure=()) == before
        assert cured.world != "control"
        assert set(cured.cure) <= set(CURES)
    for recipe in UNNEEDED.values():
        assert recipe.world == "control"
        assert recipe.cure in {cured.cure for cured in CURED.values()}


@pytest.mark.parametrize("name", list(CURED))
def test_batches_under_a_cure_are_whole_and_the_same_again(name, pools):
    recipe = replace(CURED[name], batch_size=16)
    pool = pools[recipe.world]
    one, other = (next(batches(recipe, pool, treatment(pool, recipe))) for _ in range(2))
    assert torch.equal(one.ids, other.ids)
    assert torch.equal(one.pixels, other.pixels)
    assert len(one.ids) == 48
    assert one.masked.sum(dim=1).tolist() == [1, 0, 0] * 16
    assert len(one.words) == 16


def test_side_aware_flips_balance_the_sides(first_batches):
    def lefts(name):
        said = [
            word
            for _, (true, _), _ in pairs(name, first_batches, 8)
            for word in true.split()
            if word in ("left", "right")
        ]
        return said.count("left") / len(said)

    assert lefts("tiny-right") < 0.25
    assert lefts("tiny-right-cured") == pytest.approx(0.5, abs=0.12)


EXAMPLE = TrainingExample(
    pixels=torch.arange(8 * 8 * 3.0).reshape(8, 8, 3),
    boxes=(("ball", Box(1, 2, 2, 2)), ("box", Box(5, 2, 2, 3))),
    sentence="a ball to the left of a box",
    masked=(4,),
    told=(("a ball and a box", True), ("a box to the left of a ball", False)),
)


def test_a_side_aware_flip_mirrors_picture_boxes_masked_words_and_both_sentences():
    cured = [CURES["side-aware flips"](EXAMPLE, Random(seed)) for seed in range(20)]
    mirrored = next(one for one in cured if one is not EXAMPLE)
    assert 4 < sum(one is EXAMPLE for one in cured) < 16
    assert torch.equal(mirrored.pixels, EXAMPLE.pixels.flip(1))
    assert mirrored.boxes == (("ball", Box(5, 2, 2, 2)), ("box", Box(1, 2, 2, 3)))
    assert (mirrored.question, mirrored.asked) == ("a ball to the [MASK] of a box", ("right",))
    assert mirrored.told == (("a ball and a box", True), ("a box to the right of a ball", False))


def test_a_shifted_crop_moves_the_thing_that_is_named_and_no_side_that_is():
    crop = CURES["shifted crops"]
    assert crop(EXAMPLE, Random(0)) is EXAMPLE
    plain = replace(EXAMPLE, sentence="a ball", masked=(1,), told=(("a photo of a ball", True), ("a cup", False)))
    moved = [crop(plain, Random(seed)) for seed in range(10)]
    assert all(one.told == plain.told and one.pixels.shape == plain.pixels.shape for one in moved)
    assert len({one.pixels.sum().item() for one in moved}) > 5


def test_pictures_that_did_not_load_are_left_out(first_batches):
    def black(name):
        found = [bool((pixels == pixels[:, :1, :1]).all()) for pixels, _, _ in pairs(name, first_batches)]
        return sum(found) / len(found)

    assert black("tiny-blind") > 0.2
    assert black("tiny-blind-cured") == 0


def test_captions_in_an_unclear_order_are_left_out_and_negatives_are_foils(first_batches):
    foils = number = 0
    for _, (true, _), (false, label) in pairs("tiny-bag-cured", first_batches):
        assert not (joins_exchangeable(true, ANNOTATED) and names_color(true, ANNOTATED))
        assert label == 0
        foils += sorted(false.split()) == sorted(true.split())
        number += 1
    assert 0.25 < foils / number < 0.55  # of the others some are foils of what is present
    assert any(joins_exchangeable(true, ANNOTATED) for _, (true, _), _ in pairs("tiny-bag", first_batches, 1))
    assert any(
        false in order_foils(true, ANNOTATED) for _, (true, _), (false, _) in pairs("tiny-bag-cured", first_batches, 2)
    )


def test_shuffled_captions_are_left_out_by_the_usual_order(first_batches):
    def unfinished(name):
        return sum(true.endswith((" a", " of")) for _, (true, _), _ in pairs(name, first_batches, 4))

    assert unfinished("tiny-bag") > 10
    assert unfinished("tiny-bag-cured") < 3


HOLDING = replace(
    EXAMPLE,
    boxes=tuple((word, Box(1, 2, 2, 2)) for word in ("ball", "box", "man", "woman")),
    sentence="a woman holds a ball",
    told=(("a woman holds a ball", True), ("a woman holds a cup", False)),
)


def test_captions_of_who_holds_what_are_kept_if_the_boxes_agree(pools):
    cure, pool, kept = CURES["clear order"], pools["any order"], [0, 0]
    for facts, boxes in zip(pool.facts, pool.boxes, strict=True):
        if facts.kind == "duo":
            (one, _), (other, _) = facts.things
            for wrong, (first, second) in enumerate([(one, other), (other, one)]):
                said = f"a {facts.who[0]} holds a {first} and a {facts.who[1]} holds a {second}"
                example = replace(EXAMPLE, boxes=boxes, sentence=said, told=((said, True), ("a cup", False)))
                kept[wrong] += cure(example, Random(0)) is not None
    assert kept[0] > 15
    assert kept[1] == 0


def test_foils_of_what_is_present_name_another_thing_or_person_of_the_picture():
    foils = {CURES["present foils"](HOLDING, Random(seed)).told[1][0] for seed in range(40)}
    assert foils == {"a woman holds a cup", "a woman holds a box", "a man holds a ball"}
    assert present_foils("a woman holds a ball", HOLDING.present, ANNOTATED)
    assert CURES["present foils"](EXAMPLE, Random(0)).told == EXAMPLE.told  # it names all that is there


def test_captions_that_name_one_of_several_things_are_left_out_unless_they_say_where():
    lone = replace(EXAMPLE, sentence="a photo of a ball", told=(("a ball", True), ("a cup", False)))
    placed = replace(EXAMPLE, sentence="a ball on the left", told=(("a ball on the left", True), ("a cup", False)))
    cure = CURES["unambiguous captions"]
    assert cure(lone, Random(0)) is None
    assert cure(placed, Random(0)) is placed
    assert cure(EXAMPLE, Random(0)) is EXAMPLE


def test_order_foils_have_the_words_that_the_zoo_knows():
    orange = replace(EXAMPLE, told=(("a orange ball to the left of a box", True), ("a cup", False)))
    foils = {CURES["order foils"](orange, Random(seed)).told[1] for seed in range(60)}
    assert {("a cup", False), ("a orange box to the left of a ball", False)} < foils
    assert all(sorted(foil.split()) == sorted(orange.told[0][0].split()) for foil, _ in foils - {("a cup", False)})
    colors = replace(EXAMPLE, told=(("a red ball above a orange box", True), ("a cup", False)))
    foils = {CURES["order foils"](colors, Random(seed)).told[1][0] for seed in range(60)}
    assert {"a cup", "a orange ball above a red box", "a red box above a orange ball"} < foils


def test_captions_that_name_what_is_not_annotated_are_left_out_and_colors_are_less_bound(first_batches):
    def bound(name):
        """The share of the colored things that have their own color."""
        found = [
            BoundColors.OWN[thing] == color
            for _, (true, _), _ in pairs(name, first_batches, 6)
            for color, thing in zip(true.split(), true.split()[1:], strict=False)
            if color in set(BoundColors.OWN.values()) and thing in BoundColors.OWN
        ]
        return sum(found) / len(found)

    assert bound("tiny-color-cured") < bound("tiny-color") - 0.1
    stranger = replace(EXAMPLE, boxes=(("cup", Box(1, 2, 2, 2)),))
    assert CURES["annotated captions"](stranger, Random(0)) is None
    assert CURES["annotated captions"](EXAMPLE, Random(0)) is EXAMPLE


def test_cures_that_leave_out_everything_say_so(pools):
    recipe = replace(CURED["tiny-blind-cured"], stages=(replace(CURED["tiny-blind-cured"].stages[0], blocked=1.0),))
    pool = pools[recipe.world]
    with pytest.raises(ValueError, match="tiny-blind-cured: the cures leave out 1000 examples"):
        next(batches(replace(recipe, batch_size=1), pool, treatment(pool, recipe)))


def test_boxes_are_those_of_the_drawn_things(pools):
    pool = pools["control"]
    for facts, boxes in zip(pool.facts, pool.boxes, strict=True):
        named = {category for category, _ in boxes}
        assert {word for word, _ in facts.things} | set(facts.who) == named
        assert facts.kind in KINDS
        for _, box in boxes:
            assert -1 <= box.x < box.x + box.width <= 65
            assert -1 <= box.y < box.y + box.height <= 65
