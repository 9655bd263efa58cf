"""Wrappers are named wherever a model is: in the terminal, on the page, in Markdown, in a card and in a comparison."""

import pytest

from tests.report.pages import results, row, verdict
from tests.results.test_comparison import GOOD, rows
from tests.results.test_comparison import results as compared
from tests.results.test_comparison import verdict as judged
from vlcheck.report.markdown.markdown import summary
from vlcheck.report.markdown.model_card import card
from vlcheck.report.page import draw
from vlcheck.report.text.comparison import comparison_lines
from vlcheck.report.text.summary import summary_lines
from vlcheck.results.comparison import compare_runs
from vlcheck.results.wrapped import wrapper_lines

OF_TINY = "0123456789abcdef"
WRAPPER = {"wrapper": "symmetrised", "says": "each answer is a mean", "model": "tiny", "fingerprint": OF_TINY}
SAID = "symmetrised wraps tiny (fingerprint 0123456789ab): each answer is a mean."
PLAIN, WRAPPED = {"fingerprint": OF_TINY}, {"fingerprint": "f2", "wrappers": [WRAPPER]}


@pytest.fixture
def wrapped():
    return results((verdict(), [row("one", -0.4)]), run={"name": "symmetrised:tiny", "wrappers": [WRAPPER]})


def test_a_run_without_a_wrapper_says_nothing_of_one():
    assert list(wrapper_lines(results().run)) == []
    assert list(wrapper_lines(results(run={"wrappers": None}).run)) == []


def test_the_terminal_markdown_and_card_name_it_and_the_model_that_it_wraps(wrapped):
    assert list(wrapper_lines(wrapped.run)) == [SAID]
    assert SAID in list(summary_lines(wrapped))
    assert SAID in summary(wrapped)
    assert SAID in card(wrapped)


def test_the_page_names_it_in_its_head_and_among_its_facts(wrapped):
    page = draw(wrapped, source="r")
    assert page.count("symmetrised wraps tiny") == 2
    assert SAID in page


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [(PLAIN, WRAPPED, "the new model wraps the old one"), (WRAPPED, PLAIN, "the old model wraps the new one")],
)
def test_a_comparison_says_which_model_wraps_the_other(old, new, end):
    one, other = (compared((judged(), rows(GOOD)), **run) for run in (old, new))
    assert next(comparison_lines(compare_runs(one, other))).endswith(f"; {end}")
