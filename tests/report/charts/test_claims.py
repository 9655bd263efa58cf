"""Each chart draws the numbers of the results, and says them in words."""

import itertools
import re

import pytest

from tests.report.charts.drawn import Drawing, back, of
from tests.report.pages import bare, mean, row, verdict
from vlcheck.expect.base import TRUE_BEFORE
from vlcheck.perturb import Brightness, CutOut, Jpeg, Opening
from vlcheck.stats.verdict import judge, judge_mean

BY = {"by": 0.05, "within": 0.1}


def sides(pairs, word):
    """A verdict on sides, and its rows with the share of a word before and after."""
    rows = []
    for number, (before, after) in enumerate(pairs):
        margins = [min(before - 0.5, 0.5 - after) - 0.05]
        if word == "left":
            margins.append(min(0.5 - before, after - 0.5) - 0.05)
        rows.append(row(f"case {number}", max(margins), shares=[before, after], image=f"p{number}"))
    return verdict("test_mirror_swaps", share_of=word, tolerances=BY), rows


def drawn(verdict, rows, place=0):
    return Drawing(of(verdict, rows)[place].drawing)


PAIRS = [(0.9, 0.1), (0.8, 0.7), (0.3, 0.6), (0.2, 0.4), (0.52, 0.3)]


def test_a_scatter_of_sides_has_each_row_where_its_shares_are_and_shades_what_holds():
    found = drawn(*sides(PAIRS, TRUE_BEFORE))
    centers = [(x + 2.5, y + 2.5) for x, y in found.points("crosses violating")]
    read = [(back(x, 46, 286), back(y, 250, 10)) for x, y in [*found.points("dots holding"), *centers]]
    for (x, y), pair in zip(read, PAIRS, strict=True):
        assert (x, y) == pytest.approx(pair, abs=0.002)
    ((x, y, width, height),) = found.boxes("zone")
    ends = back(x, 46, 286), back(x + width, 46, 286), back(y, 250, 10), back(y + height, 250, 10)
    assert ends == pytest.approx((0.55, 1.0, 0.45, 0.0), abs=0.002)
    assert found.title == (
        "The share of the word true before the edit: mean 0.544 before, 0.420 after, 4 of 5 rows violate"
    )
    assert found.desc == (
        "A row holds where the share is above 0.55 before and under 0.45 after. The share is above 0.5: 1 before and"
        " after, 2 before alone, 1 after alone, 1 neither before nor after."
    )
    assert "holds: 1" in found.words


def test_a_word_that_is_not_known_to_be_true_may_change_either_way():
    found = drawn(*sides(PAIRS, "left"))
    assert len(found.points("dots holding")) == 2
    first, second = found.boxes("zone")
    assert (first[0] + first[2] / 2 - 166, first[1] + first[3] / 2 - 130) == pytest.approx(
        (166 - second[0] - second[2] / 2, 130 - second[1] - second[3] / 2), abs=0.2
    )
    assert [one for one in found.words if one.startswith("holds")] == ["holds: 1", "holds: 1"]
    assert "or the other way round" in found.desc


def test_results_of_older_versions_have_no_shares_and_show_their_scores():
    one, rows = sides(PAIRS, TRUE_BEFORE)
    older = drawn(one | {"share_of": None}, [each | {"shares": []} for each in rows])
    assert older.kind == "slopes"


def wins(shares):
    """A verdict on a true word, and its rows with the share of it against a wrong one."""
    rows = [row(f"case {at}", share - 0.55, shares=[share], after=None) for at, share in enumerate(shares)]
    return verdict("test_true_color_beats", share_of="the true word", tolerances=BY, perturbation=""), rows


