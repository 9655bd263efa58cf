"""What makes a case, and each reason why something does not."""

import pytest

from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source

LEFT, RIGHT = (0, 0, 80, 80), (100, 0, 80, 80)


def offered(folder, kind):
    """The cases of a kind, and what was left out of that kind."""
    source = open_source(f"coco:{folder.write()}")
    cases = [case for case in source.cases if kind in case.tags]
    reasons = {reason.removeprefix(f"{kind}: "): count for reason, count in source.left_out.items() if kind in reason}
    return cases, reasons


def masked(folder, kind):
    return [case.masked for case in offered(folder, kind)[0]]


@pytest.mark.parametrize(
    ("caption", "category", "reason"),
    [
        ("A bench in a park.", "dog", "no caption names an annotated category"),
        ("A dog beside another dog.", "dog", "caption names the category more than once"),
        ("A dog with a puppy.", "dog", "caption names the category more than once"),
        ("A dog groomer on the grass.", "dog", "word is part of a longer noun"),
        ("The dog's ball lies there.", "dog", "word is part of a longer noun"),
        ("A dog-friendly park.", "dog", "caption names the category more than once"),
        ("People wait at the bus stop.", "bus", "no caption names an annotated category"),
        ("A statue of a dog.", "dog", "caption is about a depiction"),
        ("A hot dog with mustard.", "dog", "no caption names an annotated category"),
        ("A hot dog beside a dog.", "dog", "caption names the category more than once"),
        ("A hot dog with mustard.", "hot dog", "no caption names an annotated category"),
        ("An orange and white cat.", "orange", "no caption names an annotated category"),
        ("A man on a street, no dog.", "dog", "caption says what is not there"),
        ("A field without a dog.", "dog", "caption says what is not there"),
        ('A cup that says "dog".', "dog", "caption is about a depiction"),
        ("They dog his steps.", "dog", "word may be a verb"),
        ("People bowl in an alley.", "bowl", "word is part of a longer noun"),
        ("They book a room.", "book", "word may be a verb"),
    ],
)
def test_an_object_is_left_out(folder, caption, category, reason):
    folder.photograph(caption, instances=[(category, *LEFT)])
    assert offered(folder, "object") == ([], {reason: 1})


@pytest.mark.parametrize(
    ("caption", "category", "target"),
    [
        ("A  dog\nruns, fast.", "dog", "dog"),
        ("A DOG, asleep.", "dog", "dog"),
        ("The puppy sleeps.", "dog", "puppy"),
        ("A laptop computer on a desk.", "laptop", "laptop"),
        ("A bowl of soup.", "bowl", "bowl"),
        ("An orange cat.", "cat", "cat"),
        ("A person, dog and cat.", "dog", "dog"),
    ],
)
def test_an_object_is_named_once(folder, caption, category, target):
    folder.photograph(caption, instances=[(category, *LEFT)])
    (case,), reasons = offered(folder, "object")
    assert (case.target, case.caption, reasons) == (target, " ".join(caption.split()), {})
    assert case.about == {category}


def test_the_first_caption_that_has_a_case_gives_it(folder):
    folder.photograph("A dog and a dog.", "One dog.", "This dog.", instances=[("dog", *LEFT)])
    cases, reasons = offered(folder, "object")
    assert [case.caption for case in cases] == ["One dog."]
    assert reasons == {}


def test_a_photograph_that_is_not_listed_is_not_annotated_and_one_without_instances_is_empty(folder):
    folder.photograph("A dog.", annotated=False)
    folder.photograph("A dog.")
    _, reasons = offered(folder, "object")
    assert reasons == {"photograph is not annotated": 1, "no caption names an annotated category": 1}


def test_captions_that_disagree_about_the_person_give_no_target(folder):
    folder.photograph("A man runs.", "A woman runs.", instances=[("person", *LEFT)])
    folder.photograph("A man runs.", "A person runs.", instances=[("person", *LEFT)])
    cases, reasons = offered(folder, "object")
    assert [(case.target, "person" in case.tags) for case in cases] == [("man", True)]
    assert reasons == {"captions disagree about the person": 1}


