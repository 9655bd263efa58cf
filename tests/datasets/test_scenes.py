"""Scenes: what is said of them is what is drawn, and the same everywhere."""

import subprocess
import sys
from collections import Counter
from random import Random

import numpy as np
import pytest

from vlcheck.cases import with_target
from vlcheck.cases.source import REACH
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.scenes.cases import VERBS
from vlcheck.datasets.scenes.rendering import SHADES, SIDE
from vlcheck.datasets.scenes.sampling import ACHROMATIC, COLORS, PEOPLE, WORDS, act, alone, duo, pair
from vlcheck.datasets.scenes.scene import Scene

KINDS = {
    "object": with_target("object", bare=True),
    "chromatic": with_target("color", having=("chromatic",)),
    "achromatic": with_target("color", having=("achromatic",), lacking=("names-chromatic",)),
    "color": with_target("color"),
    "side": with_target("side"),
    "hand": with_target("hand"),
    "single": with_target("single"),
    "vertical": with_target("vertical"),
    "binding": with_target("binding"),
    "role": with_target("role"),
}


@pytest.fixture(scope="module")
def source():
    return open_source("scenes:60:3")


def test_there_is_enough_to_see():
    assert len(WORDS) >= 12
    assert len(COLORS) >= 8
    assert set(PEOPLE) == {"man", "woman"}
    assert ACHROMATIC == {"white", "black", "gray"} < set(COLORS)


def test_each_verb_gives_one_thing_away():
    assert set(VERBS) == set(WORDS)
    assert len(set(VERBS.values())) == len(WORDS)
    assert (VERBS["ball"], VERBS["cup"]) == ("kicks", "drinks from")


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_its_images_balanced_over_the_targets(source, kind):
    cases = source.select(KINDS[kind])
    assert len(cases) == 60
    assert len({case.image.key for case in cases}) == 60
    counts = Counter(case.target for case in cases).values()
    assert max(counts) - min(counts) <= 1


def test_cases_are_true_of_their_scene_and_of_few_others(source):
    for case in source.cases:
        assert case.about <= case.present
        # What a binding or a role is held against is in the picture, but elsewhere.
        assert case.present.isdisjoint(case.candidates) or case.tags & {"binding", "role"}
        assert any(case.refuted_by(other) for other in source.cases)


def test_a_hint_names_the_verb_and_the_bare_text_does_not(source):
    for case in source.select(KINDS["object"]):
        assert f" {VERBS[case.target]} a [MASK]" in case.masked
        assert case.bare == "a photo of a [MASK]"
        assert len(case.candidates) == len(WORDS) - 1


def test_regions_lie_in_the_picture(source):
    for case in source.cases:
        (box,) = case.region
        assert min(box.x, box.y) >= 0
        assert max(box.x + box.width, box.y + box.height) <= SIDE


def test_the_subject_is_on_the_side_that_is_said(source):
    for case in source.select(KINDS["side"]):
        subject, anchor = case.caption.split()[1], case.caption.split()[-1]
        places = {thing.word: thing.box for thing in case.image.things}
        here, there = places[subject], places[anchor]
        assert case.region == (here,)
        left, right = (here, there) if case.target == "left" else (there, here)
        assert left.x + left.width < right.x


def test_a_left_hand_is_on_the_pictures_right_of_who_faces_the_viewer(source):
    seen = set()
    for case in source.select(KINDS["hand"]):
        (person,), (thing,) = case.image.people, case.image.things
        on_right = thing.box.x + thing.box.width / 2 > person.box.x + person.box.width / 2
        assert on_right == ((case.target == "left") != person.back)
        seen.add((case.target, person.back, case.caption.split()[-1]))
    assert len(seen) == 8


def test_what_is_said_to_be_above_is(source):
    for case in source.select(KINDS["vertical"]):
        _, subject, place, _, anchor = case.caption.split()
        boxes = {thing.word: thing.box for thing in case.image.things}
        upper, lower = (subject, anchor) if place == "above" else (anchor, subject)
        assert boxes[upper].y + boxes[upper].height < boxes[lower].y
        assert case.region == (boxes[subject],)


def test_a_color_is_bound_to_its_thing_and_the_rival_is_the_other_ones(source):
    for case in source.select(KINDS["binding"]):
        one, other = case.image.things
        assert case.caption == f"a {one.color} {one.word} and a {other.color} {other.word}"
        assert (case.target, case.candidates) == (one.color, (other.color,))
        assert case.bare == f"a [MASK] {one.word} and a {other.word}"