def test_dumbbells_have_the_true_word_and_the_wrong_one_of_each_row_the_worst_on_top():
    shares = [0.9, 0.2, 0.54, 0.6, 0.5]
    found = drawn(*wins(shares))
    wrongs, trues = (found.points(kind) for kind in ("hole", "knob"))
    assert [back(x, 14, 306) for x, _ in wrongs] == pytest.approx([1 - one for one in sorted(shares)], abs=0.001)
    assert [y for _, y in wrongs] == sorted(y for _, y in wrongs)
    bells = [one.get("d") for one in found.root.iter("path") if one.get("class") == "knob"]
    assert [back(float(x), 14, 306) for x in re.findall(r"M([\d.]+)", bells[1])] == pytest.approx(
        sorted(shares), abs=0.001
    )
    assert len(trues) == 5
    assert (len(found.points("bar violating")), len(found.points("bar holding"))) == (3, 2)
    assert back(found.points("pin")[0][0], 14, 306) == pytest.approx(0.55, abs=0.001)
    assert found.title == (
        "The score of the true word against the wrong one: mean 0.548 against 0.452, 3 of 5 rows violate"
    )
    assert found.desc == "A row holds where the true word is above 0.55."


def test_dumbbells_of_a_lead_have_the_caption_and_its_best_foil():
    scores = [{"a ball": 0.75, "two balls": 0.5, "no ball": 0.1}, {"a ball": 0.3, "two balls": 0.4, "no ball": 0.2}]
    rows = [
        row(
            f"case {at}", each["a ball"] - max(each["two balls"], each["no ball"]), before=each["a ball"], scores=[each]
        )
        for at, each in enumerate(scores)
    ]
    found = drawn(verdict("test_foils", claim="lead"), rows)
    assert found.kind == "bells"
    assert [back(x, 14, 306) for x, _ in found.points("hole")] == pytest.approx([0.4, 0.5], abs=0.001)
    assert found.title == (
        "The score of the caption against its best foil: mean 0.525 against 0.450, 1 of 2 rows violates"
    )


def test_a_histogram_counts_each_value_and_shades_the_band():
    values = [-1.0, -0.42, -0.42, 0.0, 0.01, 0.049, 0.63, 1.0]
    result = judge_mean(values, band=(-0.15, 0.15))
    one = mean(effect=result.effect)
    found = drawn(one, [bare(str(at), value) for at, value in enumerate(values)])
    counts = {}
    for x, _, width, height in found.boxes("column"):
        counts[round(back(x - 0.5, 14, 306, -1, 1), 2)] = (round(3 * height / 100), width)
    assert {edge: count for edge, (count, _) in counts.items()} == {-1.0: 1, -0.45: 2, 0.0: 3, 0.6: 1, 0.95: 1}
    x, _, width, _ = found.boxes("zone")[0]
    assert (back(x, 14, 306, -1, 1), back(x + width, 14, 306, -1, 1)) == pytest.approx((-0.15, 0.15), abs=0.002)
    at = back(found.points("mean")[0][0], 14, 306, -1, 1)
    assert at == pytest.approx(sum(values) / len(values), abs=0.004)
    assert found.title == "The values of 8 rows: mean -0.019, the mean has to be from -0.150 to +0.150"
    assert found.desc == (
        "Rows by value: -1.000 to -0.950: 1; -0.450 to -0.400: 2; 0.000 to +0.050: 3; +0.600 to +0.650: 1;"
        " +0.950 to +1.000: 1."
    )


def test_of_several_words_each_has_its_mean_over_images_and_a_cross_outside_of_the_band():
    by_row = [{"red": 1.0, "blue": 0.0}, {"red": 0.0, "blue": -0.5}, {"red": 1.0}]
    rows = [bare(str(at), 1.0) | {"values": each, "image": f"p{at > 0}"} for at, each in enumerate(by_row)]
    found = drawn(mean(), rows)
    assert found.desc == "red +0.750; blue -0.250"  # the second and third row are of one image
    crosses = found.points("crosses violating")
    assert [back(x + 3, 118, 306, -1, 1) for x, _ in crosses] == pytest.approx([0.75], abs=0.002)
    assert found.words[:2] == ["red", "blue"]


