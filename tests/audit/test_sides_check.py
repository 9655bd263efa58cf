"""Sides, hands, verticals and flips."""

import pytest

from tests.audit.corpora import audited, rows
from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.checks.flips import TURNED, UNWORDED
from vlcheck.audit.checks.sides import RARE, SKEWED

PLAIN = [f"a man with cup number {at}" for at in range(1000)]
LEFT, RIGHT = ([f"a cup to the {side} of box {at}" for at in range(100)] for side in ("left", "right"))


def test_sides_are_counted_in_every_sense_and_as_sides():
    found = audited(
        rows(*PLAIN[:7], "the left of a road", "a door left open", "his left and his right hand"), "sides-named"
    )
    assert (found.n, found.count) == (10, 2)
    assert {part.name: part.count for part in found.parts} == {
        "any word for left or right, in any sense": 3,
        "left": 3,
        "right": 1,
    }


def test_a_corpus_that_hardly_names_sides_is_named():
    assert audited(rows(*PLAIN, *LEFT[:2]), "sides-named").cause == RARE
    assert audited(rows(*PLAIN, *LEFT), "sides-named").cause == ""
    assert audited(rows(*PLAIN, *[f"a door {at} was left open" for at in range(100)]), "sides-named").cause == RARE
    assert audited(rows(*PLAIN[:10]), "sides-named").status == "inconclusive", "ten captions show nothing"


def test_a_skew_is_named_if_the_whole_interval_is_beyond_the_limit():
    skewed = audited(rows(*LEFT[:10], *RIGHT[:90]), "sides-skewed")
    assert (skewed.n, skewed.count, skewed.cause) == (100, 90, SKEWED)
    assert 'say "right" (90 %' in skewed.says
    assert audited(rows(*LEFT[:90], *RIGHT[:10]), "sides-skewed").cause == SKEWED
    assert audited(rows(*LEFT[:30], *RIGHT[:70]), "sides-skewed").cause == ""
    assert audited(rows(*LEFT[:50], *RIGHT[:50]), "sides-skewed").status == "not found"
    assert audited(rows(*RIGHT[:5]), "sides-skewed").status == "inconclusive", "five captions show nothing"


def test_captions_of_one_picture_count_as_one():
    captions = rows(*LEFT[:10], *RIGHT[:90], images=["1.jpg", "2.jpg"] * 50)
    found = audited(captions, "sides-skewed")
    assert (found.n, found.count, found.cause) == (100, 90, "")
    assert (found.low, found.high) == pytest.approx((0.11, 1.0), abs=0.01)


def test_both_sides_in_one_caption_do_not_skew():
    assert audited(rows("the left and the right"), "sides-skewed").n == 0


def test_captions_without_a_picture_are_each_of_their_own():
    captions = rows(*RIGHT, images=["1.jpg", *[""] * 99])
    assert audited(captions, "sides-skewed").cause == SKEWED
    assert audited(captions, "flips", augment=["flip"]).cause == UNWORDED


def test_one_picture_with_most_captions_does_not_skew():
    captions = rows(*RIGHT * 6, *LEFT, *RIGHT, images=["1.jpg"] * 600 + [f"{at}.jpg" for at in range(2, 202)])
    assert audited(captions, "sides-skewed").status == "inconclusive"


@pytest.mark.parametrize(
    ("augment", "cause", "status"),
    [
        ((), "", "not examined"),
        (("flip",), UNWORDED, "found"),
        (("flip-words",), "", "not found"),
        (("blur",), "", "not found"),
    ],
)
def test_flips_are_a_cause_in_a_recipe_that_leaves_the_words(augment, cause, status):
    found = audited(rows(*PLAIN, *RIGHT), "flips", augment=augment)
    assert (found.count, found.cause, found.status) == (100, cause, status)
    assert ("No recipe was given" in found.says) is (not augment)


def test_a_flip_is_no_cause_where_no_caption_names_a_side():
    assert audited(rows(*PLAIN, "a door left open"), "flips", augment=["flip"]).cause == ""


def test_hands_and_verticals_are_counted():
    captions = rows(
        "a cup in his left hand", "a kite above a dog", "a dog under a kite", "a cup on top of a box, upside down"
    )
    captions += rows("toys all over the floor", "the red one on top", images=["a.jpg", "b.jpg"])
    report = audit_corpus([captions], augment=["vertical-flip"])
    counts = {one.check: one.count for one in report.findings}
    assert (counts["hands-named"], counts["verticals-named"]) == (1, 3)


def test_turning_pictures_upside_down_is_a_cause_where_captions_say_above():
    assert audited(rows(*["a kite above a dog"] * 50), "verticals-named", augment=["vertical-flip"]).cause == TURNED
    assert audited(rows(*["a kite above a dog"] * 50), "verticals-named").cause == ""
