"""The columns of a verdict's evidence, and how the rows of two runs are paired."""

import tracemalloc

import numpy as np
import pytest

from vlcheck.results.evidence_columns import WHOLE, EvidenceColumns
from vlcheck.results.records import EvidenceRecord

MANY = 20_000
MOST = 200  # bytes a row of both runs, with the pairs


def row(case, margin=0.5, image="picture", text="a bus", **others):
    return EvidenceRecord(
        test="t", metric="itm", case=case, image=image, perturbed=None, texts=[text], margin=margin, **others
    )


def test_rows_that_do_not_count_are_left_out():
    columns = EvidenceColumns([row("a"), row("b", margin=None), row("c", margin=-1.0)])
    assert len(columns) == 2
    assert columns.violates.tolist() == [False, True]


def test_rows_are_paired_by_their_question_in_the_order_of_the_new_run():
    old = EvidenceColumns([row("a"), row("b"), row("c", text="a dog")])
    new = EvidenceColumns([row("c"), row("b"), row("d"), row("a")])
    assert [at.tolist() for at in old.paired(new)] == [[1, 0], [1, 3]]


def test_of_a_question_that_is_there_twice_the_last_old_row_counts():
    old, new = EvidenceColumns([row("a"), row("b"), row("a")]), EvidenceColumns([row("a"), row("a")])
    assert [at.tolist() for at in old.paired(new)] == [[2, 2], [0, 1]]


@pytest.mark.parametrize("sides", [([], ["a"]), (["a"], []), ([], []), (["a"], ["b"])])
def test_runs_without_a_common_question_have_no_pair(sides):
    old, new = (EvidenceColumns(map(row, side)) for side in sides)
    assert [len(at) for at in old.paired(new)] == [0, 0]
    assert not old.shares_a_case(new)


def test_a_case_is_shared_in_another_text():
    assert EvidenceColumns([row("a", text="a bus")]).shares_a_case(EvidenceColumns([row("b"), row("a", text="a dog")]))


def test_values_are_of_claims_and_a_row_without_names_has_its_margin():
    columns = EvidenceColumns([row("a", 0.1, values={"left": 0.1, "right": None}), row("b", 0.2)])
    assert columns.claims == {"left", WHOLE}
    assert columns.claimed("left").there.tolist() == [True, False]
    assert columns.claimed(WHOLE).there.tolist() == [False, True]
    assert columns.claimed(WHOLE).values[1] == 0.2
    assert not columns.claimed("right").there.any()


def test_an_effect_that_was_not_kept_is_none():
    effects = EvidenceColumns([row("a", effect=-0.25), row("b")]).effects
    assert (effects.there.tolist(), effects.values.tolist()) == ([True, False], [-0.25, 0.0])


def test_many_rows_take_little_memory():
    tracemalloc.start()
    old, new = (EvidenceColumns(row(f"case-{at}", image=f"{at:032x}", effect=0.1) for at in range(MANY)) for _ in "ab")
    at_old, _ = old.paired(new)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.array_equal(at_old, np.arange(MANY))
    assert peak / MANY < MOST * 2
