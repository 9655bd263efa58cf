"""A model's spec, parsed to what loads it."""

import pytest

from vlcheck._util.spec_grammar import Factory, Reference
from vlcheck.errors import UsageError
from vlcheck.models.loading.spec import ModelSpec, parse

FAMILIES = ("albef", "vilbert", "tiny")


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("tiny", ModelSpec("tiny", family="tiny")),
        ("albef:A.pth", ModelSpec("albef:A.pth", family="albef", path="A.pth")),
        ("org/name@v1", ModelSpec("org/name@v1", path="org/name", revision="v1")),
        ("a/b@v1+/c", ModelSpec("a/b@v1+/c", path="a/b", revision="v1", adapter=Reference("", "/c"))),
        ("mine.py:Mine", ModelSpec("mine.py:Mine", factory=Factory("mine.py", "Mine"))),
        ("org/name,regions=D", ModelSpec("org/name,regions=D", path="org/name", options=(("regions", "D"),))),
    ],
)
def test_a_spec_is_taken_apart_once(spec, wanted):
    assert parse(spec, FAMILIES) == wanted


def test_each_head_is_a_spec_of_its_own():
    spec = parse("itm=vilbert:A,regions=D,mlm=org/name@v1", FAMILIES)
    heads = dict(spec.heads)
    assert (heads["itm"].family, heads["itm"].path, heads["itm"].regions) == ("vilbert", "A", "D")
    assert (heads["mlm"].path, heads["mlm"].revision, heads["mlm"].said) == ("org/name", "v1", "org/name@v1")
    assert (spec.family, spec.path, spec.options) == ("", "", ())


@pytest.mark.parametrize(
    ("spec", "named"), [("org/name@v1,regions=D", "org/name@v1"), ("a/b.py:make,x=1", "a/b.py:make")]
)
def test_a_message_names_it_without_its_options(spec, named):
    assert parse(spec, FAMILIES).named == named


def test_the_commit_that_was_read_takes_the_place_of_a_revision():
    spec = parse("org/name@main,regions=D", FAMILIES)
    assert spec.at(Reference("", "org/name", "0a1b")) == "org/name@0a1b,regions=D"
    assert spec.at(Reference("", "org/name", "0a1b"), Reference("", "/lora")) == "org/name@0a1b+/lora,regions=D"


def test_what_means_nothing_is_told_as_before():
    with pytest.raises(UsageError, match=r"^model='itm=A': no model is named for mlm"):
        parse("itm=A", FAMILIES)