@pytest.mark.parametrize(
    ("caption", "instances", "bare"),
    [
        ("A dog.", [("dog", *LEFT)], "a photo of a [MASK]"),
        ("Two dogs.", [("dog", *LEFT), ("dog", *RIGHT)], "a photo of [MASK]"),
        ("A dog.", [("dog", *LEFT), ("cat", 100, 0, 40, 80)], "a photo of a [MASK]"),
        ("A dog.", [("dog", *LEFT), ("cat", 100, 0, 41, 80)], None),
        ("A dog.", [("cat", *LEFT), ("dog", 100, 0, 10, 10)], None),
    ],
)
def test_only_what_stands_out_has_a_bare_text(folder, caption, instances, bare):
    folder.photograph(caption, instances=instances)
    (case,), _ = offered(folder, "object")
    assert case.bare == bare


def test_a_crowd_is_no_region_where_there_are_single_boxes(folder):
    folder.photograph("Many people.", instances=[("person", *LEFT), ("person", *RIGHT)])
    folder.tables["instances"]["annotations"][1]["iscrowd"] = 1
    (case,), _ = offered(folder, "object")
    assert case.region == (LEFT,)


def test_the_closed_set_has_no_category_that_may_be_there(folder):
    folder.photograph("A dog on a couch.", "A kitten, too.", instances=[("dog", *LEFT), ("laptop", *RIGHT)])
    case, *_ = offered(folder, "object")[0]
    assert {"person", "bus", "bowl", "book", "umbrella"} <= set(case.candidates)
    assert {"dog", "cat", "laptop", "keyboard"}.isdisjoint(case.candidates)


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("A dog left of a tree.", {"names-side"}),
        ("A dog right on a sofa.", {"names-side"}),
        ("A dog beside a sign.", {"legible-text"}),
        ("A dog in the leftovers.", set()),
    ],
)
def test_what_a_mirror_would_change_is_tagged(folder, caption, tags):
    folder.photograph(caption, instances=[("dog", *LEFT)])
    (case,), _ = offered(folder, "object")
    assert case.tags & {"names-side", "legible-text"} == tags


@pytest.mark.parametrize(
    ("caption", "cases"),
    [
        ("A stuffed dog.", 0),
        ("A toy puppy on a shelf.", 0),
        ("A statue of a brown dog.", 0),
        ("Two dog figurines.", 0),
        ("A dog sculpture.", 0),
        ("A ceramic dog.", 0),
        ("A painted dog.", 1),
        ("A dog's toy beside a dog.", 1),
        ("A dog with a toy.", 1),
        ("A statue beside a dog.", 1),
        ("A dog drawing a sled.", 1),
        ("A dog on a wooden bench.", 1),
        ("A statue of a man walking his dog.", 1),
    ],
)
def test_a_living_being_that_another_caption_calls_a_likeness_is_none(folder, caption, cases):
    folder.photograph("A dog in a park.", caption, instances=[("dog", *LEFT)])
    found, reasons = offered(folder, "object")
    assert len(found) == cases
    assert reasons.get("a caption says that the thing is a likeness", 0) == 1 - cases


@pytest.mark.parametrize(
    ("caption", "things", "tagged"),
    [
        ("", [("bus", 100, 0, 20, 20)], True),
        ("", [("bus", 100, 0, 19, 19)], False),
        ("", [("bus", 100, 0, 9, 20)], True),
        ("", [("bus", 100, 0, 9, 9), ("bus", 120, 0, 20, 20)], True),
        ("", [("stop sign", 100, 0, 2, 2)], True),
        ("", [("bowl", 100, 0, 90, 90)], False),
        ("A far bus.", [("bus", 100, 0, 9, 9)], False),
        ("A bus.", [], True),
        ("A bus stop.", [], False),
        ("Some paper.", [], True),
        ("Toilet paper and a paper towel.", [], False),
        ("Toilet paper on a newspaper.", [], True),
        ("The number 7.", [], True),
        ("A number of balls.", [], False),
        ("A city street.", [], True),
        ("A street light.", [], False),
        ("A baseball cap.", [], False),
        ("A baseball game.", [], True),
        ("A poster.", [], True),
        ("A four poster bed.", [], False),
    ],
)
def test_what_may_have_legible_text_on_it_is_tagged(folder, caption, things, tagged):
    folder.photograph("A dog.", caption, instances=[("dog", *LEFT), *things])
    (case,) = [case for case in offered(folder, "object")[0] if case.target == "dog"]
    assert ("legible-text" in case.tags) == tagged


