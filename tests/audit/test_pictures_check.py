"""Pictures that are blank or do not load."""

import pytest
from PIL import Image

from tests.audit.corpora import audited
from vlcheck.audit.caption import Caption
from vlcheck.audit.checks.pictures import BLANK
from vlcheck.cases.tones import is_blank
from vlcheck.errors import UsageError

BLACK, WHITE = Image.new("RGB", (8, 8)), Image.new("L", (8, 8), 255)
DOTTED = Image.new("RGB", (8, 8))
DOTTED.putpixel((3, 3), (0, 90, 0))


def broken():
    raise UsageError("x.jpg: cannot be decoded")


def corpus(*pictures):
    return [Caption(f"caption {at}", f"{at}.jpg", (), picture) for at, picture in enumerate(pictures)]


@pytest.mark.parametrize(("image", "blank"), [(BLACK, True), (WHITE, True), (DOTTED, False)])
def test_a_picture_of_one_color_is_blank(image, blank):
    assert is_blank(image) is blank


def test_blank_and_broken_pictures_are_counted_and_named():
    found = audited(corpus(*[lambda: DOTTED] * 70, *[lambda: BLACK] * 20, *[broken] * 10), "pictures-blank")
    assert (found.n, found.count, found.cause) == (100, 30, BLANK)
    assert {part.name: part.count for part in found.parts} == {"blank": 20, "does not load": 10}


def test_a_few_blank_pictures_are_no_cause():
    assert audited(corpus(*[lambda: DOTTED] * 99, broken), "pictures-blank").cause == ""


def test_a_picture_with_several_captions_is_opened_once():
    opened = []
    picture = Caption("a", "1.jpg", (), lambda: opened.append(1) or DOTTED)
    assert audited([picture] * 5, "pictures-blank").n == len(opened) == 1


def test_only_a_sample_of_many_pictures_is_opened():
    assert 32 <= audited(corpus(*[lambda: DOTTED] * 1000), "pictures-blank", sample=64).n <= 64


def test_without_pictures_none_is_opened():
    assert audited([Caption("a cup")], "pictures-blank").says == "No pictures were given."
