"""The strength of an edit is the one number in its label."""

import pytest

from vlcheck.perturb import Blur, Brightness, Compose, Crop, CutOut, Grayscale, Jpeg, Mirror, Opening, RotateHue
from vlcheck.perturb.strength import strength_of


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (Jpeg(50), ("jpeg", 50.0)),
        (Brightness(1.2), ("brightness", 1.2)),
        (Blur(0.00001), ("blur", 1e-5)),
        (Crop(0.02), ("crop", 0.02)),
        (Opening(5), ("opening", 5.0)),
        (RotateHue(90), ("rotate-hue", 90.0)),
        (Compose(Mirror(), Brightness(0.8)), ("brightness", 0.8)),
        (Compose(Jpeg(50), Brightness(0.8)), None),
        (Grayscale(), None),
        (CutOut("top"), None),
    ],
)
def test_a_label_tells_the_strength_of_its_edit(edit, found):
    assert strength_of(edit.label) == found


@pytest.mark.parametrize("label", ["", "name(", "f(x) v1", "f() v2", "f(1, 2) v1"])
def test_a_label_without_one_number_has_no_strength(label):
    assert strength_of(label) is None


def test_the_other_parameters_belong_to_the_name():
    assert strength_of("block(image, 0.5) v1") == ("block(image)", 0.5)
