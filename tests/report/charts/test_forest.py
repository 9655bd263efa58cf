"""The forest plot has each verdict once, where it was observed, and the release before where there is one."""

import re

import pytest

from tests.report.charts.drawn import Drawing, back
from tests.report.pages import bare, invalid, mean, passing, results, row, rows, unasked, verdict
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room
from vlcheck.results.comparison import compare_runs


def run(**changes):
    """A run in which color fails, position is a mean, and two verdicts have no figure."""
    return results(
        (verdict(**changes), rows()),
        (passing("test_hue_preserves"), rows(dict.fromkeys(("one", "two"), 0.1))),
        (mean(), [bare("one", -0.4), bare("two", 0.64)]),
        (invalid(), rows({"one": None})),
        (unasked(rate=None), []),
    )


def lines(found, comparison=None):
    """The lines by id, and the plot."""
    view = page_view(found, source="r", comparison=comparison, room=Room())
    scales = [scale for bias in view.forest.biases for scale in bias.scales]
    return {line.id: line for scale in scales for line in scale.rows}, view


def test_each_verdict_has_a_line_of_its_bias_that_leads_to_it():
    found, view = lines(run())
    groups = {one.id: one for group in view.groups for one in group.verdicts}
    assert found.keys() == groups.keys()
    for place, line in found.items():
        assert (line.title, line.metric, line.status) == tuple(
            getattr(groups[place], name) for name in ("title", "metric", "status")
        )
        assert (line.drawing is None) == (not groups[place].observed)
    names = [(one.bias.text, [scale.name for scale in one.scales]) for one in view.forest.biases]
    assert names == [("color", ["share that violates"]), ("position", ["share that violates", "mean"])]
    assert not view.forest.compared


def test_a_line_has_what_was_observed_its_interval_and_what_is_allowed():
    found, _ = lines(run())
    one = Drawing(next(line.drawing for line in found.values() if line.title.text == "grey preserves"))
    (zone,) = one.boxes("zone")
    assert (back(zone[0], 14, 226), back(zone[0] + zone[2], 14, 226)) == pytest.approx((0.0, 0.1), abs=0.001)
    low, high = map(float, re.search(r"M([\d.]+) 11H([\d.]+)", one.paths("span")).groups())
    assert (back(low, 14, 226), back(high, 14, 226)) == pytest.approx((0.2713, 0.9372), abs=0.001)
    (glyph,) = one.root.iter("use")
    assert back(float(glyph.get("x")) + 6.5, 14, 226) == pytest.approx(2 / 3, abs=0.001)
    assert glyph.get("href") == "#s-fail"
    label = one.root.get("aria-label").replace("\N{NO-BREAK SPACE}", " ")
    assert label == "fail: wrong in 66.7 % (27.1 to 93.7 %); 10 % allowed"
    of_mean = Drawing(next(line.drawing for line in found.values() if line.title.text == "right is no favourite"))
    (glyph,) = of_mean.root.iter("use")
    assert back(float(glyph.get("x")) + 6.5, 14, 226, -1, 1) == pytest.approx(0.12, abs=0.003)
    assert of_mean.root.get("aria-label") == ("inconclusive: mean +0.120 (-0.050 to +0.310); -0.150 to +0.150 allowed")


def test_a_lead_is_measured_against_the_choice_without_the_picture():
    found, _ = lines(run(claim="lead", allowed=0.4))
    one = Drawing(next(line.drawing for line in found.values() if line.title.text == "grey preserves"))
    assert one.root.get("aria-label").endswith("; 40\N{NO-BREAK SPACE}% without the picture")


def test_the_release_before_is_a_ring_where_it_was():
    """Of the same rows, half held before; what another release cannot be compared in has no ring."""
    margins = {"one": 0.2, "two": 0.2, "three": 0.2, "four": -0.1, "five": 0.1, "six": -0.05, "seven": None}
    old = results((verdict(), [row(case, margin) for case, margin in margins.items()]), run={"name": "old"})
    new = run()
    comparison = compare_runs(old, new)
    found, view = lines(new, comparison)
    assert view.forest.compared
    ringed = {}
    for line in found.values():
        if line.drawing:
            for circle in Drawing(line.drawing).root.iter("circle"):
                ringed[line.title.text] = back(float(circle.get("cx")), 14, 226)
                assert circle.get("class") == "before"
    (changed,) = [one for one in comparison.rows if one.figure]
    assert ringed == {"grey preserves": pytest.approx(changed.figure.old, abs=0.003)}
    assert 0 < changed.figure.old < 1


def test_of_several_means_of_a_behavior_none_is_taken_for_the_release_before():
    values = {"values": {"red": 0.3, "blue": -0.1}}
    both = [results((mean(), [bare(str(at), 0.3) | values for at in range(30)])) for _ in range(2)]
    found, view = lines(both[1], compare_runs(*both))
    assert not view.forest.compared
    assert all("circle" not in line.drawing for line in found.values())
