"""A verdict of the page has its figures, its interval, its tables and what excuses it."""

import re

import pytest

from tests.report.pages import contribution, contributions, mean, passing, results, rows, small, unasked, verdict
from tests.report.reading import Elements, figures, view, views
from vlcheck.report.page import draw


def test_a_verdict_says_why_one_should_care_and_has_the_figures_of_the_results():
    one = views(small())["grey preserves", "mlm"]
    assert one.doc.text == "A red bus is still a bus in grey."
    assert (one.expected.text, one.perturbation.text) == ("the score stays", "grayscale v1")
    assert one.reason.text == verdict()["reason"]
    told = figures(one)
    assert told["rate"] == "66.7 % (27.1 to 93.7 %)"
    assert (told["images that count"], told["violations"], told["allowed"]) == ("6", "4", "10 %")
    assert (told["detectable"], told["p"], told["p (Holm)"]) == ("58.2 %", "0.001", "0.004")
    assert told["effect"] == "-0.250 (-0.400 to -0.100)"
    assert [(count, reason.text) for count, reason in one.measured.left_out] == [
        (1, "the model does not know the case")
    ]


@pytest.mark.parametrize(("metric", "of"), [("itm", "P(yes) + P(no)"), ("mlm", "P(any of the words)")])
def test_what_the_scores_are_a_share_of_and_what_the_model_refused_is_told(metric, of):
    (one,) = views(results((verdict(metric=metric, mass=0.87, refused=3), rows(metric=metric)))).values()
    told = figures(one)
    assert (told[of], told["refused"]) == ("0.870", "3")
    (plain,) = views(results((verdict(), rows()))).values()
    assert {of, "refused"}.isdisjoint(figures(plain))


def test_a_mean_is_held_to_its_band():
    one = views(small())["right is no favourite", "mlm"]
    told = figures(one)
    assert told["mean"] == "+0.120 (-0.050 to +0.310)"
    assert (told["allowed"], told["would decide"], told["detectable"]) == ("-0.150 to +0.150", "n = 812", "+0.200")
    assert "violations" not in told
    assert "observed +0.120, interval -0.050 to +0.310, allowed -0.150 to +0.150" in one.interval


def test_the_shares_of_words_and_picture_are_a_bar_with_its_interval_beside_the_verdict_and_each_case():
    rows = [contribution("one", 0.75, error=0.05), contribution("two", 0.99), contribution("three", 0.6, error=0.0)]
    one = views(results((contributions(), rows)))["neither modality collapses", "mm-shap"]
    assert "words (T-SHAP) 0.750, interval 0.500 to 0.875; picture (V-SHAP) 0.250" in one.shares
    assert '<rect class="of-text" x="14.0" y="4" width="219.0" height="16"/>' in one.shares  # of 14 to 306
    assert '<rect class="of-picture" x="233.0" y="4" width="73.0" height="16"/>' in one.shares
    assert "M160.0 12H269.5" in one.shares
    said = {row.case.text: row.shares for row in one.rows}
    assert "interval 0.652 to 0.848" in said["one"]
    assert "interval 0.951 to 1.000" in said["two"]  # never above 1
    assert "interval 0.600 to 0.600" in said["three"]
    assert [(figure.word.text, figure.score) for figure in one.rows[0].sides[0].top] == [
        ("standard error", "0.050" if one.rows[0].case.text == "one" else "0.020"),
        ("synergy", "0.984"),
    ]
    (plain,) = views(results((contributions(tables={}), rows))).values()  # a test of one's own, without tables
    assert plain.shares == one.shares
    other = views(small())["right is no favourite", "mlm"]
    assert other.shares is None
    assert {row.shares for row in other.rows} == {None}


def test_the_interval_is_drawn_where_it_is():
    """From 0 to 1 the axis is 292 of 320 wide, and begins at 14."""
    drawn = views(small())["grey preserves", "mlm"].interval
    assert 'class="zone" x="14.0" y="18" width="29.2"' in drawn
    assert "M93.2 28H287.7" in drawn
    assert views(small())["mirror swaps", "itm"].interval is None


