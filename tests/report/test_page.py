"""The reviewer page says what the results say, all of it as text, and no more than opens fast."""

import html
import json
import re
import unicodedata
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.report import pages
from tests.report.pages import (
    RUN,
    contribution,
    contributions,
    explanation,
    image,
    mean,
    passing,
    results,
    row,
    rows,
    small,
    unasked,
    verdict,
)
from vlcheck.errors import UsageError
from vlcheck.metrics.registry import METRICS
from vlcheck.report.heat import heat
from vlcheck.report.page import check_page_path, draw, write_page
from vlcheck.report.page.document import START, page_view
from vlcheck.report.page.escaping import mark_changes, shown_text, visible
from vlcheck.report.page.images import Album
from vlcheck.report.page.row_budget import MOST, Room
from vlcheck.report.page.survey import FIRST, by_interest
from vlcheck.results.comparison import compare_runs
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import read, write_results
from vlcheck.results.schema import record_of

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp; \u202egnirts\u202c \u0007\ud800 👩‍👧 {{ 7*7 }}"
)


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def view(found, **options):
    return page_view(found, source="results.jsonl", room=options.pop("room", Room()), **options)


def views(found, **options):
    """The verdicts, by behavior and metric."""
    listed = [one for group in view(found, **options).groups for one in group.verdicts]
    return {(one.title.text, one.metric.text): one for one in listed}


def figures(one):
    return {figure.name: figure.value for figure in one.figures}


def test_the_page_begins_with_what_the_run_comes_to():
    found = small()
    assert view(found).conclusion == conclude(found)
    page = draw(found, source="r")
    assert (
        page.index("Fails 1 of 2 biases (color), the other is invalid; none passes.")
        < page.index('id="found"')
        < page.index('id="biases"')
    )
    assert "<title>fail: a-model on scenes:6 - vlcheck</title>" in page


def test_a_part_of_the_suite_is_not_shown_as_a_pass():
    page = draw(results((passing(), []), run={"complete": False}), source="r")
    assert '<p class="conclusion partial">' in page
    assert "tests were left out of this run" in page
    assert '<p class="conclusion pass">' in draw(results((passing(), [])), source="r")


def test_what_fails_is_said_with_what_the_bias_asks_and_the_case_that_shows_it_best():
    less = verdict("test_hue_preserves", rate=0.2)
    (one,) = view(small((less, rows()))).found
    assert (one.bias.text, one.status, one.question.text) == ("color", "fail", "Does the model do without color?")
    assert one.counts == "Of 3 verdicts, 2 fail, 1 passes."
    assert [(test.title.text, [(of.text, seen) for of, seen in test.observed]) for test in one.tests] == [
        ("grey preserves", [("mlm", "wrong in 66.7 %")]),
        ("hue preserves", [("mlm", "wrong in 20 %")]),
    ]
    assert one.tests[0].doc.text == "A red bus is still a bus in grey."
    assert (one.example.title.text, one.example.metric.text) == ("grey preserves", "mlm")
    assert (one.example.row.case.text, one.example.row.place) == ("one", "worst of 6")
    before, after = one.example.row.sides
    assert (before.wanted.text, before.says.text) == ("bus is true", "bus")
    assert (after.wanted.text, after.says.text) == ("bus is still true", "car")
    assert view(results((passing(), rows()))).found == ()


def test_the_head_says_what_tells_this_run_from_others():
    about = [one.text for one in view(results((passing(), []), run={"images": 200, "seed": 3})).run.about]
    assert about == ["fingerprint f1f1", "up to 200 images a behavior, seed 3", "vlcheck 0.1.0"]
    assert view(small()).run.started.text == "02 January 2026, 03:04 UTC"
    assert view(small(run={"started": "</time>"})).run.started.text == "</time>"


def test_the_facts_of_the_run_are_for_people():
    versions = {"torch": "2.10", "hqq": "not installed", "optimum": "not installed"}
    said = {"images": 200, "versions": versions, "left_out": {"side: boxes overlap": 2, "color: none is named": 30}}
    run = view(small(run=said)).run
    facts = {fact.name: fact.value.text for fact in run.facts}
    assert (facts["images of a test, at most"], facts["started"]) == ("200", "02 January 2026, 03:04 UTC")
    assert [(one.name, one.value.text) for one in run.versions] == [
        ("torch", "2.10"),
        ("not installed", "hqq, optimum"),
    ]
    assert [one.name for one in run.left_out] == ["30", "2"]


