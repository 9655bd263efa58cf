"""What the words of a mirrored picture are, and which words cannot be mirrored."""

from __future__ import annotations

import pytest

from vlcheck.audit.words import AuditWords
from vlcheck.mitigate.sides import (
    can_be_mirrored,
    exchange_sides,
    mirrored_template,
    mirrored_text,
    mirrored_texts,
    shipped_lexicons,
)


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("a cup to the left of a box", "a cup to the right of a box"),
        ("The Left hand, the RIGHT foot", "The Right hand, the LEFT foot"),
        ("in his left-hand pocket", "in his right-hand pocket"),
        ("the upper-left corner", "the upper-right corner"),
        ("bright leftovers", "bright leftovers"),
        ("his right shoulder", "his left shoulder"),
        ("a car in the far right lane", "a car in the far left lane"),
        ("from left to right", "from right to left"),
        ("a dog on a bed", "a dog on a bed"),
    ],
)
def test_left_and_right_change_places_and_change_back(text: str, mirrored: str) -> None:
    assert exchange_sides(text) == mirrored_text(text) == mirrored
    assert mirrored_text(mirrored) == text


@pytest.mark.parametrize(
    "text",
    [
        "a dog right behind a fence",
        "the man who left",
        "a stop sign on the left side",
        "a sign that says go",
        "hands that turn clockwise",
        "the leftmost cup",
        "a lefty",
        "on his lEFT hand",
        "a cup right side up",
        "the right answer",
        "a sign of the right of way",
        "the left over pizza",
        "someone left of course",
    ],
)
def test_what_the_words_do_not_allow_is_not_mirrored(text: str) -> None:
    assert mirrored_text(text) is None
    assert mirrored_texts(["a dog", text]) is None
    assert mirrored_template(text, ["cup"]) is None


def test_a_word_at_the_mask_is_a_side_where_the_text_makes_it_one() -> None:
    assert mirrored_template("a cup to the [MASK] of it", ("left", "under", "right")) == (
        "a cup to the [MASK] of it",
        ("right", "under", "left"),
    )
    assert mirrored_template("a dog [MASK] behind a fence", ("right", "far")) is None
    assert mirrored_template("a dog [MASK] behind a fence", ("far", "just")) is not None
    assert mirrored_template("a [MASK] on a table", ("cup", "magazine")) == ("a [MASK] on a table", ("cup", "magazine"))


@pytest.mark.parametrize(
    "text", ["a cat with its left ear up", "a stray dog right at a door", "the right to protest", "he left his cup"]
)
def test_the_audit_counts_a_side_where_the_cure_would_mirror_it(text: str) -> None:
    assert can_be_mirrored(text) == bool([*AuditWords(shipped_lexicons()).sides_of(text)])


def test_texts_are_mirrored_together() -> None:
    assert mirrored_texts(["his left hand", "a dog"]) == ("his right hand", "a dog")
    assert mirrored_texts([]) == ()
    assert can_be_mirrored("")
