"""Texts of one length are read together, unless a call more costs as much as the padding."""

import random
from itertools import pairwise

import pytest

from vlcheck.scoring.batches import CALL, ends_of_batches


def cost(lengths, ends):
    return sum(CALL + (end - start) * lengths[end - 1] for start, end in pairwise([0, *ends]))


def every_cut(n, most):
    if n == 0:
        yield []
        return
    for size in range(1, min(n, most) + 1):
        yield from ([*rest, n] for rest in every_cut(n - size, most))


@pytest.mark.parametrize("seed", range(8))
def test_no_other_cut_costs_less(seed):
    draw = random.Random(seed)
    lengths = sorted(draw.choices(range(10, 900), k=9))
    found = ends_of_batches(lengths, 4)
    assert cost(lengths, found) == min(cost(lengths, ends) for ends in every_cut(9, 4))
    assert all(0 < end - start <= 4 for start, end in pairwise([0, *found]))
    assert found[-1] == 9


def test_texts_of_one_length_fill_their_batches():
    assert ends_of_batches([40] * 10, 4) in ([4, 8, 10], [2, 6, 10], [4, 6, 10])
    assert ends_of_batches([], 4) == []


def test_long_texts_do_not_pad_short_ones():
    lengths = [30] * 40 + [300] * 10
    assert ends_of_batches(lengths, 64) == [40, 50]
