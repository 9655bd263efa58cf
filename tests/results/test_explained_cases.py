"""Explained cases of a run: which are kept of several processes, and how many have no map."""

import pytest

from tests.report import pages
from vlcheck.report.text.summary import summary_lines
from vlcheck.results.explained_cases import explained_lines, keep_worst
from vlcheck.results.schema import record_of


def line(behavior, rank, side="before", **changes):
    test = pages.verdict(behavior)["test"]
    return record_of(pages.explanation(side, test=test, case=f"case {rank}", rank=rank, **changes))


def without_map(rank, reason, side="before", **changes):
    return line("test_b", rank, side, values=[], rows=0, columns=0, tokens=None, reason=reason, **changes)


def explained(*lines, count=2, **more):
    failing, holding = pages.verdict("test_b"), pages.passing("test_a", "mlm")
    methods = [pages.RUN["explained"][0] | {"count": count}, *more.get("methods", ())]
    found = pages.results((holding, []), (failing, []), run={"explained": methods})
    found.explanations += lines
    return found


def named(found):
    return [(one.method, one.test.partition("::")[2], one.rank, one.side) for one in found.explanations]


def test_of_several_processes_the_worst_of_the_run_are_kept():
    found = explained(
        line("test_a", 1),
        line("test_b", 2),
        line("test_b", 2, "after"),
        line("test_b", 1),
        line("test_b", 3),
        line("test_gone", 1),
    )
    keep_worst(found)
    assert named(found) == [
        ("gradcam", "test_b[mlm]", 1, "before"),
        ("gradcam", "test_b[mlm]", 2, "before"),
        ("gradcam", "test_b[mlm]", 2, "after"),
    ]


def test_a_case_without_a_map_keeps_its_place():
    found = explained(line("test_b", 3), without_map(1, "too long"), line("test_b", 2))
    keep_worst(found)
    assert [(one.rank, one.reason) for one in found.explanations] == [(1, "too long"), (2, "")]


def test_what_a_dead_process_did_not_explain_keeps_its_place_and_is_told():
    """Each process says of its worst cases that they are not explained, before it explains them."""
    ended, before = "its process ended", [without_map(rank, "its process ended") for rank in (1, 2)]
    found = explained(*before, line("test_b", 2), without_map(3, ended), line("test_b", 3))
    keep_worst(found)
    assert [(one.rank, one.reason) for one in found.explanations] == [(1, ended), (2, "")]
    assert [*explained_lines(found)] == ["Grad-CAM: explained 1 of 2 cases; 1: its process ended"]


def test_where_no_score_was_judged_there_is_no_case_to_explain():
    run = {"explained": [pages.RUN["explained"][0] | {"count": 2}]}
    found = pages.results(run=run)
    said = "explained 0 of 0 cases (2 were asked for): no test of mlm or itm was judged"
    assert [*explained_lines(found)] == [f"Grad-CAM: {said}"]


def test_each_method_keeps_as_many_cases_as_it_was_asked_for():
    other = pages.RUN["explained"][0] | {"name": "lrp", "count": 1}
    lines = [line("test_b", rank, method=method) for method in ("lrp", "gradcam") for rank in (3, 2, 1)]
    found = explained(*lines, methods=[other])
    keep_worst(found)
    assert [(method, rank) for method, _, rank, _ in named(found)] == [("gradcam", 1), ("gradcam", 2), ("lrp", 1)]


MEMORY, LONG = "no memory for one pair", "the text is too long"


@pytest.mark.parametrize(
    ("lines", "count", "said"),
    [
        ([line("test_b", 1), line("test_b", 1, "after"), line("test_b", 2)], 2, "explained 2 of 2 cases"),
        ([line("test_b", 1), without_map(1, MEMORY, "after")], 1, f"explained 0 of 1 cases; 1: {MEMORY}"),
        (
            [line("test_b", 1), *(without_map(rank, MEMORY) for rank in (2, 3)), without_map(4, LONG)],
            5,
            f"explained 1 of 4 cases (5 were asked for); 2: {MEMORY}; 1: {LONG}",
        ),
        (
            [without_map(rank, f"reason {rank}") for rank in range(1, 6)],
            5,
            "explained 0 of 5 cases; 1: reason 1; 1: reason 2; 1: reason 3; 2: other reasons",
        ),
        ([], 2, "explained 0 of 0 cases (2 were asked for)"),
    ],
)
def test_the_run_says_how_many_cases_each_method_explains_and_why_not_the_others(lines, count, said):
    found = explained(*lines, count=count)
    assert [*explained_lines(found)] == [f"Grad-CAM: {said}"]
    assert f"Grad-CAM: {said}" in [*summary_lines(found)]


def test_a_run_without_explanations_says_nothing_of_them():
    found = pages.small(run={"explained": []})
    assert [*explained_lines(found)] == []