@pytest.mark.parametrize(
    ("changes", "ticks"),
    [
        ({"allowed": 0.1}, ["0 %", "10 %", "100 %"]),
        ({"allowed": 0.05}, ["0 % to 5 %", "100 %"]),
        ({"allowed": 0.99}, ["0 %", "99 %"]),
        ({"claim": "mean", "band": [-0.15, 0.15]}, ["-0.15", "0.15", "-1", "1"]),
        ({"claim": "mean", "band": [-0.02, 0.02]}, ["-0.02 to 0.02", "-1", "1"]),
        ({"claim": "mean", "band": [-1.0, 0.15]}, ["-1", "0.15", "1"]),
    ],
)
def test_numbers_under_the_interval_do_not_stand_on_one_another(changes, ticks):
    one = verdict(effect=0.0, effect_low=-0.1, effect_high=0.1, **{name: changes[name] for name in changes})
    drawn = views(results((one, [])))["grey preserves", "mlm"].interval
    assert re.findall(r"<text[^>]*>([^<]*)</text>", drawn) == ticks


def test_the_first_paragraph_of_a_docstring_is_shown_without_marks_of_code_and_the_rest_is_folded():
    doc = "A match of `both`.\n\nRun with `--vl-explain mmshap`. Found: as stated."
    one = views(results((verdict(doc=doc), rows())))["grey preserves", "mlm"]
    assert (one.doc.text, one.doc_more.text) == ("A match of both.", "Run with --vl-explain mmshap. Found: as stated.")


def test_the_tables_of_the_paper_are_shown():
    hint = {"original_hint": 0.9, "blocked_hint": 0.4, "original_bare": 0.8, "blocked_bare": 0.1, "interaction": -0.2}
    sides = {f"left_is_true_{arm}_{word}": 0.25 for arm in ("original", "mirrored") for word in ("left", "right")}
    noise = {"cost": 0.3, "noise_cost": 0.1, "difference": 0.2, "difference_low": 0.1, "difference_high": 0.35, "n": 9}
    means = {"none": 0.9, "object": 0.3, "all": 0.1}
    costs = {"object_costs": 0.6, "object_costs_low": 0.5, "object_costs_high": 0.7, "all_costs": 0.8}
    ablation = {f"{row}{cell}": value for row in ("hint_", "bare_") for cell, value in means.items()}
    ablation |= {f"bare_{cell}": value for cell, value in costs.items()}
    tables = {
        "vision_language": hint | {"balance": 0.4, "n": 50},
        "left_right": sides | {"left_is_true_n": 30},
        "color_grey": {"color": 0.7, "grey": 0.2, "n": 12},
        "against_noise": noise,
        "under_each": {"before": 1.0, "jpeg v1": 0.5, "n": 4},
        "modalities": {"both": 0.9, "text": 0.4, "picture": 0.1, "neither": 0.0, "of_text": 0.6, "of_picture": 0.3}
        | {"synergy": 0.4, "synergy_low": 0.35, "synergy_high": 0.5, "n": 20},
        "synergy": {"synergy": -0.2, "synergy_low": -0.3, "synergy_high": 0.1, "n": 20},
        "map_by_cell": {"top left": 0.2, "middle": 0.25, "bottom right": 0.05, "n": 18},
        "vision_for_language": ablation | {"n": 7},
        "language_for_vision": means,
        "of my own": {"cell": 2.0},
    }
    shown = views(results((verdict(tables=tables), rows())))["grey preserves", "mlm"].tables
    by_caption = {re.split(r",| over ", grid.caption.replace(" of Jung et al. 2023", ""))[0]: grid for grid in shown}
    assert [cells for _, cells in by_caption["Vision and language (figure 1)"].rows] == [
        ("0.900", "0.400"),
        ("0.800", "0.100"),
    ]
    assert "over 50 rows: interaction -0.200" in by_caption["Vision and language (figure 1)"].caption
    assert len(by_caption["Left and right (figure 3)"].rows) == 2
    assert by_caption["Color and grey (figure 2)"].rows[0][1] == ("0.700", "0.200")
    by_cell = by_caption["Share of the map in each cell of the picture"]
    assert [cells for _, cells in by_cell.rows] == [("0.200", "-", "-"), ("-", "0.250", "-"), ("-", "-", "0.050")]
    alone = by_caption["Each modality alone"]
    assert "Shapley values: words +0.600, picture +0.300; synergy +0.400 (0.350 to 0.500)" in alone.caption
    assert [(name.text, cells) for name, cells in alone.rows] == [
        ("caption", ("0.900", "0.400")),
        ("another caption", ("0.100", "0.000")),
    ]
    assert by_caption["Synergy of words and picture"].caption.endswith(" over 20 rows: -0.200 (-0.300 to 0.100)")
    costs = by_caption["Loss under the edit"]
    assert costs.rows[0][1] == ("0.300", "0.100", "0.200")
    assert "+0.100 to +0.350" in costs.caption
    assert " over 9 images: " in costs.caption  # image by image, as the others are not
    assert by_caption["Under each perturbation"].caption.endswith(" over 4 rows")
    assert [name.text for name, _ in by_caption["Under each perturbation"].rows] == ["before", "jpeg v1"]
    seen = by_caption["Vision for language (Frank et al. 2021)"]
    losses = "loss without its hint: the thing hidden 0.600 (0.50 to 0.70), all hidden 0.800 (-)"
    assert seen.caption.endswith(f" over 7 rows; {losses}")
    assert [(name.text, cells) for name, cells in seen.rows] == [
        ("with its hint", ("0.900", "0.300", "0.100")),
        ("without its hint", ("0.900", "0.300", "0.100")),
    ]
    told = by_caption["Language for vision (Frank et al. 2021)"]
    assert told.caption.endswith("mean score")
    assert told.rows[0][1] == ("0.900", "0.300", "0.100")
    assert by_caption["of my own"].rows[0][1] == ("2.000",)