def test_what_was_not_annotated_may_have_legible_text(folder):
    folder.photograph("A red bowl.", annotated=False)
    folder.photograph("A red bowl.", instances=[("dog", *LEFT)])
    unknown, known = offered(folder, "color")[0]
    assert ("legible-text" in unknown.tags, "legible-text" in known.tags) == (True, False)


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("A glass of white wine.", "color word has another sense"),
        ("A brown bear in a river.", "color word has another sense"),
        ("A black woman smiles.", "color word is said of a person"),
        ("An orange.", "color word is not directly before a known noun"),
        ("The bus is red.", "color word is not directly before a known noun"),
        ("Something red, bus or car.", "color word is not directly before a known noun"),
        ("A red bus stop.", "color word is not directly before a known noun"),
        ("A red wall clock thing.", "noun is part of a longer one"),
        ("A red and white bus.", "thing has several colors"),
        ("A red bus and a red wall.", "caption names the color more than once"),
        ("A red and very large white bus.", "thing has several colors"),
        ("There is no red bus.", "caption says what is not there"),
        ('A cup that says "red bus".', "caption is about a depiction"),
    ],
)
def test_a_color_is_left_out(folder, caption, reason):
    folder.photograph(caption, annotated=False)
    cases, reasons = offered(folder, "color")
    assert cases == []
    assert reason in reasons


def test_colors_are_chromatic_or_not_and_know_their_region(folder):
    folder.photograph("A red bus near a grey wall.", instances=[("bus", *LEFT)])
    bus, wall = offered(folder, "color")[0]
    assert (bus.target, bus.region) == ("red", (LEFT,))
    assert (wall.target, wall.region) == ("grey", ())
    assert "chromatic" in bus.tags
    assert "achromatic" in wall.tags
    assert not {"gray", "grey", "red", "orange", "pink"} & set(bus.candidates)
    assert {"green", "yellow"} <= set(bus.candidates)
    assert (bus.about, wall.about) == ({"red"}, {"gray"})


@pytest.mark.parametrize("other", ["A blue bus.", "A blue and yellow bus.", "An orange wall.", "It looks pink."])
def test_captions_that_disagree_about_the_color_give_no_case(folder, other):
    folder.photograph("A red bus.", other)
    cases, reasons = offered(folder, "color")
    assert "red" not in {case.target for case in cases}
    assert reasons["captions disagree about the color"] >= 1


def test_a_black_and_white_photograph_has_no_colors(folder):
    folder.photograph("A black and white photo of a bus.", "A white bus.")
    assert offered(folder, "color") == ([], {"photograph is said to have no color": 2})


@pytest.mark.parametrize(
    ("instances", "caption", "reason"),
    [
        ([("dog", *LEFT)], "", "fewer than two categories have one instance"),
        ([("dog", *LEFT), ("cat", *RIGHT), ("cat", 110, 0, 70, 80)], "", "fewer than two categories have one instance"),
        ([("dog", *LEFT), ("cat", *RIGHT)], "Many dogs.", "fewer than two categories have one instance"),
        ([("dog", *LEFT), ("cat", 100, 0, 10, 10)], "", "objects are too small"),
        ([("dog", *LEFT), ("cat", 79, 0, 80, 80)], "", "boxes overlap in x"),
        (
            [("dog", 0, 0, 20, 20), ("cat", 20, 21, 20, 20)],
            "",
            "one thing is above the other rather than beside it",
        ),
    ],
)
def test_a_pair_is_left_out(folder, instances, caption, reason):
    folder.photograph(caption, instances=instances)
    cases, reasons = offered(folder, "side")
    assert (cases, reasons[reason]) == ([], 1)


