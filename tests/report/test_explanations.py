"""Maps over pictures and tokens, and the words about their methods."""

import json
import re

import numpy as np

from tests.report.pages import RUN, explanation, small
from tests.report.reading import views
from vlcheck.metrics.registry import METRICS
from vlcheck.report.heat import heat
from vlcheck.report.page import draw


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


def test_a_map_goes_from_dark_to_yellow_for_the_score_and_to_blue_against_it():
    dark, strong_for, against = np.asarray(heat(np.array([[0.0, 2.0, -2.0]])))[0].tolist()
    assert dark[:3] == [16, 16, 32]
    assert strong_for[0] > 200 > 100 > strong_for[2]
    assert against[2] > 200 > 100 > against[0]
    assert dark[3] < strong_for[3] == against[3] < 255


def test_there_is_a_style_for_each_method_that_a_run_can_name():
    style = draw(small(), source="r")
    for number in range(len(METRICS["map"].kinds)):
        assert f".row:has(input.m{number}:checked) .heat.m{number}" in style
