"""Colors: how often they are named, and how far the noun tells them."""

from random import Random

import pytest

from tests.audit.corpora import audited, rows
from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.checks.colors import BOUND, CHANGED

COLORS = ("red", "green", "blue", "white")
NOUNS = ("bus", "cup", "boat", "kite")


def colored(bound, number=400):
    """Captions in which a share of the nouns has a color of its own, and the others any."""
    rng = Random(0)
    for _ in range(number):
        noun = rng.choice(NOUNS)
        own = COLORS[NOUNS.index(noun)] if rng.random() < bound else rng.choice(COLORS)
        yield f"a {own} {noun}"


def test_bound_colors_are_named_with_the_nouns():
    found = audited(rows(*colored(0.7)), "colors-bound")
    assert found.cause == BOUND
    assert {part.name for part in found.parts} == {"red bus", "green cup", "blue boat", "white kite"}
    assert all(part.low > 2 * part.base for part in found.parts)
    assert found.share == pytest.approx(0.7 + 0.3 / 4, abs=0.06)


def test_colors_by_chance_are_not_bound():
    found = audited(rows(*colored(0.0)), "colors-bound")
    assert (found.n, found.cause, found.parts) == (400, "", ())
    assert found.share == pytest.approx(0.25, abs=0.06)


def test_the_noun_is_judged_on_other_pictures_than_those_it_was_learnt_on():
    """One caption of each noun: known to itself, it would tell every color."""
    nouns = ("apron", "bag", "balloon", "banner", "barrel", "basket", "box", "cap", "coat", "desk", "door", "dress")
    captions = [f"a {COLORS[at % 4]} {noun}" for at, noun in enumerate(nouns)]
    assert audited(rows(*captions), "colors-bound").count <= 6


def test_a_recipe_that_changes_colors_is_a_cause():
    captions = rows(*colored(0.0))
    assert audited(captions, "colors-named", augment=["colorjitter"]).cause == CHANGED
    assert audited(captions, "colors-named", augment=["flip"]).cause == ""


def test_without_colors_the_nouns_are_not_examined():
    found = {one.check: one for one in audit_corpus([rows("a bus", "a cup")]).findings}
    assert (found["colors-named"].count, found["colors-bound"].n) == (0, 0)
