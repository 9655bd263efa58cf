"""The reviewer page says what the results say, all of it as text, and no more than opens fast."""

import html
import unicodedata

import pytest

from tests.report.pages import passing, results, row, rows, small, verdict
from tests.report.reading import HOSTILE, Elements, view
from vlcheck.report.page import draw
from vlcheck.report.page.escaping import mark_changes, shown_text, visible
from vlcheck.results.conclusion import conclude


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


def test_no_line_of_the_page_breaks_between_a_figure_and_its_unit():
    text = html.unescape(draw(small(), source="r"))
    for figure in ("wrong in 66.7 % (27.1 to 93.7 %)", "<dd>58.2 %", "10 % allowed"):
        assert figure not in text
        assert figure.replace(" %", "\N{NO-BREAK SPACE}%") in text
