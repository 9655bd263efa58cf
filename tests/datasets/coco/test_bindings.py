"""Bindings from captions: two things, each with a color that no caption gives the other."""

import pytest

from vlcheck.cases import with_target
from vlcheck.cases.view import View
from vlcheck.datasets.registry import open_source
from vlcheck.perturb import Exchange


def exchanged(case):
    after = Exchange()(View.of(case), ())
    return after.filled(after.target)


def test_each_of_two_colors_is_the_target_once(folder):
    folder.photograph("A man in a red shirt beside a blue bus.", instances=[("bus", 0, 0, 80, 80)])
    (red, blue), reasons = folder.offered("binding")
    assert reasons == {}
    assert (red.target, red.candidates, red.region) == ("red", ("blue",), ())
    assert (blue.target, blue.candidates, blue.region) == ("blue", ("red",), ((0, 0, 80, 80),))
    assert (red.other_region, blue.other_region) == (((0, 0, 80, 80),), ())
    assert red.about == blue.about == {"red", "blue"}
    assert red.tags == {"binding", "names-chromatic", "legible-text"}
    assert red.bare == "A man in a [MASK] shirt beside a bus."
    assert blue.bare == "A man in a shirt beside a [MASK] bus."


@pytest.mark.parametrize(
    ("caption", "said", "bare"),
    [
        ("A red bus near a grey wall.", "A grey bus near a red wall.", "A [MASK] bus near a wall."),
        ("An orange cat on a blue mat.", "A blue cat on an orange mat.", "A [MASK] cat on a mat."),
        ("The orange cat on a blue mat.", "The blue cat on an orange mat.", "The [MASK] cat on a mat."),
        ("A black cat, an orange umbrella", "An orange cat, a black umbrella", "A [MASK] cat, an umbrella"),
        ("A red bus, a blue umbrella", "A blue bus, a red umbrella", "A [MASK] bus, an umbrella"),
        ("Red flowers in a white bowl", "White flowers in a red bowl", "[MASK] flowers in a bowl"),
        ("A red stop sign by a blue wall", "A blue stop sign by a red wall", "A [MASK] stop sign by a wall"),
        ("A red bus, an hour, a blue wall", "A blue bus, an hour, a red wall", "A [MASK] bus, an hour, a wall"),
        ("Two brown dogs on green grass", "Two green dogs on brown grass", "Two [MASK] dogs on grass"),
    ],
)
def test_exchanged_colors_make_a_sentence(folder, caption, said, bare):
    folder.photograph(caption, annotated=False)
    case = folder.offered("binding")[0][0]
    assert (exchanged(case).lower(), case.bare) == (said.lower(), bare)


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("A red bus and a red wall.", "caption binds one color to two nouns"),
        ("A red shirt and hat beside a blue bus.", "caption binds one color to two nouns"),
        ("A blue bus beside a red hat or bowl.", "caption binds one color to two nouns"),
        ("A red bus, a blue wall and a red sign.", "caption binds one color to two nouns"),
        ("A red bus beside a blue bus.", "captions disagree about the color"),
        ("A white kitten and a black cat.", "captions disagree about the color"),
        ("A red bus beside a blue wall and a bus.", "caption names one of the things more than once"),
        ("A black man with a red hat.", "color word is said of a person"),
        ("A red and white bus beside a blue wall.", "thing has several colors"),
        ("A red bus beside something blue.", "color word is not directly before a known noun"),
        ("A red bus beside a glass of white wine.", "color word has another sense"),
        ("A red wall clock thing beside a blue bus.", "noun is part of a longer one"),
        ("A red bus beside a pink wall.", "viewers mix up the two colors"),
        ("A black bus beside a grey wall.", "viewers mix up the two colors"),
        ("A neon green bus beside a black wall.", "color has a shade"),
        ("A statue of a red bus beside a blue wall.", "caption is about a depiction"),
        ("A red bus beside a blue wall, no people.", "caption says what is not there"),
    ],
)
def test_two_colors_make_no_case(folder, caption, reason):
    folder.photograph(caption, annotated=False)
    cases, reasons = folder.offered("binding")
    assert cases == []
    assert reason in reasons


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ("A blue bus.", "captions disagree about the color"),
        ("A red and blue bus.", "captions disagree about the color"),
        ("A red wall.", "captions disagree about the color"),
        ("An orange wall.", "captions disagree about the color"),
        ("The bus is blue.", "captions may give one thing the other's color"),
        ("A bus painted blue.", "captions may give one thing the other's color"),
        ("A blue city bus.", "captions may give one thing the other's color"),
    ],
)
def test_another_caption_can_make_the_exchange_true(folder, other, reason):
    folder.photograph("A red bus beside a blue wall.", other, annotated=False)
    cases, reasons = folder.offered("binding")
    assert cases == []
    assert reason in reasons


@pytest.mark.parametrize("other", ["A red bus.", "A blue hat beside a bus.", "Blue lorem ipsum flowers beside a bus."])
def test_a_caption_that_gives_the_color_to_something_else_disputes_nothing(folder, other):
    folder.photograph("A red bus beside a blue wall.", other, annotated=False)
    assert len(folder.offered("binding")[0]) == 2


def test_a_photograph_without_color_binds_none(folder):
    folder.photograph("A red bus beside a blue wall.", "A black and white photo of a bus.")
    assert folder.offered("binding") == ([], {"photograph is said to have no color": 1})


def test_the_first_caption_that_binds_two_things_gives_both_cases(folder):
    folder.photograph("A red bus beside a blue wall.", "Blue wall, red bus.", "A red bus, a white hat.")
    cases, _ = folder.offered("binding")
    assert [case.caption for case in cases] == ["A red bus beside a blue wall."] * 2 + ["A red bus, a white hat."] * 2
    assert len({case.id for case in cases}) == 4


def test_photographs_have_bindings(photographs_root):
    source = open_source(f"coco:{photographs_root}")
    found = {(case.caption, exchanged(case)) for case in source.cases if "binding" in case.tags}
    assert ("A large white bowl of many green apples.", "A large green bowl of many white apples.") in found
    assert len(source.select(with_target("binding"))) >= 3
