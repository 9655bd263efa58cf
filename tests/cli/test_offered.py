"""What `vlcheck cases` says of data, asked of a few behaviors."""

import pytest

from tests.plugin.conftest import write_cases
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import with_target
from vlcheck.cli.offered import offered, slips
from vlcheck.datasets.registry import open_source
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
from vlcheck.perturb import Grayscale

OBJECTS = Behavior(
    name="test_objects", bias="color", cases=with_target("object"), perturb=Grayscale(), expect=Preserved()
)
MINE = Behavior(name="test_mine", bias="color", cases=with_target("shop", lacking=("names-brand",)), expect=Beats())


def said(source, *behaviors):
    return [line.strip() for line in offered(source, behaviors)]


@pytest.fixture
def doubled(tmp_path):
    """Four images with two cases each."""
    text = write_cases(tmp_path, 4).read_text()
    (tmp_path / "doubled.jsonl").write_text(f"{text}\n{text}")
    return f"jsonl:{tmp_path}/doubled.jsonl"


def test_second_cases_of_an_image_are_counted(doubled):
    lines = said(open_source(doubled), OBJECTS)
    assert any(line.split()[:2] == ["test_objects", "4"] for line in lines)
    assert "4 second case of its image: a behavior asks about one case of each" in lines


def test_a_second_case_that_another_behavior_asks_about_is_none(tmp_path):
    text = write_cases(tmp_path, 4).read_text()
    path = tmp_path / "both.jsonl"
    path.write_text(f"{text}\n{text.replace('object', 'shop')}")
    assert "8 cases in all; none is left out" in said(open_source(f"jsonl:{path}"), OBJECTS, MINE)


def test_what_is_more_than_was_asked_for_is_counted(tmp_path):
    source = open_source(f"jsonl:{write_cases(tmp_path, 5)}:3")
    assert "2 beyond the 3 images for each behavior that were asked for" in said(source, OBJECTS)


def test_tags_that_no_test_knows_are_told_the_nearest(tmp_path):
    source = open_source(f"jsonl:{write_cases(tmp_path, 3, tags=['object', 'names-sides', 'kitchen', 'names-brands'])}")
    assert list(slips(source.cases, [OBJECTS])) == [
        "tag 'names-brands' (3 cases) is known to no test. Did you mean 'names-side'?",
        "tag 'names-sides' (3 cases) is known to no test. Did you mean 'names-side'?",
    ]
    assert "tag 'names-brands' (3 cases) is known to no test. Did you mean 'names-brand'?" in said(
        source, OBJECTS, MINE
    )


def test_a_tag_that_a_test_asks_for_is_known(tmp_path):
    source = open_source(f"jsonl:{write_cases(tmp_path, 3, tags=['shop', 'names-brand'])}")
    assert list(slips(source.cases, [OBJECTS, MINE])) == []


def test_what_a_tag_or_a_model_that_compares_needs_is_said(tmp_path):
    lines = said(open_source(f"jsonl:{write_cases(tmp_path, 3, tags=['binding'], candidates=[])}"), OBJECTS)
    assert "3 binding without candidates, which that tag needs" in lines
    assert any(
        line.startswith("3 cases without candidates: few tests ask them of a model that only compares")
        for line in lines
    )
    lines = said(open_source(f"jsonl:{write_cases(tmp_path, 3)}"), OBJECTS)
    assert not any("without" in line for line in lines)