def test_of_very_many_words_the_farthest_are_shown_and_the_others_counted():
    values = {f"word {at}": at / 100 for at in range(30)}
    found = drawn(mean(), [bare("one", 0.29) | {"values": values}])
    assert found.desc.startswith("word 29 +0.290; word 28 +0.280")
    assert found.desc.endswith("; 16 more are nearer to 0")


def edits(labels, violating, each="each of several"):
    """A verdict on several edits, and two rows of each of twenty images under each of them."""
    rows = []
    for label, (at, second) in itertools.product(labels, itertools.product(range(20), (False, True))):
        bad = at < violating[label] and not (at % 2 and second)
        rows.append(row(f"{at} {second}", -0.1 if bad else 0.1, perturbation=label, image=f"p{at}"))
    return verdict("test_edits", perturbation=each), rows


def expected(rows, label):
    its = [one for one in rows if one["perturbation"] == label]
    return judge([one["margin"] for one in its], [one["image"] for one in its])


def test_places_have_the_rate_of_each_cell_with_the_interval_of_a_verdict():
    cells = ["top left", "top", "top right", "left", "right", "bottom left", "bottom", "bottom right"]
    labels = [CutOut(cell).label for cell in cells]
    one, rows = edits(labels, {label: 2 * at for at, label in enumerate(labels)})
    _, chart = of(one, rows)
    found = Drawing(chart.drawing)
    assert found.kind == "places"
    shades = [float(one.get("fill-opacity")) for one in found.root.iter("rect") if one.get("class") == "shade"]
    said = dict(re.findall(r"([a-z ]+?) ([\d.]+) % \(", found.desc.replace("; ", "")))
    for cell, label, shade in zip(cells, labels, shades, strict=True):
        result = expected(rows, label)
        assert shade == pytest.approx(result.rate / 2, abs=0.001)
        assert float(said[cell]) == pytest.approx(100 * result.rate, abs=0.06)
    low, high = (100 * bound for bound in (expected(rows, labels[-1]).rate_low, expected(rows, labels[-1]).rate_high))
    assert f"{low:.1f} to {high:.1f} %" in found.desc
    assert found.words.count("20 images") == 8
    assert found.words.count("not asked") == 1
    assert "are in the bottom right cell" in found.title


@pytest.mark.parametrize(
    ("edit", "numbers", "name"),
    [(Brightness, (0.6, 0.8, 1.2), "brightness"), (Jpeg, (20, 50, 90), "jpeg"), (Opening, (5, 10, 20), "opening")],
)
def test_strengths_have_a_curve_of_rates_with_their_intervals(edit, numbers, name):
    labels = [edit(number).label for number in numbers]
    one, rows = edits(labels, dict(zip(labels, (10, 4, 0), strict=True)))
    found = Drawing(of(one, rows)[1].drawing)
    results = [expected(rows, label) for label in labels]
    xs, ys = zip(*found.points("knob"), strict=True)
    assert [back(x, 62, 286, numbers[0], numbers[-1]) for x in xs] == pytest.approx(numbers, rel=0.005)
    top = next(end for end in (0.25, 0.5, 1.0) if end >= max(one.rate_high for one in results))
    assert [back(y, 130, 12, high=top) for y in ys] == pytest.approx([one.rate for one in results], abs=0.005)
    whiskers = [back(y, 130, 12, high=top) for _, y in found.points("whisker")]
    assert whiskers == pytest.approx([one.rate_low for one in results], abs=0.005)
    _, y, _, _ = found.boxes("zone")[0]
    assert back(y, 130, 12, high=top) == pytest.approx(0.1, abs=0.005)
    assert found.title == f"Rows that violate over the strength of {name}; up to 10 % is allowed"
    assert f"{name} {numbers[0]:g}: {100 * results[0].rate:g} %" in found.desc.replace(".0 %", " %")


@pytest.mark.parametrize(
    "labels",
    [
        [Brightness(0.8).label],
        [Brightness(0.8).label, Jpeg(50).label],
        ["grayscale v1", "mirror v1"],
        [CutOut("top").label, Brightness(0.8).label],
    ],
)
def test_edits_that_are_no_scale_have_no_curve(labels):
    one, rows = edits(labels, dict.fromkeys(labels, 3))
    assert [Drawing(view.drawing).kind for view in of(one, rows)] == ["slopes"]


