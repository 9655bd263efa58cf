"""Does the model give the same answers after JPEG compression, a slight blur, a change of light or a cropped edge?"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import UnderEach
from vlcheck.expect import Preserved
from vlcheck.perturb import Blur, Brightness, Crop, Each, Jpeg

BIAS = "robustness"

objects = with_target("object")


@behavior(cases=objects, perturb=Jpeg(), expect=Preserved(), metrics=("mlm", "itm"))
def test_jpeg_preserves(verdict):
    """A bus that was sent through a messenger is still a bus."""
    assert verdict.passed


@behavior(cases=objects, perturb=Blur(), expect=Preserved(), metrics=("mlm", "itm"))
def test_slight_blur_preserves(verdict):
    """A bus slightly out of focus is still a bus."""
    assert verdict.passed


@behavior(
    cases=objects,
    perturb=Each(Brightness(0.8), Brightness(1.2)),
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(UnderEach(),),
)
def test_brightness_preserves(verdict):
    """A bus is a bus under clouds and in the sun."""
    assert verdict.passed


@behavior(cases=objects, perturb=Crop(), expect=Preserved(), metrics=("mlm", "itm"))
def test_crop_preserves(verdict):
    """A bus is a bus when a fiftieth of the picture is cut off at each edge."""
    assert verdict.passed
