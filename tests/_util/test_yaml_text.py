"""Values as YAML: what is written is what is read."""

import pytest
import yaml

from vlcheck._util.yaml_text import yaml_number, yaml_object, yaml_text

TEXTS = [
    "",
    "plain",
    "null",
    "1.0",
    "a: b",
    "- a",
    "---",
    '"quoted" \\ back',
    "two\nlines\t\x1b",
    "\u202e模型 🎈",
    "%TAG",
    "#",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_the_text_that_it_is(text):
    assert yaml.safe_load(yaml_text(text)) == text


def test_half_a_character_is_replaced():
    assert yaml.safe_load(yaml_text("a\ud800")) == "a\ufffd"


@pytest.mark.parametrize("number", [0.0, 1.0, -0.4, 1 / 3, 1e-05, 3e-20, 1e20, 123456.789])
def test_a_number_is_read_as_a_number(number):
    found = yaml.safe_load(yaml_number(number))
    assert isinstance(found, float)
    assert found == pytest.approx(number, rel=1e-5)


def test_an_object_stands_in_one_line_without_what_is_none():
    said = yaml_object({"type": "a, b}", "value": 0.5, "config": None, "name": ""})
    assert "\n" not in said
    assert yaml.safe_load(said) == {"type": "a, b}", "value": 0.5, "name": ""}
