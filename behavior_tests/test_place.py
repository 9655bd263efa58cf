"""Does the model recognise things as well elsewhere in a picture as in its middle?"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import UnderEach
from vlcheck.expect import FollowsObject, Preserved
from vlcheck.perturb import CELLS, Bare, Compose, CutOut, Each

BIAS = "place"

everywhere = Each(*map(CutOut, CELLS))
elsewhere = Each(*(CutOut(cell) for cell in CELLS if cell != "middle"))


@behavior(
    cases=with_target("single"),
    given=Compose(Bare(), CutOut("middle")),
    perturb=elsewhere,
    expect=Preserved(),
    metrics=("mlm", "itm"),
    tables=(UnderEach(),),
)
def test_other_cells_preserve(verdict):
    """A bus in a corner of the picture is as much a bus as in the middle of it."""
    assert verdict.passed


@behavior(cases=with_target("single"), given=Bare(), perturb=everywhere, expect=FollowsObject(), metrics=("map",))
def test_attention_follows_the_object(verdict):
    """If a thing is once in each cell of the picture, what the match rests on is, too: no place gets more than its share.

    Run with `--vl-explain METHOD`. Stated before the first run: `tiny` passes, `tiny-center` rests on the middle and
    fails.
    """
    assert verdict.passed
