"""--fail-on: a cause refuses captions, and so does a bias of which no cause could be looked for."""

import pytest

from tests.audit.documents import COLORS, FEW, PICTURES, SIDES, report
from vlcheck.audit.gate import ANY, cause_objections


@pytest.mark.parametrize(
    ("findings", "biases", "reasons"),
    [
        ((SIDES, COLORS), ["color"], []),
        ((SIDES, COLORS), ["position"], ["position: sides-unnamed"]),
        ((SIDES, COLORS), ["color", "position"], ["position: sides-unnamed"]),
        ((SIDES, COLORS, PICTURES), [ANY], ["position: sides-unnamed"]),
        ((COLORS, PICTURES), [ANY], []),
        ((COLORS, PICTURES), [ANY, "modality"], ["modality: no cause was looked for"]),
        ((COLORS, PICTURES), ["modality"], ["modality: no cause was looked for"]),
        ((COLORS,), ["place"], ["place: no cause was looked for"]),
        ((PICTURES,), [ANY], ["nothing was examined"]),
        ((COLORS, FEW), [ANY], ["order: there are too few captions to tell of a cause (order-pairs)"]),
        ((COLORS, FEW), ["order"], ["order: there are too few captions to tell of a cause (order-pairs)"]),
        ((COLORS, FEW), ["color"], []),
        ((SIDES,), [], []),
    ],
)
def test_a_cause_and_an_absence_of_looking_refuse(findings, biases, reasons):
    assert list(cause_objections(report(*findings), biases)) == reasons
