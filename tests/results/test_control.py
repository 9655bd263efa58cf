"""A control that changed during the run: none of its verdicts stands beside."""

import json

from tests.report.pages import passing, results, rows
from vlcheck.results.control import ControlVerdicts

GOOD = rows({str(i): 0.1 for i in range(30)})
CHANGED = {"kind": "identity", "process": "main", "name": "org/served", "noise": 0.001, "changed": "was 1, is 2"}


def test_a_control_that_changed_is_not_shown_beside():
    model, control = results((passing(), GOOD)), results((passing(), GOOD))
    (verdict,) = model.verdicts.values()
    assert ControlVerdicts(control).of(verdict) is not None
    control.add([json.dumps(CHANGED)])
    changed = ControlVerdicts(control)
    assert changed.of(verdict) is None
    assert "Was 1, is 2" in changed.fault(verdict)
    (note,) = changed.notes(model)
    assert note == "a-model is not shown beside: Was 1, is 2"
