"""Both things of a relation have boxes, on drawn scenes and on photographs."""

import pytest

from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source


@pytest.fixture(scope="module")
def scenes():
    return open_source("scenes:4")


def test_the_other_thing_of_a_side_is_the_target_of_the_converse(scenes):
    for kind in ("side", "vertical"):
        by_scene = {}
        for case in (case for case in scenes.cases if kind in case.tags):
            by_scene.setdefault(case.image.key, []).append(case)
        pairs = [each for each in by_scene.values() if len(each) == 2]
        assert len(pairs) == 4
        for one, converse in pairs:
            assert (one.region, one.other_region) == (converse.other_region, converse.region)


@pytest.mark.parametrize("kind", ["object", "hand", "role"])
def test_who_does_it_is_boxed_beside_what_it_is_done_with(scenes, kind):
    for case in scenes.select(with_target(kind)):
        who = next(person for person in case.image.people if person.word == case.caption.split()[1])
        assert case.other_region == (who.box,)
        assert case.other_region != case.region


def test_a_thing_that_is_alone_has_no_other_one(scenes):
    assert {case.other_region for case in scenes.select(with_target("single"))} == {()}
