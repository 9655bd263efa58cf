"""Does the model look at the picture, and read the words?

Figure 1 of the ALBEF study.
"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import EachModalityAlone, LanguageForVision, Synergy, VisionAndLanguage, VisionForLanguage
from vlcheck.expect import Balance, Beats, BothContribute, ContextReliance, Drops, NeitherAlone, Preserved
from vlcheck.perturb import AblateRegions, AfterCaption, Bare, Block, Compose, OtherImage, Untold

BIAS = "modality"

objects = with_target("object", bare=True)
hidden = AblateRegions()


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
    perturb=hidden,
    expect=ContextReliance(),
    metrics=("mlm", "itm"),
    tables=(VisionForLanguage(),),
)
def test_word_comes_from_the_thing_not_its_surroundings(verdict):
    """A street without its bus shows no bus: a model that still says so takes the street for it.

    Stated before the first run: pass for `tiny` and each variant, under both metrics. `tiny-blind` passes as well: its
    black pictures are not asked about. Found: as stated.
    """
    assert verdict.passed


@behavior(cases=objects, expect=BothContribute(), metrics=("mm-shap",), tables=(Synergy(),))
def test_neither_modality_collapses(verdict):
    """A match that hangs on the words alone, or on the picture alone, is no match of the two.

    Run with `--vl-explain mmshap`. Stated before the first run: `tiny` and its variants that look at the picture pass,
    `tiny-blind` fails, far above the band. Found: all pass, `tiny-blind` as well, since it looks at a picture that is
    there, and no absent part of one is black.
    """
    assert verdict.passed


@behavior(
    cases=objects,
    perturb=Block(),
    expect=NeitherAlone(),
    metrics=("itm",),
    tables=(EachModalityAlone(),),
    explain="mmshap",
)
def test_neither_modality_decides_alone(verdict):
    """A caption that matches a black picture was not held against its own: the model has read, and not looked.

    Run with `--vl-explain mmshap`. Stated before the first run: `tiny-blind` fails, near 1, since to it a caption
    matches a black picture as well as its own. `tiny` and the other variants pass, near 0, since to them nothing
    matches where the words or the picture are absent. The measure was changed once, after 20 scenes of seed 0.
    Found: as stated, on 20 scenes of each of the seeds 1 to 5.
    """
    assert verdict.passed


@behavior(
    cases=objects,
    given=Compose(hidden, AfterCaption()),
    perturb=AfterCaption("phrase"),
    expect=Beats(),
    metrics=("itm",),
    tables=(LanguageForVision(),),
    explain="ablation",
)
def test_caption_tells_what_is_hidden(verdict):
    """A caption that names a thing tells what the hidden part of the picture shows.

    Run with `--vl-explain ablation`. Stated before the first run: inconclusive for `tiny` and its variants, which were
    not trained on texts of two sentences. Found: invalid.
    """
    assert verdict.passed


@behavior(
    cases=objects,
    given=hidden,
    perturb=Untold(),
    expect=Drops(),
    metrics=("mrc",),
    tables=(LanguageForVision(hidden, Compose(hidden, Untold()), Compose(hidden, Bare(), Untold())),),
    explain="ablation",
)
def test_caption_tells_class_of_hidden_regions(verdict):
    """The caption tells what a removed region shows; without that word nothing tells it.

    Run with `--vl-explain ablation`, for models with a head for regions. Nothing was stated before the first run of it:
    `tiny` and its variants read no regions, and are not asked.
    """
    assert verdict.passed
