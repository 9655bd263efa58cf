"""In which terms two verdicts differ: what was asked, how it was scored, and the limits."""

import pytest

from tests.results.test_comparison import verdict
from vlcheck.results.schema import record_of
from vlcheck.results.terms import differing_limits, differing_terms, terms_of

LIMITS = {"allowed": 0.1, "alpha": 0.05}


def record(**changes):
    return record_of(verdict(**LIMITS | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"score_kind": "yes-no"}, "the kind of score differs: masked-lm here, yes-no there"),
        ({"perturbation": "grayscale v2"}, "the perturbation differs: grayscale v1 here, grayscale v2 there"),
        ({"perturbation": ""}, "the perturbation differs: grayscale v1 here, none there"),
        ({"expected": "the score drops"}, "what is expected differs: the score stays here, the score drops there"),
        ({"tolerances": {"within": 0.2, "by": 0.05}}, "the tolerance 'within' differs: 0.1 here, 0.2 there"),
    ],
)
def test_a_term_that_differs_is_named_with_both_values(changes, said):
    assert [term.said("here", "there") for term in differing_terms(record(), record(**changes))] == [said]
    assert terms_of(record()) != terms_of(record(**changes))
    assert list(differing_limits(record(), record(**changes))) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allowed": 0.2}, "the allowed rate differs: 0.1 here, 0.2 there"),
        ({"alpha": 0.01}, "the error rate differs: 0.05 here, 0.01 there"),
    ],
)
def test_limits_are_apart_from_the_terms_that_a_comparison_of_answers_needs(changes, said):
    assert list(differing_terms(record(), record(**changes))) == []
    assert [term.said("here", "there") for term in differing_limits(record(), record(**changes))] == [said]
    assert terms_of(record()) != terms_of(record(**changes))


def test_a_lead_is_held_to_no_rate_and_a_term_that_one_lacks_does_not_differ():
    assert list(differing_limits(record(claim="lead"), record(claim="lead", allowed=0.4))) == []
    assert list(differing_terms(record(), record(tolerances=None))) == []
    assert list(differing_limits(record(), record(alpha=None))) == []


def test_what_was_observed_is_no_term():
    assert terms_of(record()) == terms_of(record(status="fail", rate=0.5, reason="it fails", n=7))