def test_a_cell_of_the_matrix_is_its_worst_behavior_and_leads_to_it():
    less = verdict("test_hue_preserves", rate=0.5, rate_low=0.2, rate_high=0.8)
    found = view(small((less, rows())))
    color, position = found.matrix.rows
    assert (color.bias.text, color.question.text) == ("color", "Does the model do without color?")
    mlm, itm = color.cells
    assert (mlm.status, mlm.observed, mlm.allowed) == ("fail", "wrong in 66.7 % (27.1 to 93.7 %)", "10 %")
    assert (mlm.counts, itm.counts) == ("2 fail; the worst:", "")
    assert (itm.status, itm.observed) == ("pass", "wrong in 0 % (0 to 9.5 %)")
    ids = {one.id: one.title.text for group in found.groups for one in group.verdicts}
    assert ids[mlm.id] == "grey preserves"
    assert position.cells[0].observed == "mean +0.120 (-0.050 to +0.310)"


def test_a_metric_that_was_not_asked_has_no_cell():
    (only,) = view(results((verdict(), rows()))).matrix.rows
    assert only.cells[1] is None
    assert "not asked" in draw(results((verdict(), rows())), source="r")


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


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ({"bus": 0.2, "car": 0.7}, "car"),
        ({"bus": 0.5, "car": 0.5}, None),
        ({"bus": None, "car": None}, None),
        ({"bus": 0.1, "car": None}, "bus"),
        ({"bus": 0.9}, None),
    ],
)
def test_the_model_says_the_one_word_that_is_likelier_than_all_others(scores, says):
    found = results((verdict(), [row("one", -0.1, scores=[scores, scores])]))
    for side in views(found)["grey preserves", "mlm"].rows[0].sides:
        assert (side.says and side.says.text) == says
    assert ("the model says" in draw(found, source="r")) == bool(says)


def test_evidence_begins_with_the_worst_the_median_and_the_best():
    one = views(small())["grey preserves", "mlm"]
    assert [(each.case.text, each.place) for each in one.rows] == [
        ("one", "worst of 6"),
        ("four", "median of 6"),
        ("five", "best of 6"),
        ("two", "2 of 6"),
        ("six", "4 of 6"),
        ("three", "5 of 6"),
    ]
    assert [each.outcome for each in one.rows] == ["violates", "violates", "holds", "violates", "violates", "holds"]
    assert one.shown == "6 of 7 rows"


def test_the_worst_of_a_mean_is_the_farthest_from_0():
    one = views(small())["right is no favourite", "mlm"]
    assert [(each.case.text, each.outcome, each.measure) for each in one.rows] == [
        ("two", "counts", "value"),
        ("one", "counts", "value"),
    ]
    assert one.rows[0].place == "farthest from 0, of 2"


def test_where_nothing_counts_the_rows_show_what_was_asked():
    one = views(small())["mirror swaps", "itm"]
    assert [(each.outcome, each.reason.text) for each in one.rows] == [
        ("left out", "the model does not know the case")
    ] * 2


def test_a_row_has_both_pictures_texts_scores_and_words():
    before, after = views(small())["grey preserves", "mlm"].rows[0].sides
    assert (before.score, before.target.text, after.score) == ("0.900", "bus", "0.500")
    assert [(one.word.text, one.score) for one in after.words] == [("car", "0.700 (0.78)"), ("bus", "0.200 (0.22)")]
    assert after.top == ()
    assert [piece for piece in after.text.pieces if piece.mark] == [("grey", "changed"), ("[MASK]", "mask")]
    assert before.picture.id != after.picture.id


def test_boxes_are_drawn_where_the_small_copy_has_them():
    """The thumbnail is half as large as what was shown."""
    found = results((verdict(), rows()), images=[image("red"), image("grey")])
    before, after = views(found)["grey preserves", "mlm"].rows[0].sides
    (box,), (moved,) = before.boxes, after.boxes
    assert (box.x, box.y, box.width, box.height) == (5.0, 10.0, 20.0, 15.0)
    assert (moved.x, moved.y, moved.width, moved.height) == (15.0, 10.0, 20.0, 15.0)


