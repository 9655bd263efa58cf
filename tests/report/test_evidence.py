"""The evidence of a verdict: which rows are shown, and what stands in them."""

import re

import pytest

from tests.report.pages import image, results, row, rows, small, verdict
from tests.report.reading import views
from vlcheck.report.page import draw


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
