"""Does the model look at the picture, and read the words?

Figure 1 of the ALBEF study.
"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import VisionAndLanguage, VisionForLanguage
from vlcheck.expect import Balance, BothContribute, ContextReliance, Drops, Preserved
from vlcheck.perturb import AblateRegions, Bare, Block, OtherImage

BIAS = "modality"

objects = with_target("object", bare=True)


@behavior(cases=objects, perturb=Block(), expect=Drops(), metrics=("itm",), tables=(VisionAndLanguage(),))
def test_blocking_drops_match(verdict):
    """A caption cannot match a black rectangle: a model that says so has not looked."""
    assert verdict.passed


@behavior(cases=objects, given=Bare(), perturb=Block(), expect=Drops(), metrics=("mlm",))
def test_blocking_drops_bare_word(verdict):
    """Nobody can say what "a photo of a [MASK]" shows when the photo is black."""
    assert verdict.passed


@behavior(cases=objects, perturb=OtherImage(), expect=Drops(), metrics=("itm",))
def test_another_image_drops_match(verdict):
    """A caption about a bus does not match a photograph without one."""
    assert verdict.passed


@behavior(cases=objects, given=Bare(), perturb=OtherImage(), expect=Drops(), metrics=("mlm",))
def test_another_image_drops_bare_word(verdict):
    """The word for what a photo shows has to come from that photo, not from what photos usually show."""
    assert verdict.passed


@behavior(cases=objects, perturb=Bare(), expect=Preserved(), metrics=("mlm", "itm"))
def test_vision_alone_preserves(verdict):
    """A dog in plain view is a dog without a hint in words: a model that needs the hint reads, and does not see."""
    assert verdict.passed


@behavior(cases=objects, perturb=Block(), expect=Balance(), metrics=("mlm",), tables=(VisionAndLanguage(),))
def test_vision_and_language_balance(verdict):
    """The picture without the hint should count about as much as the hint without the picture.

    Far above 0 the model leans on the picture alone, far below on the words alone.
    """
    assert verdict.passed


@behavior(
    cases=objects,
    given=Bare(),
    perturb=AblateRegions(),
    expect=ContextReliance(),
    metrics=("mlm", "itm"),
    tables=(VisionForLanguage(),),
)
def test_word_comes_from_the_thing_not_its_surroundings(verdict):
    """A street without its bus shows no bus: a model that still says so takes the street for it."""
    assert verdict.passed


@behavior(cases=objects, expect=BothContribute(), metrics=("mm-shap",))
def test_neither_modality_collapses(verdict):
    """A match that hangs on the words alone, or on the picture alone, is no match of the two.

    Run with `--vl-explain mmshap`. Stated before the first run: `tiny` and its variants that look at the picture pass,
    `tiny-blind` is far above the band.
    """
    assert verdict.passed
