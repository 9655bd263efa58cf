import pytest

from vlcheck.cases import Case
from vlcheck.cases.mixed_order import in_mixed_order, number_of
from vlcheck.perturb import Solid


def cases(count):
    """As many cases, two to a picture."""
    pictures = [Solid((8, 8), (shade, 0, 0)) for shade in range(count // 2 + 1)]
    return [Case(id=f"ball {at}", image=pictures[at // 2], caption="a red ball", target="red") for at in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 200])
@pytest.mark.parametrize("kind", [list, tuple])
def test_the_order_is_that_of_a_sort_by_the_exclusive_or(count, kind):
    others = cases(count)
    for case in cases(3):
        by_number = sorted(others, key=lambda other: number_of(case.id) ^ number_of(other.image.key))
        assert list(in_mixed_order(case, kind(others))) == by_number


def test_the_first_of_many_cases_is_found_without_a_look_at_all(monkeypatch):
    case, *others = cases(1000)
    others = tuple(others)
    next(in_mixed_order(case, others))  # the numbers are sorted once
    asked = []
    monkeypatch.setattr("vlcheck.cases.mixed_order.number_of", lambda name: asked.append(name) or number_of(name))
    for one in others[:50]:
        next(in_mixed_order(one, others))
    assert asked == [one.id for one in others[:50]]