def test_rows_that_violate_are_drawn_apart_from_those_that_hold():
    margins = (-0.3, -0.2, 0.05, -0.1, 0.1, -0.05)
    found = drawn(verdict(), [row(str(at), margin) for at, margin in enumerate(margins)])
    assert (len(found.points("violating")), len(found.points("holding"))) == (4, 2)
    assert "M70 25.0L250 77.0" in found.paths("violating")  # 0.9 before, 0.5 after
    assert found.title.endswith("4 of 6 rows violate")


def test_scores_are_drawn_on_the_scale_of_the_margins():
    """On which 0.5 is the middle; the raw scores of a model may all be under 0.1."""
    scale = {"demanded": "calibrated", "used": "calibrated", "reason": "", "gain": 2.0, "offset": 3.0, "power": 1.0}
    scale |= {"auc": 0.9, "auc_low": 0.8, "pairs": 60}
    rows = [row("one", -0.3, before=0.09, after=0.01, levels=[0.8, 0.2])]
    found = drawn(verdict(scale=scale), rows)
    assert found.title == (
        "The score on its own scale before and after: mean 0.800 before, 0.200 after, 1 of 1 row violates"
    )
    assert found.paths("violating") == "M70 38.0L250 116.0"
    assert drawn(verdict(), rows).title.startswith("The score before and after: mean 0.090 before")


def test_scores_without_an_after_are_dots_over_their_axis():
    rows = [bare(str(at), margin) | {"before": before} for at, (margin, before) in enumerate([(0.1, 0.9), (-0.1, 0.2)])]
    found = drawn(verdict(), rows)
    assert found.title == "The score: mean 0.550, 1 of 2 rows violates"
    assert back(found.points("dots violating")[0][0], 14, 306) == pytest.approx(0.2, abs=0.01)


def test_a_name_in_the_results_is_text_in_a_chart():
    hostile = '</text><script>"\u202e'
    found = drawn(mean(), [bare("one", 0.3) | {"values": {hostile: 0.3}}])
    assert found.words[0] == '</text><script>"'[:15] + "…" or "script" in found.words[0]
    assert "\u202e" not in "".join(found.words)


@pytest.mark.parametrize("shares", [[], [0.1, 0.2, 0.3], [None, 0.5], [None], [2.0, -1.0]])
@pytest.mark.parametrize("first", [[], [0.9], [0.9, 0.1], [0.9, 0.1, 0.5], [0.2, 1.5]])
def test_shares_that_no_run_writes_are_drawn_or_left_out(first, shares):
    """A results file may be made by hand, or by another version."""
    one = verdict(share_of="left", tolerances=None)
    (view,) = of(one, [row("one", 0.1, shares=first), row("two", -0.1, shares=shares)])
    assert Drawing(view.drawing).kind == {1: "bells", 2: "sides"}.get(len(first), "slopes")
    alone = of(one, [row("two", -0.1, shares=shares)])
    assert bool(alone) == (None not in shares)
    assert all("nan" not in each.drawing for each in alone)


@pytest.mark.parametrize("missing", [[None, None], [0.5, None], [0.5]])
def test_a_row_without_its_shares_is_in_no_number_of_the_chart(missing):
    one, rows = sides(PAIRS, "left")
    more = [*rows, row("without", -0.1, shares=missing)]
    assert of(one, more)[0] == of(one, rows)[0]
    one, rows = wins([0.2, 0.9])
    more = [*rows, row("without", -0.1, shares=[None])]
    assert of(one, more)[0] == of(one, rows)[0]


def test_two_strengths_are_two_points_without_a_line_between_them():
    labels = [Brightness(0.8).label, Brightness(1.2).label]
    found = Drawing(of(*edits(labels, dict.fromkeys(labels, 3)))[1].drawing)
    assert (len(found.points("knob")), found.paths("course")) == (2, "")