def test_a_pair_is_worded_both_ways_and_the_clearest_is_taken(folder):
    folder.photograph("", instances=[("orange", *LEFT), ("dog", *RIGHT), ("cat", 180, 0, 20, 30)])
    left, right = offered(folder, "side")[0]
    assert (left.caption, left.region) == ("an orange to the left of a dog", (LEFT,))
    assert (right.caption, right.region) == ("a dog to the right of an orange", (RIGHT,))
    assert left.about == {"orange", "dog"}


@pytest.mark.parametrize(
    "caption",
    [
        "A ball in his [MASK] hand.",
        "She stands on her [MASK] foot.",
        "The man's [MASK] arm is up.",
        "Their [MASK] leg",
        "A man with a hot dog in his [MASK] hand.",
        "Beside a monkey stands a boy with his [MASK] arm up.",
    ],
)
def test_a_hand_is_somebodys(folder, caption):
    folder.photograph(caption.replace("[MASK]", "left"), annotated=False)
    assert masked(folder, "hand") == [caption]


@pytest.mark.parametrize(
    "caption",
    [
        "A lodge right in the mountains.",
        "On the right hand side.",
        "His right hand side.",
        "The right hand turn lane",
        "His hand, right there.",
        "A table's left leg.",
        "His left arm and right hand",
        "Nothing left.",
        "On his right hand there is a dog.",
        "A dog raising his left leg.",
        "A man walks a dog that lifts his left leg.",
        "A man walks a monkey that lifts his left leg.",
        "A teddy bear with a heart in his left hand.",
        "A girl hugs a teddy bear by his left arm.",
        "A stuffed animal raising her left arm.",
        "A man and a robot with his left arm up.",
        "The gorilla's left hand.",
        "The doll's left hand.",
        "A kangaroo on his left foot.",
        "Something green that raises his left arm.",
        "No ball in his left hand.",
    ],
)
def test_left_and_right_in_another_sense_are_no_hand(folder, caption):
    folder.photograph(caption)
    cases, reasons = offered(folder, "hand")
    assert cases == []
    assert sum(reasons.values()) == 1


def test_a_category_outside_of_the_lexicon_goes_by_its_name(folder):
    folder.photograph("A wombat on a road.", instances=[("dog", *LEFT)])
    folder.tables["instances"]["categories"][1]["name"] = "wombat"
    (case,), _ = offered(folder, "object")
    assert (case.target, case.about) == ("wombat", {"wombat"})


def test_a_selection_is_checked_and_nothing_else_is(folder):
    for _ in range(3):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.photograph("A red bus.")
    folder.write()
    folder.path(4).unlink()
    source = open_source(f"coco:{folder.root}")
    assert len(source.select(with_target("object"))) == 3


def test_what_has_no_bare_text_is_counted(folder):
    folder.photograph("A dog.", instances=[("cat", *LEFT), ("dog", 100, 0, 10, 10)])
    (case,), reasons = offered(folder, "object")
    assert case.bare is None
    assert reasons["object, bare: another category is as large"] == 1


@pytest.mark.parametrize("category", ["umbrella", "dog"])
def test_the_bare_text_has_one_article_for_all_words(folder, category):
    folder.photograph(f"The {category}.", instances=[(category, *LEFT)])
    (case,), _ = offered(folder, "object")
    assert case.bare == "a photo of a [MASK]"


def test_a_box_without_height_is_no_region(folder):
    folder.photograph("A dog.", instances=[("dog", 5, 5, 20, 0)])
    (case,), _ = offered(folder, "object")
    assert case.region == ()
