"""Cases that are made when they are asked for are chosen as if all of them were there."""

import random
from itertools import islice
from pathlib import Path

import pytest

from vlcheck.cases import Case, CaseSource, ImageFile, with_target
from vlcheck.cases.indexed import CaseIndex, IndexedCases
from vlcheck.cases.offer import Offer
from vlcheck.cases.selection import in_turn

SELECTIONS = [
    with_target("object"),
    with_target("object", bare=True),
    with_target("object", "color", having=["person"]),
    with_target("color", lacking=["person"]),
    with_target("nothing"),
]
WORDS = ("dog", "cat", "bus", "bowl", "red", "green")


def drawn(seed: int, images: int = 60) -> dict[str, tuple[Case, ...]]:
    rng = random.Random(seed)
    return {f"{n:04d}": tuple(_case(n, at, rng) for at in range(rng.randrange(4))) for n in range(images)}


def _case(image: int, at: int, rng: random.Random) -> Case:
    target = rng.choice(WORDS)
    tags = {rng.choice(["object", "color"]), *rng.sample(["person", "single"], rng.randrange(3))}
    bare = "a [MASK]" if rng.random() < 0.5 else None
    picture = ImageFile(Path(f"{image}.jpg"))
    said = {"caption": f"a {target}", "target": target, "bare": bare, "tags": frozenset(tags)}
    return Case(id=f"{image}-{at}-{target}", image=picture, **said)


@pytest.fixture
def made() -> list[int]:
    return []


def indexed(cases: dict[str, tuple[Case, ...]], made: list[int]) -> IndexedCases:
    each = list(cases.values())

    def make(row: int) -> tuple[Case, ...]:
        made.append(row)
        return each[row]

    return IndexedCases(CaseIndex.of(cases.items()), make)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda one: one.label)
def test_the_choice_is_that_among_cases_that_are_all_there(seed, selection, made):
    cases = drawn(seed)
    skipped = {f"{n:04d}" for n in range(0, 60, 7)}

    def identify(image: str, case: Case) -> str | None:
        return None if image in skipped else f"picture {int(image) // 3}"  # three images show one picture

    chosen, among_all = (
        list(in_turn(offered, selection, seed=seed, identify=identify)) for offered in (indexed(cases, made), cases)
    )
    assert chosen == among_all
    assert bool(chosen) == (selection.kinds != ("nothing",))


def test_only_the_cases_of_chosen_images_are_made(made):
    offered = indexed(drawn(0, images=500), made)
    few = list(islice(in_turn(offered, SELECTIONS[0], seed=0, identify=lambda image, _: image), 5))
    assert len(few) == 5
    assert len(made) <= 10


def test_the_sequence_of_all_cases_is_that_of_the_data(made):
    cases = drawn(1)
    source, whole = (CaseSource("x", Offer(one), 50, 0) for one in (indexed(cases, made), cases))
    assert len(source.cases) == len(whole.cases)
    assert list(source.cases) == list(whole.cases)
    assert [source.cases[at] for at in (0, 7, -1)] == [whole.cases[at] for at in (0, 7, -1)]
    assert list(source.cases[3:9]) == list(whole.cases[3:9])
    assert source.tags == whole.tags
    assert dict(source.offer.cases) == cases


def test_tags_and_kinds_are_known_before_a_case_is_made(made):
    source = CaseSource("x", Offer(indexed(drawn(1), made)), 50, 0)
    assert not source.offer.foils
    assert source.tags == {"object", "color", "person", "single"}
    assert source.unfit(with_target("foil"))
    assert not made
