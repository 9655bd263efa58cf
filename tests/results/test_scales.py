"""What reports say of the scale that margins were formed on."""

import pytest

from vlcheck.report.page.charts import curve
from vlcheck.results import scales
from vlcheck.results.schema import record_of
from vlcheck.stats.operating_scale import Scale

SAID = {"demanded": "calibrated", "used": "calibrated", "reason": "", "gain": 2.0, "offset": 4.0, "power": 0.5}
SAID |= {"auc": 0.98, "auc_low": 0.95, "pairs": 60}
RAW = {"demanded": "calibrated", "used": "raw", "reason": "4 pairs are too few"}

LINE = {"kind": "verdict", "test": "t", "bias": "b", "behavior": "b", "metric": "itm", "score_kind": "sigmoid"}
LINE |= {"reason": "", "claim": "rate", "status": "pass"}


def verdict(said=SAID, metric="itm", kind="sigmoid"):
    return record_of(LINE | {"metric": metric, "score_kind": kind, "scale": said})


def test_equal_scales_are_said_once_with_the_score_that_is_the_middle():
    (line,) = scales.scale_lines([verdict(), verdict()])
    assert line == (
        "scale of itm (sigmoid), 2 verdicts: calibrated on 60 pairs of an own and another picture, area under the curve"
        " 0.98 (at least 0.95); 0.5 is where the model gives 0.119, gain 2.00"
    )
    assert scales.scales_of([verdict()])[0].scale.level(0.1192) - 0.5 < 1e-4


def test_raw_scores_say_why_and_closed_sets_their_temperature():
    lines = list(scales.scale_lines([verdict(RAW), verdict(metric="mlm", kind="masked-lm")]))
    assert lines[0] == "scale of itm (sigmoid), 1 verdict: raw scores; 4 pairs are too few"
    assert lines[1].endswith("gain 2.00, closed sets at a temperature of 2.00")


def test_older_results_know_raw_scores_alone():
    assert scales.scales_of([verdict(None)]) == []
    assert (scales.used(None), scales.demanded(None)) == ("raw", "raw")


def test_scales_that_differ_between_runs_are_named():
    other = verdict(SAID | {"gain": 0.5})
    assert list(scales.differing([verdict()], [verdict()])) == []
    assert list(scales.differing([verdict()], [other, other])) == [
        "itm: gain 2.00, offset +4.00, power 0.50 in the old run, gain 0.50, offset +4.00, power 0.50 in the new one"
    ]
    assert list(scales.differing([verdict(RAW)], [other])) == [
        "itm: raw scores in the old run, gain 0.50, offset +4.00, power 0.50 in the new one"
    ]
    assert list(scales.differing([verdict(RAW)], [verdict(RAW)])) == []


def test_the_curve_says_where_its_middle_is():
    assert "0.5 at a raw score of 0.12" in curve(Scale(gain=2.0, offset=4.0))


def test_a_scale_that_is_none_is_refused_by_the_schema():
    for right in (None, SAID, RAW):
        record_of(LINE | {"scale": right})
    for wrong in ({"used": "log"}, {"gain": "1"}, {"gain": 0}, {"reason": None}, {"power": None}):
        with pytest.raises(ValueError, match="scale"):
            record_of(LINE | {"scale": SAID | wrong})
