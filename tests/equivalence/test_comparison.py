"""Two answers to one question: what counts as changed, and by how much they differ."""

import pytest

from tests.equivalence.sides import case, match, words
from vlcheck.equivalence.comparison import WORST, MetricPairs, Pairs, compared, criteria_of
from vlcheck.policy.policy import Margins

TIE = 0.001


@pytest.mark.parametrize(
    ("a", "b", "changed", "difference"),
    [
        (match(0.9, 0.1), match(0.9, 0.1), False, 0.0),
        (match(0.9, 0.1), match(0.6, 0.4), False, 0.3),
        (match(0.6, 0.55), match(0.55, 0.6), True, 0.05),  # another text is preferred
        (match(0.9, 0.6), match(0.9, 0.4), True, 0.2),  # a score crosses 0.5
        (match(0.9, 0.5004), match(0.9, 0.4996), False, 0.0008),  # tied with 0.5
        (match(0.8, 0.8005), match(0.8005, 0.8), False, 0.0005),  # tied with one another
        (words(0.02, 0.01, 0.01), words(0.2, 0.1, 0.1), False, 0.0),  # shares of the words
        (words(0.02, 0.01, 0.01), words(0.01, 0.02, 0.01), True, 0.25),
    ],
)
def test_an_answer_changes_with_what_is_preferred_or_which_side_of_half_it_is_on(a, b, changed, difference):
    pair = compared(a, b, "case", TIE)
    assert pair.changed == changed
    assert pair.difference == pytest.approx(difference)


def test_a_shift_is_of_the_true_answer_and_has_a_sign():
    assert compared(match(0.9, 0.1), match(0.7, 0.2), "case", TIE).shift == pytest.approx(-0.2)
    assert compared(words(0.1, 0.3), words(0.3, 0.1), "case", TIE).shift == pytest.approx(0.5)


def test_a_refusal_of_one_model_alone_is_a_change_by_1():
    pair = compared(match(0.9, 0.1), match(refused="too long"), "case", TIE)
    assert (pair.changed, pair.difference, pair.refused, pair.b) == (True, 1.0, "too long", ())


def test_an_error_is_no_refusal_and_no_answer_is_compared_with_it():
    assert compared(match(failed="status 500"), match(0.9, 0.1), "case", TIE) is None
    pairs = gathered([case("x", match(0.9, 0.1))], [case("x", match(failed="status 500"))])
    record = pairs.metrics["itm"].record(Margins())
    assert (record.n, record.refused, record.failed) == (0, {}, {"status 500": 1})


def gathered(a, b):
    pairs = Pairs({"itm": MetricPairs("itm", "match-head")}, TIE)
    for one, other in zip(a, b, strict=True):
        pairs.add(one, other)
    return pairs


def test_refusals_of_both_are_counted_and_compared_with_nothing():
    refused = [case("x", match(refused="too long"))]
    pairs = gathered(refused, refused)
    assert pairs.n == 0
    assert pairs.criteria(Margins()) == ()
    assert pairs.metrics["itm"].record(Margins()).refused == {"too long": 1}


def test_views_of_an_image_count_once_by_their_mean():
    a = [case("x", match(0.9, 0.1), match(0.9, 0.1, view="mirror")), case("y", match(0.9, 0.1))]
    b = [case("x", match(0.9, 0.1), match(0.3, 0.1, view="mirror")), case("y", match(0.9, 0.1))]
    metric = gathered(a, b).metrics["itm"].record(Margins())
    assert (metric.n, metric.compared) == (2, 3)
    assert {one.name: one.mean for one in metric.criteria} == pytest.approx(
        {"changed": 0.25, "shift": -0.15, "difference": 0.15}
    )
    assert {view.view: (view.n, view.changed) for view in metric.views} == {"own": (2, 0.0), "mirror": (1, 1.0)}
    assert metric.largest == pytest.approx(0.6)


def test_the_worst_pairs_are_kept_the_changed_ones_first():
    far = [case(f"far {n}", match(0.99, 0.1)) for n in range(WORST)]
    near = [case("near", match(0.51, 0.1)), case("equal", match(0.9, 0.1))]
    moved = [case(f"far {n}", match(0.7, 0.1)) for n in range(WORST)]
    pairs = gathered([*far, *near], [*moved, case("near", match(0.49, 0.1)), case("equal", match(0.9, 0.1))])
    worst = [pair.case for pair in pairs.most_different()]
    assert worst == ["near", *(f"far {n}" for n in range(WORST - 1))]
    assert gathered(far, far).most_different() == ()


def test_differences_are_held_to_the_policys_margins():
    criteria = criteria_of([(0.0, 0.0, 0.1)] * 200, Margins(difference=0.2, shift=0.3))
    assert [(one.name, one.margin, one.p_same <= 0.05) for one in criteria] == [
        ("changed", 0.05, True),
        ("shift", 0.3, True),
        ("difference", 0.2, True),
    ]
    assert criteria_of([(0.0, 0.0, 0.1)] * 200, Margins())[2].p_different < 1e-6