def test_where_both_metrics_count_the_same_rows_it_is_said_how_they_disagree():
    found = view(small())
    (one,) = found.disagreements
    assert (one.statuses, one.counts) == (("fail", "pass"), (1, 2, 0, 0, 3))
    assert views(small())["grey preserves", "mlm"].disagreement == (
        "of 3 rows that count under mlm and itm: both hold 1, both violate 0, mlm alone violates 2, itm alone 0"
    )


def test_a_known_bias_still_fails_and_says_that_it_is_known():
    known = {"reason": "issue 7", "until": "2027-01-31", "expired": False}
    found = view(results((verdict(known=known), rows())))
    assert (
        found.conclusion.sentence
        == "Fails 1 of 1 bias: color (known, excused until 2027-01-31). Nothing else is held against it."
    )
    assert found.matrix.rows[0].cells[0].said == "fail (known)"
    assert found.found[0].status == found.groups[0].said == "fail (known)"
    assert found.groups[0].verdicts[0].known.text == "known until 2027-01-31: issue 7"
    expired = view(results((verdict(known=known | {"expired": True}), rows())))
    assert expired.groups[0].verdicts[0].known.text == "known expired on 2027-01-31: issue 7"
    assert expired.matrix.rows[0].cells[0].said == "fail"


def test_what_was_not_asked_has_its_badge_and_no_figure_in_the_matrix():
    found = results((passing(), []), (mean("pass"), []), (unasked(), rows({"one": 0.1})), (unasked(metric="itm"), []))
    html = draw(found, source="r")
    page = Elements(html)
    assert "Passes all 2 biases in what was asked: color, position." in html
    cells = [one["class"] for one in page.all("td") if one.get("role") == "cell"]
    assert sorted(cells) == ["not-asked", "pass", "pass", "unasked"]
    (cell,) = re.findall(r'<td role="cell" class="not-asked">(.*?)</td>', html)
    assert "wrong in" not in cell
    assert '<span class="badge not-asked"><svg class="shape" aria-hidden="true" viewBox="0 0 16 16">' in cell
    assert 'href="#s-not-asked"' in cell
    assert "pass (1 not asked)" in html
    assert "1 passes, 1 is not asked; for example:" in html
    assert "3 images; a pass needs 29" in html
    assert "<option>not asked</option>" in html
    for used in re.findall(r'href="#(s-[^"]*)"', html):
        assert f'<symbol id="{used}"' in html