def test_who_holds_what_is_as_drawn(source):
    for case in source.select(KINDS["role"]):
        for person, thing in zip(case.image.people, case.image.things, strict=True):
            assert f"a {person.word} holds a {thing.word}" in case.caption
            gaps = [gap(thing.box, somebody.box) for somebody in case.image.people]
            assert min(gaps) == gap(thing.box, person.box) < max(gaps)
        assert case.candidates == (case.image.things[1].word,)


def gap(one, other):
    """How far apart two boxes are."""
    across = max(one.x - other.x - other.width, other.x - one.x - one.width)
    along = max(one.y - other.y - other.height, other.y - one.y - one.height)
    return max(across, along)


def test_two_people_stand_apart_and_inside_the_picture():
    lefts = set()
    for seed in range(100):
        scene = duo(Random(seed), ("man", ("ball", "red")), ("woman", ("box", "blue")))
        for box in (*(person.box for person in scene.people), *(thing.box for thing in scene.things)):
            assert min(box.x, box.y) >= 0
            assert max(box.x + box.width, box.y + box.height) <= SIDE
        man, woman = scene.people
        lefts.add(man.box.x < woman.box.x)
        assert gap(man.box, woman.box) > 0
    assert lefts == {True, False}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("color", ["red", "gray"])
def test_a_thing_is_drawn_in_its_color_in_its_box(word, color):
    scene = alone(Random(1), word, color)
    (thing,) = scene.things
    pixels = np.asarray(scene.open(), dtype=int)
    near = np.abs(pixels - SHADES[color]).max(axis=2) < 12
    rows, columns = np.nonzero(near)
    box = thing.box
    inside = (rows >= box.y - 1) & (rows <= box.y + box.height + 1) & (columns >= box.x - 1)
    assert (inside & (columns <= box.x + box.width + 1)).sum() > 0.12 * box.width * box.height


def test_colors_are_drawn_apart():
    shades = np.array(list(SHADES.values()))
    apart = np.abs(shades[:, None] - shades[None]).max(axis=2) + 255 * np.eye(len(shades), dtype=int)
    assert apart.min() > 70


def test_an_upright_pair_has_the_first_above():
    for seed in range(50):
        one, other = pair(Random(seed), ("ball", "red"), ("box", "blue"), upright=True).things
        assert (one.word, other.word) == ("ball", "box")
        assert one.box.y + one.box.height < other.box.y


def test_people_stay_in_the_picture():
    for seed in range(200):
        scene = act(Random(seed), "man", ("ball", "red"), side="left", limb="foot", back=seed % 2 == 0)
        for box in (scene.people[0].box, scene.things[0].box):
            assert min(box.x, box.y) >= 0
            assert max(box.x + box.width, box.y + box.height) <= SIDE


def test_no_scene_is_like_another(source):
    keys = [case.image.key for case in source.cases]
    assert len(set(keys)) == 9 * 60
    assert not set(keys) & {case.image.key for case in open_source("scenes:60:4").cases}


def test_a_picture_is_its_description_alone(source):
    scene = source.cases[0].image
    again = Scene(scene.ground, scene.people, scene.things)
    assert again.key == scene.key
    assert (np.asarray(again.open()) == np.asarray(scene.open())).all()
    assert scene.open().size == scene.size == (SIDE, SIDE)


def test_a_smaller_choice_is_the_beginning_of_a_larger_one():
    few, many = (open_source(f"scenes:{n}").cases for n in (10, 20))
    assert {case.id for case in few} < {case.id for case in many}
    assert {case.image.key for case in few} < {case.image.key for case in many}


def test_every_process_draws_the_same():
    code = (
        "import hashlib; from vlcheck.datasets.registry import open_source\n"
        "cases = open_source('scenes:5:1').cases\n"
        "print(hashlib.sha256(b''.join(case.image.open().tobytes() for case in cases)).hexdigest())\n"
        "print([(case.id, case.caption, case.image.key) for case in cases])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_the_spec_has_defaults():
    source = open_source("scenes")
    assert (source.images, source.seed) == (200, 0)
    assert len(source.select(KINDS["side"])) == 200


def test_more_scenes_are_made_up_where_some_do_not_count():
    source = open_source("scenes:3")
    drawn = list(source.candidates(KINDS["single"]))
    assert tuple(drawn[:3]) == source.select(KINDS["single"])
    assert len({case.image.key for case in drawn}) == len(drawn) == 3 * REACH
    assert not {case.id for case in drawn[3:]} & {case.id for case in source.cases}


def test_what_no_scene_has_is_not_looked_for_for_ever():
    assert list(open_source("scenes:3").candidates(with_target("mine"))) == []
