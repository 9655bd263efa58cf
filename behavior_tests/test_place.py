"""Does the model recognise things as well elsewhere in a picture as in its middle?"""

from vlcheck import behavior, with_target
from vlcheck.behaviors.tables import UnderEach
from vlcheck.expect import Preserved
from vlcheck.perturb import CELLS, Bare, Compose, CutOut, Each

BIAS = "place"

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