def test_a_picture_of_unknown_size_has_no_box():
    found = results((verdict(), rows()), images=[image("red", shown=None), image("grey")])
    before, _ = views(found)["grey preserves", "mlm"].rows[0].sides
    assert before.picture is not None
    assert before.boxes == ()


@pytest.mark.parametrize("jpeg", ["", "####", "aGVsbG8=", None, 7, "</style><script>"])
def test_a_picture_that_is_none_leaves_its_place_and_the_rest_of_the_page(jpeg):
    found = results((verdict(), rows()), images=[image("red", jpeg=jpeg), image("grey")])
    before, after = views(found)["grey preserves", "mlm"].rows[0].sides
    assert before.picture is None
    assert after.picture is not None
    assert draw(found, source="r").count("no picture</span>") == 1 + 6  # what fails, then the rows


def test_a_run_without_pictures_has_placeholders_that_name_the_case():
    found = small()
    found.images.clear()
    page = draw(found, source="r")
    assert "data:image" not in page
    assert 'aria-label="after grayscale: &#39;a grey photo of a [MASK]&#39;, one: no picture in the results"' in page


def test_each_picture_is_in_the_page_once():
    page = draw(small(), source="r")
    assert page.count("data:image/jpeg;base64,") == 2
    assert len(re.findall(r'class="picture p0"', page)) == 1 + 6 + 3 + 2 + 2  # what fails, then the verdicts


def test_a_row_without_a_map_says_why_and_the_run_counts_them():
    told = {"rank": 2, "rows": 0, "columns": 0, "values": [], "tokens": None, "reason": "no memory for one <pair>"}
    found = small(run={"explained": [RUN["explained"][0] | {"count": 2}]})
    found.add(json.dumps(explanation(side, case="two", **told)) for side in ("before", "after"))
    text = re.sub("<[^>]*>", "", draw(found, source="r"))
    assert "Grad-CAM gives no map (before and after): no memory for one &lt;pair&gt;" in text
    assert "Grad-CAM: explained 1 of 2 cases; 1: no memory for one &lt;pair&gt;" in text
    assert "gives no map" not in draw(small(), source="r")


def test_tokens_of_the_largest_numbers_are_shaded_as_others_are():
    found = small()
    found.add([json.dumps(explanation("before", rank=1, tokens=[["bus", 1.7e308], ["photo", -1.7e308], ["a", 0.0]]))])
    of_small = small()
    of_small.add([json.dumps(explanation("before", rank=1, tokens=[["bus", 1.0], ["photo", -1.0], ["a", 0.0]]))])
    assert draw(found, source="r") == draw(of_small, source="r")


def test_each_of_several_methods_has_a_checkbox_with_its_own_trust():
    other = {"name": "lrp", "title": "LRP", "meaning": "Relevance.", "trust": "", "count": 1}
    found = small(run={"explained": [*RUN["explained"], other]})
    found.add([json.dumps(explanation("before", method="lrp"))])
    page = draw(found, source="r")
    assert [page.count(f'<input type="checkbox" class="m{number}"') for number in (0, 1, 2)] == [
        2,
        2,
        0,
    ]  # its row, what fails
    text = re.sub("<[^>]*>", "", page)
    assert "Grad-CAM It beats noise." in text
    assert "LRP Trust: not measured. Relevance." in text


def test_explained_rows_come_after_the_first_three_with_their_rank_and_the_page_leads_to_them():
    found = small()
    found.add([json.dumps(explanation("before", case="three", rank=7))])
    one = views(found)["grey preserves", "mlm"]
    assert [row.case.text for row in one.front] == ["one", "four", "five", "three"]
    assert [row.case.text for row in one.more] == ["two", "six"]
    assert [(row.explained, row.case_rank) for row in one.front] == [(True, 1), (False, 0), (False, 0), (True, 7)]
    page = draw(found, source="r")
    assert f'<a href="#{one.front[0].id}">The first of 2 explained cases</a>' in page
    assert "5 of 6, grayscale v1 (case 7, if each case counts once)" in re.sub("<[^>]*>", "", page)
    found.explanations.clear()
    assert "explained case" not in draw(found, source="r")


