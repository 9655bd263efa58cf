"""Of a long table, the cases are kept that would be chosen from all of it."""

import random
from itertools import islice

from vlcheck.cases.case import Case, ImageFile
from vlcheck.cases.selection import in_turn, with_target
from vlcheck.datasets.tables.best_cases import BestCases


def case(name, target, tags):
    return Case(id=f"{name}-{target}", image=ImageFile(name), caption=f"a {target} ball", target=target, tags=tags)


def chosen(cases, selection, seed, number):
    found = in_turn(cases, selection, seed=seed, identify=lambda name, _: name)
    return {one.id for one in islice(found, number)}


def test_selections_choose_as_from_the_whole_table():
    rng = random.Random(3)
    rows = []
    for at in range(3000):
        tags = frozenset({"color", "chromatic"} | ({"legible-text"} if rng.random() < 0.3 else set()))
        rows.append((f"{at}.png", case(f"{at}.png", rng.choice(["red", "blue", "green"]), tags)))
    best = BestCases(most=100, seed=7)
    for name, one in rows:
        best.add(name, one)
    kept, everything = best.by_image(), {name: (one,) for name, one in rows}
    assert sum(map(len, kept.values())) == 600
    assert sum(best.dropped().values()) == 2400
    for selection in (with_target("color"), with_target("color", lacking=["legible-text"])):
        assert chosen(kept, selection, 7, 99) == chosen(everything, selection, 7, 99)


def test_a_short_table_is_kept_whole_and_in_order():
    best = BestCases(most=2, seed=0)
    for name in ("b", "a"):
        best.add(name, case(name, "red", frozenset({"color"})))
    assert [*best.by_image()] == ["b", "a"]
    assert not best.dropped()
