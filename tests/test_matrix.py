"""What the power matrix makes of verdicts, and the verdicts that it gets."""

import json
from functools import partial
from itertools import product

import pytest

from vlcheck.matrix import Examined, Matrix, lines, read_records, records
from vlcheck.verdict import Verdict

PLANTED = {"tiny": frozenset(), "tiny-color": frozenset({"color"})}


def examined(variant, bias, seeds, together, caught_at=None, behavior="test_it", metric="mlm"):
    verdict = partial(Verdict, reason="as planted")
    return Examined(
        variant=variant,
        bias=bias,
        behavior=behavior,
        metric=metric,
        seeds=tuple(verdict(status=status) for status in seeds.split()),
        together=verdict(status=together),
        caught_at=caught_at,
    )


CLEAN = [examined("tiny", bias, "pass pass", "pass") for bias in ("color", "order")]
CAUGHT = [
    examined("tiny-color", "color", "pass pass", "pass", metric="itm"),
    examined("tiny-color", "color", "fail fail", "fail", 30),
    examined("tiny-color", "order", "pass invalid", "invalid"),
]


def amiss(*rows):
    return list(Matrix(tuple(rows)).amiss(PLANTED))


def test_a_matrix_as_it_should_be_has_nothing_amiss():
    assert amiss(*CLEAN, *CAUGHT) == []


def test_the_table_says_in_how_many_seeds_and_from_how_many_images_on():
    assert list(lines(Matrix((*CLEAN, *CAUGHT)))) == [
        ["variant", "color", "order"],
        ["tiny", "pass", "pass"],
        ["tiny-color", "fail 2/2, n = 30", "invalid"],
    ]


def test_a_planted_bias_that_one_seed_misses_is_amiss():
    missed = examined("tiny-color", "color", "fail pass", "fail")
    assert amiss(*CLEAN, missed, CAUGHT[2]) == ["tiny-color: color is planted, and caught in 1 of 2 seeds"]


def test_invalid_is_not_caught():
    hollow = examined("tiny-color", "color", "invalid invalid", "invalid")
    assert amiss(hollow) == ["tiny-color: color is planted, and caught in 0 of 2 seeds"]


def test_one_fail_that_is_not_planted_is_amiss_wherever_it_is():
    (line,) = amiss(examined("tiny-color", "order", "pass fail", "pass"))
    assert line == "tiny-color: order: test_it[mlm] fails in seed 1: as planted"


@pytest.mark.parametrize(("variant", "status"), [*product(PLANTED, ["invalid", "inconclusive", "fail"])])
def test_over_all_images_the_control_passes_and_a_variant_may_be_invalid(variant, status):
    found = amiss(examined(variant, "order", "pass pass", status))
    assert bool(found) == (variant == "tiny" or status != "invalid")


def test_seeds_are_counted_by_cell_whichever_test_fails():
    rows = [
        examined("tiny-color", "color", "fail pass", "fail"),
        examined("tiny-color", "color", "pass fail", "fail", behavior="test_other"),
    ]
    assert Matrix(tuple(rows)).failing("tiny-color", "color") == 2
    assert amiss(*rows) == []


def test_what_is_written_of_a_matrix_is_read_again():
    matrix = Matrix((*CLEAN, *CAUGHT))
    again = read_records(json.loads(json.dumps(records(matrix))))
    assert list(lines(again)) == list(lines(matrix))
    assert list(again.amiss(PLANTED)) == list(matrix.amiss(PLANTED))