def test_the_first_paragraph_of_a_docstring_is_shown_without_marks_of_code_and_the_rest_is_folded():
    doc = "A match of `both`.\n\nRun with `--vl-explain mmshap`. Found: as stated."
    one = views(results((verdict(doc=doc), rows())))["grey preserves", "mlm"]
    assert (one.doc.text, one.doc_more.text) == ("A match of both.", "Run with --vl-explain mmshap. Found: as stated.")


def test_a_map_goes_from_dark_to_yellow_for_the_score_and_to_blue_against_it():
    dark, strong_for, against = np.asarray(heat(np.array([[0.0, 2.0, -2.0]])))[0].tolist()
    assert dark[:3] == [16, 16, 32]
    assert strong_for[0] > 200 > 100 > strong_for[2]
    assert against[2] > 200 > 100 > against[0]
    assert dark[3] < strong_for[3] == against[3] < 255


def test_a_control_that_sees_no_picture_is_counted_where_both_pass():
    control = results(
        (passing(), rows()), (verdict(), rows()), run={"name": "blind", "sees": False, "fingerprint": "f2"}
    )
    notes = [note.text for note in view(small(), beside=control).beside.notes]
    assert any(note.startswith("Both pass 1 of 1 test that a-model passes") for note in notes)
    assert any(note.startswith("Both fail 1 of 1 test that a-model fails") for note in notes)


def test_there_is_a_style_for_each_method_that_a_run_can_name():
    style = draw(small(), source="r")
    for number in range(len(METRICS["map"].kinds)):
        assert f".row:has(input.m{number}:checked) .heat.m{number}" in style


def test_equal_results_give_equal_pages_in_whatever_order_they_came():
    turned = small()
    turned.verdicts = dict(reversed(turned.verdicts.items()))
    assert draw(turned, source="r") == draw(small(), source="r")


def test_the_page_asks_nobody_for_anything():
    page = Elements(draw(small(), source="r"))
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        drawn = ("data:image/png;base64,",) if tag == "image" else ()  # a heat map, which is in the page
        drawn += ("data:text/csv;charset=utf-8;base64,",) if "download" in attributes else ()  # and so is the table
        for name in ("src", "href", "xlink:href", "action"):
            assert attributes.get(name, "#").startswith(("#", *drawn))
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


@pytest.mark.parametrize("where", ["run", "verdict", "row"])
def test_hostile_text_stays_text(where):
    changes = {
        "run": {
            "name": HOSTILE,
            "model": HOSTILE,
            "data": HOSTILE,
            "versions": {HOSTILE: HOSTILE},
            "fingerprint": HOSTILE,
        },
        "verdict": {"bias": HOSTILE, "doc": HOSTILE, "reason": HOSTILE, "expected": HOSTILE, "perturbation": HOSTILE}
        | {"test": HOSTILE, "behavior": HOSTILE, "tables": {HOSTILE: {HOSTILE: 1.0}}}
        | {"known": {"until": HOSTILE, "reason": HOSTILE}},
        "row": {"case": HOSTILE, "texts": [HOSTILE, HOSTILE], "targets": [HOSTILE, "x"], "perturbation": HOSTILE}
        | {"scores": [{HOSTILE: 0.1, "a": 0.2}], "top_before": [[HOSTILE, 0.1]]},
    }[where]
    one = verdict(**(changes if where == "verdict" else {}))
    found = results(
        (one, [row("a", -0.1) | (changes if where == "row" else {})]), run=changes if where == "run" else {}
    )
    text = draw(found, source="r")
    page = Elements(text)
    assert len(page.all("script")) == 1
    assert not [tag for tag, attributes in page.elements if tag == "img" or "onerror" in attributes]
    assert "alert(1)" in html.unescape(text)
    assert "49" not in html.unescape(text).split("{{")[1][:8]
    steering = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs")} - {"\n", "\u200d"}
    assert not steering
    assert "⟨U+202E⟩gnirts⟨U+202C⟩ ␇⟨U+D800⟩ 👩‍👧" in html.unescape(text)


