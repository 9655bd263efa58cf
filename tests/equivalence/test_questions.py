"""The questions of parity: the same for both models, about own and perturbed pictures, of true and false answers."""

from collections import Counter

import pytest

from vlcheck.cases import Case, CaseSource, Offer
from vlcheck.datasets.registry import open_source
from vlcheck.equivalence.probes import AGAIN, HYPOTHESES, parity_probes
from vlcheck.equivalence.questions import OWN, VIEWS, chosen_cases, questions_digest, questions_of
from vlcheck.errors import UsageError
from vlcheck.perturb import Solid


@pytest.fixture(scope="module")
def chosen():
    return chosen_cases(open_source("scenes:20:1"))


def test_as_many_images_as_are_asked_for_and_each_once(chosen):
    assert len(chosen) == 20
    assert len({case.image.key for case in chosen}) == 20


def test_each_case_is_asked_as_it_is_and_perturbed_under_both_metrics(chosen):
    for case in questions_of(chosen):
        asked = Counter((one.view, one.metric) for one in case.questions)
        assert asked == {(view, metric): 1 for view in (OWN, *VIEWS) for metric in ("itm", "mlm")}


def test_the_first_answer_is_true_and_the_others_false(chosen):
    for case, asked in zip(chosen, questions_of(chosen), strict=True):
        for question in asked.questions:
            true = case.caption if question.metric == "itm" else case.target
            assert question.asked[0] == true
            assert 2 <= len({*question.asked}) == len(question.asked) <= 4


def test_a_model_that_only_compares_texts_gets_the_others_as_foils(chosen):
    question = next(questions_of(chosen)).questions[0]
    queries = question.queries(relative=True)
    assert [query.text for query in queries] == list(question.asked)
    assert all({query.text, *query.words} == {*question.asked} for query in queries)
    assert not any(query.words for query in question.queries(relative=False))


def test_the_digest_is_of_the_questions(chosen):
    again = chosen_cases(open_source("scenes:20:1"))
    assert questions_digest(questions_of(chosen)) == questions_digest(questions_of(again))
    assert questions_digest(questions_of(chosen)) != questions_digest(questions_of(chosen[:19]))


def test_probes_are_asked_the_same_texts_under_every_hypothesis(chosen):
    probes = list(parity_probes(chosen))
    assert all(probe.probe for probe in probes)
    for probe in probes:
        views = {one.view for one in probe.questions if one.metric == "itm"}
        assert views == {OWN, AGAIN, *HYPOTHESES}
    assert (
        len({one.asked for probe in probes for one in probe.questions if (one.view, one.metric) == (OWN, "itm")}) == 1
    )


def test_a_single_case_has_nothing_false_to_be_told_from():
    case = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a red ball", target="ball", tags={"object"})
    assert {one.questions for one in (*questions_of([case]), *parity_probes([case]))} == {()}


def test_data_without_a_case_is_refused():
    with pytest.raises(UsageError, match="data=nothing: has no case to ask about"):
        chosen_cases(CaseSource("nothing", Offer({}), 5, 0))
