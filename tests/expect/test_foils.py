"""The caption against its foils, and the choices without the picture."""

from random import Random
from time import process_time

import pytest

from vlcheck.cases import Case
from vlcheck.expect import BEFORE, OTHER, BeatsBlind, Reading, Sample, Tolerances
from vlcheck.expect.words_alone import blind_choices, credit, grammar_slips
from vlcheck.perturb import Solid

FOILS = ("two dogs", "no dog")


def case(name, caption="a dog", foils=FOILS):
    return Case(
        id=name, image=Solid((8, 8), tuple(name.encode()[-3:].rjust(3))), caption=caption, target="dog", foils=foils
    )


def sample(own, other=(0.5, 0.5, 0.5)):
    texts = ("a dog", *FOILS)
    readings = {
        arm: Reading("a dog", dict(zip(texts, scores, strict=True))) for arm, scores in ((BEFORE, own), (OTHER, other))
    }
    return Sample(case("001"), readings, rivals={"a coin": 1 / 3})


@pytest.mark.parametrize(
    ("scores", "margin"),
    [((0.9, 0.5, 0.25), 0.4), ((0.5, 0.25, 0.75), -0.25), ((0.5, 0.5, 0.0), 0.0)],
)
def test_the_caption_has_to_beat_every_foil_and_a_tie_is_no_choice(scores, margin):
    assert BeatsBlind().margins(sample(scores), Tolerances())[""] == pytest.approx(margin)


def test_what_the_model_says_to_another_picture_is_a_rival():
    found = BeatsBlind().rivals(sample((0.9, 0.1, 0.1), other=(0.5, 0.5, 0.2)))
    assert found == {"a coin": 1 / 3, "the model with another picture": 0.5}


@pytest.mark.parametrize(
    ("scores", "share"), [((2, 1, 1), 1.0), ((1, 2, 0), 0.0), ((1, 1, 0), 0.5), ((1, 1, 1), 1 / 3), ((0, 1, 1), 0.0)]
)
def test_a_choice_that_cannot_tell_guesses(scores, share):
    assert credit(scores) == pytest.approx(share)


def many(caption, foil):
    return [case(f"{n:03}", caption.format(n), (foil.format(n),)) for n in range(40)]


def choices(cases):
    """Return the credits of each case, if each has an image of its own."""
    return blind_choices({one.id: [one] for one in cases})


def test_what_words_alone_tell_is_told():
    for name, caption, foil in (
        ("its length", "a dog", "a dog that is not there at all"),
        ("its length", "a dog that sits on a sofa", "a dog"),
        ("slips of grammar", "a dog by an apple", "a dog by a apple"),
        ("words of captions", "a dog on a sofa", "a dog on a quasar"),
        ("common words", "a dog on a sofa", "a dog on a quasar"),
    ):
        assert {one[name] for one in choices(many(caption, foil)).values()} == {1.0}, name


def test_nothing_is_learnt_from_the_cases_own_image():
    """A word that no other image has says nothing, even if it is in each caption of its own image."""
    images = {one.id: [one] for one in many("a dog with a sign {}", "a dog with a sign of {}x")}
    same = (case(f"dog-{n:03}", f"a dog with a zebra {n}", (f"a dog with a yak {n}",)) for n in range(50))
    images["000"] = [case("odd", "a dog with a zebra", ("a dog with a yak",)), *same]
    found = blind_choices(images)
    assert (found["odd"]["words of captions"], found["odd"]["a coin"]) == (0.5, 0.5)


def test_cases_without_foils_teach_nothing():
    cases = many("a dog", "two dogs")
    assert choices([*cases, case("none", "a dog", ())]) == choices(cases)


def test_the_same_words_in_another_order_are_a_guess():
    """Of sums that are rounded in the order of the words some differ in the last digit."""
    random, words = Random(0), ["red", "blue", "ball", "box", "large", "wooden", "table", "sits", "near", "small"]
    orders = (random.sample(words, 7) for _ in range(300))
    texts = ((" ".join(["dog", *own]), " ".join(["dog", *own[::-1]])) for own in orders)
    cases = [case(f"{n:03}", caption, (foil,)) for n, (caption, foil) in enumerate(texts)]
    for one in choices(cases).values():
        assert (one["common words"], one["words of captions"], one["its length"]) == (0.5, 0.5, 0.5)


def test_the_time_is_that_of_the_number_of_cases():
    """To learn anew for each case takes over a minute here."""
    began = process_time()
    found = choices([case(f"{n}", f"a dog with a sign {n}", (f"a dog with no sign {n}",)) for n in range(5_000)])
    assert len(found) == 5_000
    assert process_time() - began < 10


def test_balanced_foils_are_told_by_no_words():
    """Each sentence is as often a caption as a foil."""
    found = choices(
        case(f"{n:03}", *(("a red dog", ("a tan dog",)) if n % 2 else ("a tan dog", ("a red dog",))))
        for n in range(200)
    ).values()
    for name in next(iter(found)):
        assert abs(sum(one[name] for one in found) / len(found) - 0.5) <= 0.1, name


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("A dog on the sofa.", 0),
        ("a dog", 1),
        ("The the dog", 1),
        ("A apple", 1),
        ("An dog", 1),
        ("Two dog", 1),
        ("A dogs", 1),
    ],
)
def test_slips_are_counted(text, count):
    assert grammar_slips(text) == count