def test_long_text_is_cut_and_all_of_it_can_be_reached():
    long = "word " * 2_000
    found = results((verdict(reason=long), [row("case" * 2_500, -0.1, texts=[long, long + "end"])]))
    page = Elements(draw(found, source="r"))
    assert page.text.count(long) == 3  # the reason, and the text before in what fails and its row; that after is longer
    assert f"{long}end" in page.text
    assert page.text.count("case" * 2_500) == 1
    cut = [one for one in page.text if long not in one and "case" * 2_500 not in one and "{" not in one]
    assert max(map(len, cut)) < 700


def test_what_is_invisible_is_spelled_out_and_what_is_written_stays():
    assert visible("a\u202eb\n\x00\x7f\ufeff") == "a⟨U+202E⟩b␊␀␡⟨U+FEFF⟩"
    assert visible("می‌خواهم 👩‍👧 é\u00a0x") == "می‌خواهم 👩‍👧 é\u00a0x"
    assert shown_text("x" * 281).text == "x" * 278 + " …"
    assert shown_text("x" * 281).full == "x" * 281


def test_words_that_changed_are_marked_on_both_sides():
    before, after = mark_changes(["a dog to the left of a cat", "a dog to the right of a cat"])
    assert before.pieces == (("a dog to the ", ""), ("left", "changed"), (" of a cat", ""))
    assert after.pieces[1] == ("right", "changed")
    assert mark_changes(["the same", "the same"])[0].pieces == (("the same", ""),)


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


def test_no_line_of_the_page_breaks_between_a_figure_and_its_unit():
    text = html.unescape(draw(small(), source="r"))
    for figure in ("wrong in 66.7 % (27.1 to 93.7 %)", "<dd>58.2 %", "10 % allowed"):
        assert figure not in text
        assert figure.replace(" %", "\N{NO-BREAK SPACE}%") in text


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


def test_a_control_is_shown_beside_also_where_its_scores_are_of_another_kind():
    control = results((passing(metric="mlm"), []), (passing(score_kind="contrastive"), []), run={"name": "words alone"})
    found = views(small(), beside=control)
    same, other, lacking = (
        found[name].beside for name in (("grey preserves", "mlm"), ("grey preserves", "itm"), ("mirror swaps", "itm"))
    )
    assert (same.status, same.said.text) == ("pass", "wrong in 0 % (0 to 9.5 %) of 6 images")
    assert (other.status, other.said.text) == (
        "pass",
        "wrong in 0 % (0 to 9.5 %) of 6 images by scores of another kind (contrastive)",
    )
    assert (lacking.status, lacking.said.text) == ("", "was not asked this")
    assert "words alone" in draw(small(), source="r", beside=control)


def test_a_mean_on_another_scale_is_not_shown_beside():
    model, control = (results((mean(score_kind=kind), [])) for kind in ("masked-lm", "image-labels"))
    (found,) = views(model, beside=control).values()
    assert (found.beside.status, found.beside.said.text) == (
        "inconclusive",
        "of 6 images by scores of another kind (image-labels)",
    )


def test_a_control_of_another_metric_alone_stands_beside_by_its_own():
    run = {"name": "ViT", "fingerprint": "f2", "score_kinds": {"mlm": "image-labels"}}
    control = results((passing(metric="mlm", score_kind="image-labels"), []), run=run)
    found = views(results((verdict(metric="itm"), [])), beside=control)["grey preserves", "itm"].beside
    assert (found.status, found.said.text) == ("pass", "wrong in 0 % (0 to 9.5 %) of 6 images under mlm")


def test_model_and_control_are_paired_case_by_case():
    mine = [row(str(case), margin) for case, margin in enumerate([-0.1, -0.1, -0.1, 0.1, 0.1, None])]
    theirs = [row(str(case), margin) for case, margin in enumerate([0.1, 0.1, -0.1, -0.1, 0.1, 0.1])]
    model, control = results((verdict(), mine)), results((verdict(), theirs), run={"name": "ViT"})
    found = views(model, beside=control)["grey preserves", "mlm"].beside.pairing
    assert found == "of 5 cases in common, the model alone violates 2, the control alone 1, both 1"
    assert found in draw(model, source="r", beside=control)


