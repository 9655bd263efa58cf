"""The shipped sentences with a gap: their number, their balance, and that each says how its truth is known."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

from vlcheck.cases.case import MASK
from vlcheck.datasets.visual_knowledge import items
from vlcheck.datasets.visual_knowledge.items import PROPERTIES, SOURCES, ClozeItem, read_items

SHARES = {"color": 0.13, "shape": 0.13, "size": 0.5, "material": 0.12}  # of the most frequent truth, at most


@pytest.mark.parametrize("name", PROPERTIES)
def test_a_property_has_sixty_different_things_and_no_frequent_truth(name):
    found = read_items(name)
    truths = Counter(item.truth for item in found)
    assert len(found) >= 60
    assert len({item.thing for item in found}) == len({item.text for item in found}) == len(found)
    assert max(truths.values()) <= SHARES[name] * len(found)
    assert len(truths) == 2 if name == "size" else min(truths.values()) >= 5


@pytest.mark.parametrize("name", PROPERTIES)
def test_an_item_is_a_sentence_with_one_gap_and_its_truth_once_among_the_candidates(name):
    for item in read_items(name):
        assert item.text.count(MASK) == 1, item
        assert item.text[0].isupper(), item
        assert item.text.endswith("."), item
        assert item.candidates.count(item.truth) == 1, item
        assert len({*item.candidates}) == len(item.candidates) >= (2 if name == "size" else 4), item


@pytest.mark.parametrize("name", PROPERTIES)
def test_no_sentence_names_a_candidate_outside_the_gap(name):
    for item in read_items(name):
        words = {*re.findall(r"[a-z]+", item.text.replace(MASK, "").lower())}
        assert words.isdisjoint(item.candidates), item


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_truth_has_a_source_of_a_known_kind(name):
    for item in read_items(name):
        kind, _, said = item.source.partition(": ")
        assert kind in SOURCES, item
        assert len(said.split()) >= 3, item


def test_the_larger_thing_is_ten_times_as_long_and_its_lengths_are_in_the_source():
    record = tomllib.loads((items._FOLDER / "size.toml").read_text(encoding="utf-8"))
    for one in record["items"]:
        thing, other = one["cm"]
        assert max(thing, other) >= 10 * min(thing, other), one
        assert one["truth"] == ("larger" if thing > other else "smaller"), one
        assert sum(character.isdigit() for character in one["source"]) >= 2, one


def test_a_word_that_is_nearly_true_is_no_candidate():
    manhole = next(item for item in read_items("shape") if item.thing == "manhole cover")
    assert manhole.candidates == ("cone", "cube", "triangle", "circle")
    mouse = read_items("size")[0]
    assert (mouse.sentence(mouse.truth), mouse.candidates) == (
        "A mouse is smaller than an elephant.",
        ("larger", "smaller"),
    )


@pytest.mark.parametrize(
    ("text", "truth", "candidates"),
    [
        ("Coal is black.", "black", ("black", "white")),
        (f"{MASK} is {MASK}.", "black", ("black", "white")),
        (f"Coal is {MASK}.", "dark", ("black", "white")),
        (f"Coal is {MASK}.", "black", ("black",)),
        (f"Coal is {MASK}.", "black", ("black", "black", "white")),
    ],
)
def test_an_item_that_cannot_be_asked_is_refused(text, truth, candidates):
    with pytest.raises(ValueError, match=r"\w"):
        ClozeItem("coal", text, truth, candidates)
