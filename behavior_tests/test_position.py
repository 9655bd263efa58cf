"""Does the model know left from right, and above from below?

Figure 3 of the ALBEF study.
"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import LeftAndRight
from vlcheck.expect import Beats, Flips, MirroredMap, Preserved, SidePreference, Swaps
from vlcheck.perturb import Compose, Mirror, SwapSides, UpsideDown

BIAS = "position"

sides = with_target("side")
hands = with_target("hand")
own_hands = with_target("hand", having=("own-side",))
verticals = with_target("vertical")
sideless = with_target("object", lacking=("names-side", "legible-text"))


@behavior(cases=sides, perturb=Mirror(), expect=Swaps(), metrics=("mlm", "itm"), tables=(LeftAndRight(),))
def test_mirror_swaps_sides(verdict):
    """In a mirror, the dog that was to the left of the cat is to its right: the answer has to change, too."""
    assert verdict.passed


@behavior(cases=hands, perturb=Mirror(), expect=Flips(), metrics=("mlm", "itm"), tables=(LeftAndRight(),))
def test_mirror_flips_hands(verdict):
    """In a mirror, the left hand becomes the right one, whichever of the two the annotator meant."""
    assert verdict.passed


@behavior(cases=own_hands, perturb=Mirror(), expect=Swaps(), metrics=("mlm", "itm"), tables=(LeftAndRight(),))
def test_mirror_swaps_own_hands(verdict):
    """If a hand is known to be the person's own left one, the answer has to be left, and right in a mirror."""
    assert verdict.passed


@behavior(
    cases=with_target("side", "hand"),
    perturb=Compose(Mirror(), SwapSides()),
    expect=Preserved(),
    metrics=("mlm", "itm"),
)
def test_mirror_and_swapped_words_preserve(verdict):
    """With the picture mirrored and the words swapped, the caption is as true as before."""
    assert verdict.passed


@behavior(cases=sideless, perturb=Mirror(), expect=Preserved(), metrics=("mlm", "itm"))
def test_mirror_preserves_sideless_captions(verdict):
    """A mirrored bus is a bus: if no side is named and there is no writing, a mirror changes nothing."""
    assert verdict.passed


@behavior(cases=sides, expect=Beats(), metrics=("mlm", "itm"))
def test_true_side_beats_the_other(verdict):
    """A model that knows left from right prefers the side that is true."""
    assert verdict.passed


@behavior(cases=own_hands, expect=Beats(), metrics=("mlm", "itm"))
def test_true_hand_beats_the_other(verdict):
    """A model that knows a person's left hand from the right one prefers the hand that is true."""
    assert verdict.passed


@behavior(cases=sides, expect=SidePreference(), metrics=("mlm", "itm"))
def test_right_is_not_preferred_to_left(verdict):
    """Where left and right are true equally often, a model that says "right" more often has learned a habit."""
    assert verdict.passed


@behavior(cases=verticals, perturb=UpsideDown(), expect=Swaps(), metrics=("mlm", "itm"))
def test_upside_down_swaps_above_and_below(verdict):
    """Upside down, the lamp that was above the table is below it: the answer has to change, too."""
    assert verdict.passed


@behavior(cases=verticals, expect=Beats(), metrics=("mlm", "itm"))
def test_true_vertical_beats_the_other(verdict):
    """A model that knows above from below prefers the one that is true."""
    assert verdict.passed


@behavior(cases=sideless, perturb=Mirror(), expect=MirroredMap(), metrics=("map",))
def test_map_is_mirrored_with_the_picture(verdict):
    """The parts of a picture that a match rests on are the same things in a mirror, and so on its other side.

    Run with `--vl-explain METHOD`. Stated before the first run: `tiny` and its variants pass, but for `tiny-blind`,
    whose match rests on no part of the picture. Found with lrp-size: `tiny-blind` passes, too; it sees any picture
    but a black one.
    """
    assert verdict.passed
