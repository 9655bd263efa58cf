"""Runs stand in one table, and cells beside each other, only if they are of the same thing."""

import pytest

from tests.report.board.boards import board_runs, run_of
from tests.report.pages import passing, verdict
from vlcheck.report.board.comparable import comparable_runs


def tables_of(*found):
    """The tables as (metric, numbers of runs)."""
    return [(table.scope.metric, [run.number for run in table.runs]) for table in comparable_runs(board_runs(*found))]


def of_biases(*biases, **changes):
    return [verdict(f"test_{bias}", bias=bias, **changes) for bias in biases]


def test_runs_of_the_same_thing_stand_in_one_table_for_each_metric():
    assert tables_of(run_of(day=1), run_of(name="b", day=2)) == [("mlm", [1, 2]), ("itm", [1, 2])]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "coco:/data"}, "the data: coco:/data here, scenes:6 there"),
        ({"seed": 7}, "the seed: 7 here, none there"),
        ({"images": 50}, "the number of images: 50 here, none there"),
        (
            {"options": {"lexicons": "mine"}},
            "the lexicons, which are named by their folder: mine here, none there",
        ),
        ({"options": {"columns": "a=b"}}, "the columns of the table: a=b here, none there"),
        ({"sequential": True}, "each behavior was asked until it was decided here alone"),
    ],
)
def test_runs_of_other_data_stand_apart_which_says_what_differs(changes, said):
    found = comparable_runs(board_runs(run_of(day=2), run_of(day=1, **changes)))
    assert [[run.number for run in table.runs] for table in found] == [[1], [2], [1], [2]]
    assert list(found[1].scope.differences(found[0].scope)) == [said]


def with_words(day, words=None, folder=None, **changes):
    return run_of(verdict(), day=day, lexicons=words, options={"lexicons": folder} if folder else {}, **changes)


def test_lexicons_are_compared_by_their_words_wherever_they_are():
    assert tables_of(with_words(1, "d1", "/a"), with_words(2, "d1", "/b"), with_words(3, "d1")) == [("mlm", [1, 2, 3])]


def test_a_folder_of_lexicons_that_changed_in_place_is_another_one():
    found = comparable_runs(board_runs(with_words(2, "d1" * 16, "/a"), with_words(1, "d2" * 16, "/a")))
    assert [[run.number for run in table.runs] for table in found] == [[1], [2]]
    assert list(found[1].scope.differences(found[0].scope)) == [
        "the words of the lexicons: d2d2d2d2d2d2 (/a) here, d1d1d1d1d1d1 (/a) there"
    ]


def test_an_older_file_has_the_folder_of_its_lexicons_alone():
    same, other = with_words(1, folder="/a"), with_words(1, folder="/b")
    new = with_words(2, "d1", "/a")
    assert tables_of(new, same) == [("mlm", [1, 2])]
    assert tables_of(new, other) == [("mlm", [1]), ("mlm", [2])]


def test_an_older_file_brings_no_two_lexicons_together():
    """It is the latest, and its folder is that of both."""
    assert tables_of(with_words(3, folder="/a"), with_words(2, "d1", "/a"), with_words(1, "d2", "/a")) == [
        ("mlm", [1, 2]),
        ("mlm", [3]),
    ]


def test_the_table_of_most_models_is_the_first_though_one_run_elsewhere_is_later():
    found = [run_of(verdict(), name=name, day=day) for name, day in (("a", 1), ("b", 2), ("b", 3), ("c", 4))]
    assert tables_of(run_of(verdict(), data="coco:/data", day=9), *found) == [("mlm", [2, 3, 4, 5]), ("mlm", [1])]
    two = [run_of(verdict(), name="a", day=day, data="d") for day in (7, 8)]
    one = run_of(verdict(), name="a", day=9)
    assert tables_of(one, *two) == [("mlm", [2, 3]), ("mlm", [1])]


def test_a_metric_that_is_scored_otherwise_stands_apart_and_the_other_metric_does_not():
    kinds = {"mlm": "masked-lm", "itm": "yes-no"}
    other = run_of(verdict(), passing(score_kind="yes-no"), name="b", score_kinds=kinds)
    assert tables_of(run_of(), other) == [("mlm", [1, 2]), ("itm", [1]), ("itm", [2])]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"allowed": 0.2}, "the allowed rate differs: 0.2 in run 1, 0.1 in run 2"),
        ({"alpha": 0.01}, "the error rate differs: 0.01 in run 1, 0.05 in run 2"),
        ({"perturbation": "grayscale v2"}, "the perturbation differs: grayscale v2 in run 1, grayscale v1 in run 2"),
        ({"tolerances": {"within": 0.3}}, "the tolerance 'within' differs: 0.3 in run 1, 0.1 in run 2"),
    ],
)
def test_one_cell_of_other_terms_is_marked_in_the_terms_of_the_latest_run_and_the_rest_stays(changes, said):
    """Run 1 is the latest."""
    latest = run_of(*of_biases("color", **changes), *of_biases("order", "place"), day=9)
    (table,) = comparable_runs(board_runs(latest, run_of(*of_biases("color", "order", "place"), day=1)))
    assert table.apart == {(2, "color"): f"test_color[mlm]: {said}"}


def test_a_run_most_of_which_was_held_to_other_limits_has_a_table_of_its_own():
    biases = ("color", "order", "place")
    strict = run_of(*of_biases(*biases, allowed=0.01), name="b", day=1)
    found = comparable_runs(board_runs(run_of(*of_biases(*biases), day=2), strict))
    assert [[run.number for run in table.runs] for table in found] == [[1], [2]]
    assert [table.apart for table in found] == [{}, {}]
    assert found[0].difference_from(found[1]).endswith("the allowed rate differs: 0.1 in run 1, 0.01 in run 2")


def test_other_tests_are_other_cells():
    more = run_of(verdict(), verdict("test_hue"), *of_biases("order"), day=2)
    found = comparable_runs(board_runs(more, run_of(verdict(), *of_biases("order"), day=1)))
    assert found[0].apart == {(2, "color"): "other tests: test_hue[mlm] in run 1 alone"}


def test_a_test_without_a_verdict_was_asked_all_the_same():
    """A run that was stopped is compared in what it has."""
    late = "behavior_tests/test_it.py::test_hue[mlm]"
    stopped = run_of(verdict(), unjudged=[late], stated={late: {"bias": "color", "metric": "mlm"}}, day=2)
    (table,) = comparable_runs(board_runs(stopped, run_of(verdict(), verdict("test_hue"), day=1)))
    assert table.apart == {}


def test_terms_that_the_first_cell_lacks_are_compared_among_the_others():
    """The latest run has no verdict on test_hue: the two others, of other limits, must not stand side by side."""
    late = "behavior_tests/test_it.py::test_hue[mlm]"
    stopped = run_of(verdict(), unjudged=[late], stated={late: {"bias": "color", "metric": "mlm"}}, day=9)
    calm = of_biases("order")
    strict, lax = (run_of(verdict(), verdict("test_hue", allowed=a), *calm, day=d) for a, d in ((0.1, 5), (0.3, 3)))
    (table,) = comparable_runs(board_runs(stopped, strict, lax))
    assert table.apart == {(3, "color"): "test_hue[mlm]: the allowed rate differs: 0.1 in run 2, 0.3 in run 3"}


def test_columns_are_the_biases_of_the_suite_in_its_order_then_others():
    (table,) = comparable_runs(board_runs(run_of(*of_biases("zebra", "order", "ape", "modality"))))
    assert table.biases == ["modality", "order", "ape", "zebra"]
