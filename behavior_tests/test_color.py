"""Does the model recognise things without their color, and see the color when it is asked for?

Figure 2 of the ALBEF study.
"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import AgainstNoise, ColorAndGrey
from vlcheck.expect import Beats, Drops, Preserved, Skew
from vlcheck.perturb import Bare, Block, Compose, Grayscale, RotateHue

BIAS = "color"

chromatic = with_target("color", having=("chromatic",))
achromatic = with_target("color", having=("achromatic",), lacking=("names-chromatic",))
# A grey picture does not show that the red bus of a caption is red, so that the caption may well match less.
objects = with_target("object", lacking=("names-chromatic",))


@behavior(
    cases=objects,
    perturb=Grayscale(),
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(ColorAndGrey(), AgainstNoise(Grayscale())),
)
def test_grayscale_preserves_objects(verdict):
    """A red bus is still a bus in a black-and-white photograph."""
    assert verdict.passed


@behavior(
    cases=chromatic,
    perturb=Grayscale(),
    expect=Drops(decided_by=Block()),
    metrics=("mlm", "itm"),
    tables=(ColorAndGrey(), AgainstNoise(Grayscale())),
)
def test_grayscale_drops_chromatic_words(verdict):
    """A black-and-white photograph does not show that the bus is red: a model that still says so recites."""
    assert verdict.passed


@behavior(
    cases=achromatic,
    perturb=Grayscale(),
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(ColorAndGrey(), AgainstNoise(Grayscale())),
)
def test_grayscale_preserves_achromatic_words(verdict):
    """White, black and grey can be seen in a black-and-white photograph, too."""
    assert verdict.passed


@behavior(cases=with_target("color"), expect=Beats(), metrics=("mlm", "itm"))
def test_true_color_beats_a_wrong_one(verdict):
    """A model that sees color prefers the color that is there to one that is not."""
    assert verdict.passed


@behavior(cases=with_target("color"), expect=Skew(), metrics=("mlm", "itm"))
def test_no_color_is_answered_too_often(verdict):
    """A model that answers "white" far more often than things are white guesses from habit."""
    assert verdict.passed


@behavior(
    cases=with_target("single"),
    given=Compose(Bare(), RotateHue()),
    expect=Beats(all=True),
    metrics=("mlm", "itm"),
)
def test_unusual_color_keeps_its_name(verdict):
    """A blue banana is a banana: a model that has learnt things by their colors calls it something else."""
    assert verdict.passed


@behavior(
    cases=objects,
    perturb=RotateHue(),
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(AgainstNoise(RotateHue()),),
)
def test_rotated_hue_preserves_objects(verdict):
    """A bus is still a bus when it is painted in another color."""
    assert verdict.passed
