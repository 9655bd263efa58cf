"""A cause is named only if the probes show it."""

import numpy as np
import pytest

from vlcheck.equivalence.causes import ProbePairs
from vlcheck.equivalence.probes import AGAIN, HYPOTHESES
from vlcheck.equivalence.questions import OWN
from vlcheck.equivalence.records import KeptAnswer, KeptCase

TEXTS = ("one", "two", "three")
PICTURES = ("a", "b", "c", "drawn flat red", "drawn flat blue", "drawn stripes")
TIE = 0.001


def scores(*seed):
    """Return scores that depend on what is asked alone."""
    return np.random.default_rng([*" ".join(seed).encode()]).random(len(TEXTS)).tolist()


def probe(name, **views):
    answers = (KeptAnswer(view=view, metric="itm", text="", asked=TEXTS, scores=said) for view, said in views.items())
    return KeptCase(case=name, probe=True, answers=tuple(answers))


def own(name, read=OWN, **changed):
    """Return a model's answers; `read` is the edit that it makes of everything that it reads."""
    edited = {view: scores(name, view if read == OWN else f"{read} {view}") for view in HYPOTHESES}
    plain = scores(name, read)
    return probe(name, **{OWN: plain, AGAIN: plain, **edited, **changed})


def causes(a, b):
    pairs = ProbePairs()
    for one, other in zip(a, b, strict=True):
        pairs.add(one, other)
    return list(pairs.causes(TIE))


def test_models_that_do_not_differ_have_no_cause():
    assert causes(map(own, PICTURES), map(own, PICTURES)) == []


@pytest.mark.parametrize("name", HYPOTHESES)
def test_an_edit_that_explains_the_difference_is_named_whoever_makes_it(name):
    faulty = [own(picture, name) for picture in PICTURES]
    (found,) = causes(map(own, PICTURES), faulty)
    assert found.startswith("B reads ")
    assert HYPOTHESES[name].said in found
    assert "this explains 100 % of the difference" in found
    (found,) = causes(faulty, map(own, PICTURES))
    assert found.startswith("A reads ")


def test_an_edit_that_explains_a_part_alone_is_not_named():
    half = [own(name, "channels" if at % 2 else "mirrored") for at, name in enumerate(PICTURES)]
    (found,) = causes(map(own, PICTURES), half)
    assert "no edit of pictures or texts that was tried explains it" in found


def test_pictures_of_one_color_tell_another_resizing_from_other_causes():
    resized = [own(name, OWN if "flat" in name else "resized") for name in PICTURES]
    (found,) = causes(map(own, PICTURES), resized)
    assert found.startswith("Pictures of one color are answered alike, and others are not")


def test_answers_about_another_picture_are_found():
    mixed = [own(name, **{OWN: scores(PICTURES[at - 1], OWN)}) for at, name in enumerate(PICTURES)]
    depends, mixed_up = causes(map(own, PICTURES), mixed)
    assert depends.startswith("B gives other answers about a picture that it is shown again")
    assert mixed_up.startswith(
        "B's answers about 6 of 6 pictures that differ are the other model's answers about another"
    )


def test_a_little_chance_is_no_cause():
    noisy = [own(name, **{AGAIN: [value * 0.999 for value in scores(name, OWN)]}) for name in PICTURES]
    assert causes(map(own, PICTURES), noisy) == []