def test_the_reason_why_a_control_has_no_verdict_is_on_the_page():
    reason = {"test": "t.py::test_grey_preserves[mlm]", "behavior": "test_grey_preserves", "metric": "mlm"}
    fault = {"kind": "fault", "reason": "the <store> is full", **reason}
    control = results((passing(metric="itm"), []), run={"name": "ViT", "fingerprint": "f2"})
    control.add([json.dumps(fault)])
    found = views(small(), beside=control)["grey preserves", "mlm"].beside
    assert (found.status, found.said.text) == ("", "has no verdict: the <store> is full")
    page = draw(small(), source="r", beside=control)
    assert "ViT has no verdict on test_grey_preserves[mlm]: the &lt;store&gt; is full." in page


def test_what_became_of_it_since_the_release_before_is_paired():
    bad, good = ([row(str(i), margin, image=f"i{i}") for i in range(20)] for margin in (-0.1, 0.1))
    old = results((passing(metric="mlm"), good), (passing(), good), run={"name": "the old one"})
    new = results((verdict(), bad), (passing(), good))
    comparison = compare_runs(old, new)
    found = view(new, comparison=comparison)
    (worse,) = found.release.changes
    assert (worse.outcome, worse.figures[:5]) == ("worse", ("0 %", "100 %", "20", "0", "20"))
    assert not found.release.accepted
    assert [one.outcome for one in found.release.rest] == ["same"]
    assert found.matrix.rows[0].cells[0].change == "worse"
    assert worse.id == found.matrix.rows[0].cells[0].id
    page = draw(new, source="r", comparison=comparison)
    assert "worse: color (1 test); better: none; 1 same, 0 not comparable" in page
    assert "What is installed differs" not in page
    assert "the old one on scenes:6" in page


def test_versions_that_differ_from_those_of_the_release_before_are_on_the_page():
    old, new = (results((passing(), []), run={"versions": {"transformers": one}}) for one in ("5.23.0", "5.24.0"))
    page = draw(new, source="r", comparison=compare_runs(old, new))
    assert "What is installed differs: transformers 5.23.0 before, 5.24.0 now" in page


def many(verdicts, of, status="fail", **changes):
    """A large run: as many verdicts with as many rows."""
    make = verdict if status == "fail" else passing
    margins = {f"case {place}": 0.001 * place - 1 for place in range(of)}
    return [(make(f"test_{status}_{number}", "mlm"), rows(margins, **changes)) for number in range(verdicts)]


def shown(found, **options):
    return {one.title.text: len(one.rows) for group in view(found, **options).groups for one in group.verdicts}


def test_failing_verdicts_get_their_rows_first_and_every_verdict_gets_three():
    found = results(*many(2, 200), *many(2, 200, "pass"))
    assert shown(found) == {
        "fail 0": MOST["fail"],
        "fail 1": MOST["fail"],
        "pass 0": MOST["pass"],
        "pass 1": MOST["pass"],
    }
    room = Room(rows=40, characters=10_000_000)
    assert shown(found, room=room) == {"fail 0": 17, "fail 1": 17, "pass 0": FIRST, "pass 1": FIRST}
    assert view(found, room=room).shown == "40 of 800 rows"


def test_however_large_the_run_the_page_keeps_to_its_room():
    found = results(*many(60, 60))
    counts = shown(found)
    assert sum(counts.values()) <= 2_000
    assert min(counts.values()) >= 30


def test_long_texts_and_large_pictures_take_room_too():
    room = Room(rows=2_000, characters=2_000_000)
    long = results(*many(3, 100, texts=["<" * 10_000, "&" * 10_000]))
    assert len(draw(long, source="r", room=room).encode()) < 2_500_000
    assert 9 <= sum(shown(long, room=room).values()) < 30
    pairs = many(3, 100)
    for place, line in enumerate(line for _, evidence in pairs for line in evidence):
        line["image"] = f"i{place}"
    large = image("", jpeg=image("")["jpeg"] + "A" * 40_000)  # what follows the picture's end is not shown
    found = results(*pairs, images=[large | {"key": f"i{place}"} for place in range(300)])
    assert len(draw(found, source="r", room=room).encode()) < 2_500_000
    assert 9 <= sum(shown(found, room=room).values()) < 50


