import pytest

from tests.report.pages import results, rows, small, verdict
from vlcheck.metrics.registry import METRICS
from vlcheck.report.glossary import TERMS, glossary_table, legend
from vlcheck.report.page import draw
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room


def test_each_meaning_has_an_id_of_its_own_and_is_a_sentence():
    ids = [term.id for term in TERMS.values()]
    assert len(ids) == len(set(ids))
    assert {"term-p", "term-p-holm", "term-images-that-count"} <= {*ids}
    assert [term.name for term in TERMS.values() if not term.meaning.endswith(".")] == []
    for word in ("p", "p (Holm)", "effect"):
        assert any(line.startswith(f"| *{word}*") for line in glossary_table().splitlines())


def test_what_scores_are_shares_of_has_a_meaning_for_each_metric():
    wholes = [metric.reading.whole for metric in METRICS.values() if metric.reading.whole]
    assert wholes == [whole for whole in wholes if whole in TERMS] != []


def test_the_legend_of_the_terminal_has_the_words_of_the_page():
    assert legend("p") == f"p: {TERMS['p'].meaning}"
    with pytest.raises(KeyError):
        legend("no column")


def test_the_page_explains_each_figure_that_it_has_once_and_no_other():
    found = results((verdict(mass=0.9, refused=2, cut=0.1, asked=3, offered=9, needed_n=80), rows()))
    view = page_view(found, source="r", room=Room())
    (one,) = (one for group in view.groups for one in group.verdicts)
    names = {figure.name for figure in one.figures}
    assert {"refused", "thoughts cut", "images asked", "would decide"} <= names
    assert {term.name for term in view.terms} == names | {"margin", "words"}
    page = draw(found, source="r")
    for term in view.terms:
        assert page.count(f'<dd id="{term.id}" tabindex="-1">{term.meaning}</dd>'.replace("'", "&#39;")) == 1
    for figure in one.figures:
        assert f'<a class="term" href="#{figure.term}" aria-describedby="{figure.term}">{figure.name}</a>' in page
    assert "refused" not in {term.name for term in page_view(small(), source="r", room=Room()).terms}


def test_only_a_note_on_this_verdict_stands_beside_its_figure():
    (one,) = (
        one
        for group in page_view(results((verdict(), rows())), source="r", room=Room()).groups
        for one in group.verdicts
    )
    assert {figure.note for figure in one.figures} == {""}


@pytest.mark.parametrize("metric", [*METRICS, "of a later version"])
def test_each_figure_of_a_verdict_has_a_meaning_under_every_metric(metric):
    many = {"mass": 0.9, "refused": 2, "cut": 0.1, "asked": 3, "offered": 9, "needed_n": 80}
    found = results((verdict(metric=metric, **many), rows(metric=metric)))
    (one,) = (one for group in page_view(found, source="r", room=Room()).groups for one in group.verdicts)
    assert {figure.name for figure in one.figures} <= TERMS.keys()
