"""What is read once, as far as somebody asks, and from its beginning by all."""

from itertools import count, islice

import pytest

from vlcheck._util.lazy import Lazy


def test_it_is_read_no_farther_than_somebody_asks_and_by_all_from_its_beginning():
    numbers = count()
    lazy = Lazy(numbers)
    assert list(islice(lazy, 3)) == list(islice(lazy, 3)) == [0, 1, 2]
    assert list(islice(lazy, 5)) == [0, 1, 2, 3, 4]
    assert next(numbers) == 5


def test_two_readers_in_turn_see_the_same():
    lazy = Lazy(iter("abc"))
    assert list(zip(lazy, lazy, strict=True)) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_who_comes_to_a_broken_place_is_told_so_every_time():
    lazy = Lazy(10 // divisor for divisor in (2, 0))
    for _ in range(2):
        read = iter(lazy)
        assert next(read) == 5
        with pytest.raises(ZeroDivisionError):
            next(read)
