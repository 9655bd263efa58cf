"""A fault of a foreign value names its key, and what would be accepted there."""

from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from vlcheck._util.typed import BrokenRule, MissingKey, UnknownKey, WrongValue, convert, keys_of

Words = Annotated[list[Annotated[str, Meta(pattern=r"\S")]], Meta(description="a list of words")]


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    low: Annotated[float, Meta(ge=0, description="a number from 0")] = 0
    high: Annotated[float, Meta(description="a number")] = 1
    side: Literal["left", "right"] = "left"

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("low has to be below high")


class Outer(Struct, frozen=True, forbid_unknown_fields=True):
    words: Words
    by_name: dict[str, Inner] = {}
    listed: Annotated[list[Inner], Meta(description="a list of tables")] = []


class Open(Struct, frozen=True):
    """Takes keys that it does not know."""

    word: Annotated[str, Meta(description="a word")]


def fault_of(value, kind=Outer):
    with pytest.raises((UnknownKey, MissingKey, WrongValue, BrokenRule)) as raised:
        convert(value, kind)
    return raised.value


def test_a_value_becomes_a_record():
    assert convert({"words": ["a"], "by_name": {"x": {"low": 0.5}}}, Outer).by_name["x"] == Inner(low=0.5)
    assert convert({"word": "a", "later": 1}, Open) == Open("a")


@pytest.mark.parametrize(
    ("value", "path", "accepted"),
    [
        ({"words": "a"}, ("words",), "a list of words"),
        ({"words": ["a", " "]}, ("words",), "a list of words"),  # the word has no description of its own
        ({"words": [], "by_name": 1}, ("by_name",), "a table"),
        ({"words": [], "by_name": {"x": 1}}, ("by_name", "x"), "a table"),
        ({"words": [], "by_name": {"x": {"low": -1}}}, ("by_name", "x", "low"), "a number from 0"),
        ({"words": [], "listed": {}}, ("listed",), "a list of tables"),
        ({"words": [], "listed": [{}, {"low": "\ud800"}]}, ("listed", 1, "low"), "a number from 0"),
        ([], (), "a table"),
    ],
)
def test_the_innermost_value_with_a_description_is_named(value, path, accepted):
    fault = fault_of(value)
    assert isinstance(fault, WrongValue)
    assert (fault.path, fault.accepted) == (path, accepted)


def test_a_choice_lists_what_it_accepts():
    fault = fault_of({"side": "up"}, Inner)
    assert (fault.path, fault.value, fault.choices) == (("side",), "up", ("left", "right"))


def test_a_key_that_is_missing_says_which_one_may_have_been_meant():
    fault = fault_of({"wrods": []})
    assert isinstance(fault, MissingKey)
    assert (fault.path, fault.accepted, fault.unknown) == (("words",), "a list of words", "wrods")
    assert fault_of({"later": 1}, Open).path == ("word",)


def test_an_unknown_key_is_refused_with_the_known_ones():
    fault = fault_of({"words": [], "by_name": {"x": {"lo": 1}}})
    assert isinstance(fault, UnknownKey)
    assert (fault.path, fault.known) == (("by_name", "x", "lo"), ("low", "high", "side"))


def test_a_rule_on_several_keys_speaks_for_itself():
    fault = fault_of({"words": [], "listed": [{}, {"low": 2, "high": 1}]})
    assert isinstance(fault, BrokenRule)
    assert (fault.path, fault.rule) == (("listed", 1), "low has to be below high")


def test_the_keys_of_a_record_say_what_they_take():
    keys = keys_of(Outer)
    assert {name: key.required for name, key in keys.items()} == {"words": True, "by_name": False, "listed": False}
    assert keys["words"].accepted == "a list of words"