def test_pictures_that_are_shared_cost_once():
    line = record_of(image("red"))
    album = Album({"red": line})
    assert album.cost(["red", "red", "absent", None]) == len(line.jpeg)
    album.get("red")
    assert album.cost(["red"]) == 0


@pytest.mark.parametrize(("count", "most", "places"), [(0, 9, []), (1, 9, [0]), (2, 9, [0, 1]), (5, 3, [0, 2, 4])])
def test_the_most_telling_rows_are_the_ends_and_the_middle(count, most, places):
    assert by_interest(count, most) == places


def test_of_many_rows_a_tenth_each_is_around_the_median_and_the_best():
    places = by_interest(1_000, 20)
    assert sorted(places) == [*range(16), 499, 500, 998, 999]


def test_the_page_is_not_written_over_what_is_none(tmp_path):
    other = tmp_path / "other.html"
    other.write_text("<!doctype html>\n<html>mine</html>")
    with pytest.raises(UsageError, match=r"--to .*other\.html: is there and is no report of vlcheck's"):
        check_page_path(other, {}, "--to")
    with pytest.raises(UsageError, match="there is no folder"):
        check_page_path(tmp_path / "absent" / "r.html", {}, "--vl-report")
    with pytest.raises(UsageError, match="is what --vl-results names as well"):
        check_page_path(tmp_path / "r", {"--vl-results": tmp_path / "r"}, "--vl-report")
    write_page(tmp_path / "r.html", draw(small(), source="r"), "--to")
    with pytest.raises(UsageError, match=r"^--vl-report .*verdicts\.csv: has to end in \.html or \.htm\."):
        check_page_path(tmp_path / "verdicts.csv", {}, "--vl-report")
    check_page_path(tmp_path / "r.html", {"--vl-results": tmp_path / "r"}, "--to")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith(START)


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "r.html").mkdir()
    with pytest.raises(UsageError, match=r"--vl-report .*r\.html: cannot be written"):
        write_page(tmp_path / "r.html", "page", "--vl-report")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("verdict", {"status": "green"}, "'status', which has to be one of fail, invalid, inconclusive, pass"),
        ("verdict", {"rate": "0.1"}, "'rate', which has to be a number or null"),
        ("verdict", {"band": [1]}, "'band', which has to be two numbers or null"),
        ("verdict", {"tables": {"a": {"b": []}}}, "'tables', which has to be an object of tables"),
        ("evidence", {"texts": [1]}, "'texts', which has to be a list of texts"),
        ("evidence", {"top_after": [["a"]]}, "'top_after', which has to be a list of words"),
        ("evidence", {"boxes": [[1, 2, 3]]}, "'boxes', which has to be a list of boxes"),
        ("evidence", {"scores": [{"a": "b"}]}, "'scores', which has to be a list of objects"),
    ],
)
def test_damaged_results_are_named_with_their_line(tmp_path, kind, changes, said):
    lines = [json.loads(text) for text in small().lines()]
    place = next(number for number, line in enumerate(lines) if line["kind"] == kind)
    lines[place] |= changes
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UsageError, match=re.escape(f"{path}:{place + 1}: {kind} line without {said}")):
        read(path)


def test_results_that_say_less_are_drawn_all_the_same(tmp_path):
    """Of another vlcheck, or made by hand: only what readers rely on."""
    names = ("kind", "test", "bias", "behavior", "metric", "score_kind", "claim", "status", "reason")
    least = {key: value for key, value in verdict().items() if key in names}
    known = (
        "vision_language",
        "left_right",
        "color_grey",
        "against_noise",
        "under_each",
        "modalities",
        "synergy",
        "map_by_cell",
        "vision_for_language",
    )
    least |= {"tables": {name: {"left_is_true_n": None} for name in known}}
    evidence = {key: row("one", -0.1)[key] for key in ("kind", "case", "image", "perturbed", "texts", "margin")}
    run = {key: pages.RUN[key] for key in ("kind", "schema", "name", "fingerprint", "data", "started")}
    found = results((least, [evidence]), run=run)
    path = tmp_path / "results.jsonl"
    write_results(path, found)
    assert "Fails 1 of 1 bias: color." in draw(read(path), source="r")


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
