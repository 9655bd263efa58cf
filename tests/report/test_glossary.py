from dataclasses import fields

import pytest

from tests.report.pages import results, row, rows, small, verdict
from vlcheck.expect.base import Condition
from vlcheck.metrics.registry import METRICS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.report.glossary import TERMS, glossary_table, legend
from vlcheck.report.page import draw
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room
from vlcheck.report.page.violations import violated_view


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


def test_each_tolerance_of_the_policy_is_explained():
    explained = {word.strip(",:") for word in TERMS["tolerances"].meaning.split()}
    assert {field.name for field in fields(Tolerances)} <= explained


def test_a_violated_condition_leads_to_the_meaning_of_its_tolerance_where_it_is_shown_first_and_in_its_row():
    condition = Condition("the share of left after", 0.6, "under", 0.45, "0.5 - by", -0.15).said
    shown = violated_view(f"{condition}, on the model's own scale")
    assert (shown.tolerance.text, shown.rest.text) == (
        "tolerance of the policy: 0.5 - by",
        "), on the model's own scale",
    )
    told = verdict(tolerances={"within": 0.1, "by": 0.05})
    page = draw(results((told, [row("one", -0.3, violated=condition)])), source="r")
    link = '<a class="term" href="#term-tolerances" aria-describedby="term-tolerances">'
    said = f"it has to be under 0.45 (</bdi>{link}<bdi>tolerance of the policy: 0.5 - by</bdi></a><bdi>)</bdi></p>"
    assert page.count(said) == 2
    assert f"<dt>{link}tolerances</a></dt><dd>within 0.1, by 0.05</dd>" in page.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("condition", "tolerance"),
    [
        ("it has to be under 0.45 (policy: 0.5 - by)", "policy: 0.5 - by"),
        ("it has to be above 0", None),
        ("the word (policy: x", None),
    ],
)
def test_conditions_of_other_versions_and_of_no_tolerance_are_shown_as_they_are(condition, tolerance):
    shown = violated_view(condition)
    assert (shown.tolerance and shown.tolerance.text) == tolerance
    assert "".join(one.text for one in (shown.said, shown.tolerance, shown.rest) if one) == condition


def test_the_contract_is_explained_on_a_page_that_speaks_of_it():
    told = "<dt>contract</dt><dd>What vlcheck relies on in a model"
    assert told in draw(small(run={"contract": {"tried": False, "broken": []}}), source="r")
    assert told not in draw(small(run={"contract": {"tried": True, "broken": []}}), source="r")
