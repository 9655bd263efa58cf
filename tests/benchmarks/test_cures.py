"""The matrix of cures: worse is told from better, and the stored weights are of their recipes."""

import msgspec
import pytest

from benchmarks import cures
from benchmarks.cures import (
    RESULTS,
    SCENES,
    WEIGHTS,
    Measured,
    Outcome,
    Treated,
    as_text,
    changes,
    cost,
    is_measured,
    measure,
    no_longer_passing,
    read_measured,
    statuses,
    treated_models,
    worse,
)
from benchmarks.cures_page import counts_passage, cures_passage, passes_everywhere
from tests.zoo.test_pretrained import MOST
from vlcheck.suite.shipped import BIASES
from vlcheck.zoo import PLANTED, pretrained
from vlcheck.zoo.export import about, read_losses
from vlcheck.zoo.initial_weights import read_base
from vlcheck.zoo.recipe import CURED, UNNEEDED
from vlcheck.zoo.workspace import CHECKSUMS, digest_of, read_sums


def outcome(bias="position", status="pass", violating=(), uncounted=(), images=20):
    return Outcome(bias, status, images, tuple(uncounted), None if violating is None else tuple(violating))


def seeds(*cells):
    return dict(enumerate(cells))


def test_the_gravest_verdict_of_a_bias_counts():
    found = seeds(
        {"a": outcome(), "b": outcome(status="fail"), "c": outcome("color", "invalid")},
        {"a": outcome(), "b": outcome()},
    )
    assert statuses(found, "position") == {"fail": 1, "pass": 1}
    assert statuses(found, "color") == {"invalid": 1}
    assert not passes_everywhere(found, "position")
    assert passes_everywhere(seeds({"a": outcome()}), "position")


def test_images_are_compared_one_by_one_and_those_that_do_not_count_are_left_out():
    before = seeds({"a": outcome(violating=[0, 1]), "b": outcome(violating=[])}, {"a": outcome(violating=[5])})
    now = seeds({"a": outcome(violating=[1, 2, 3], uncounted=[0]), "b": outcome(violating=[])})
    (a, b) = changes(now, before)
    assert (a.test, a.worse, a.better) == ("a", 2, 0)
    assert (b.test, b.worse, b.better, b.p) == ("b", 0, 0, 1.0)
    assert changes(now, before, without="position") == []


def test_few_changes_are_chance_and_many_are_worse():
    before = seeds({"a": outcome(), "b": outcome(violating=range(10))})
    few = changes(seeds({"a": outcome(violating=range(4)), "b": outcome(violating=range(10))}), before)
    many = changes(seeds({"a": outcome(violating=range(10)), "b": outcome()}), before)
    assert worse(few) == []
    assert [one.test for one in worse(many)] == ["a"]
    assert all(one.p < 0.01 for one in many)


def test_a_test_about_a_mean_is_compared_by_its_verdict():
    before, now = seeds({"a": outcome(violating=None)}), seeds({"a": outcome(status="fail", violating=None)})
    assert changes(now, before) == []
    assert no_longer_passing(now, before) == {"a": 1}
    assert no_longer_passing(now, before, without="position") == {}
    assert no_longer_passing(before, now) == {}


def test_the_cost_is_a_difference_of_shares_with_its_interval():
    control = seeds({"a": outcome(violating=[0])})
    mean, low, high = cost(seeds({"a": outcome(violating=[0, 1, 2, 3])}), control)
    assert mean == pytest.approx(0.15)
    assert 0 <= low < mean < high
    assert cost(control, control) == (0, 0, 0)


def test_the_file_is_read_as_it_was_written():
    found = Measured(7, {"cores": 2}, {"tiny": {3: {"a": outcome(violating=None)}, 12: {"b": outcome(uncounted=[1])}}})
    assert read_measured(as_text(found)) == found
    assert msgspec.json.decode(as_text(found))["scenes"] == 7


def test_a_cell_with_one_bias_is_measured_again_for_all():
    one = {"a": outcome("position")}
    every = {bias: outcome(bias) for bias in BIASES}
    assert is_measured(one, "position")
    assert is_measured(every, "position")
    assert is_measured(every, None)
    assert not is_measured(one, None)
    assert not is_measured({}, "position")


def test_every_variant_has_a_cure_and_the_control_has_it_too():
    models = treated_models()
    assert len({model.name for model in models}) == len(models)
    for variant in PLANTED:
        cured = [model for model in models if model.before == variant and model.cure]
        assert cured or variant == "tiny"
    assert {model.name for model in models if model.before == "tiny" and model.cure} >= set(UNNEEDED)


def test_the_passage_has_a_row_for_each_measured_cure_and_names_the_others():
    biases = ("modality", "color", "position", "order", "place", "robustness")
    fine = {bias: outcome(bias) for bias in biases}
    ill = fine | {"position": outcome("position", "fail", range(20))}
    found = Measured(20, {}, {"tiny": {0: fine}, "tiny-mirror": {0: ill}, "tiny-mirror-cured": {0: fine}})
    text = cures_passage(as_text(found), (RESULTS.parent / "matrix.json").read_text(encoding="utf-8"))
    assert "| `tiny-mirror-cured` | side-aware flips | position | fail 20/20 | pass 1/1 | nothing | nothing |" in text
    assert "`tiny-blind-cured`" in text.partition("Not measured yet: ")[2]
    assert counts_passage(as_text(found)) == (
        "The planted bias passes in every seed after 1 of 1 cure; 9 are not measured yet.\n"
    )


@pytest.mark.slow
def test_a_cell_tells_the_mirrored_variant_from_the_control(monkeypatch):
    monkeypatch.setattr(cures, "SCENES", 30)
    cells = {name: measure(Treated(name, name, name, ""), 77, "position") for name in ("tiny", "tiny-mirror")}
    assert {one.bias for one in cells["tiny"].values()} == {"position"}
    mirrored = "test_mirror_swaps_sides[mlm]"
    assert cells["tiny"][mirrored].status == "pass"
    assert cells["tiny-mirror"][mirrored].status == "fail"
    assert len(cells["tiny-mirror"][mirrored].violating) > 20
    assert [one.test for one in worse(changes({0: cells["tiny"]}, {0: cells["tiny-mirror"]}))] == []
    assert mirrored in [one.test for one in worse(changes({0: cells["tiny-mirror"]}, {0: cells["tiny"]}))]


TRAINED = sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


@pytest.mark.parametrize("name", TRAINED)
def test_cured_weights_are_whole_small_and_of_their_recipe(name):
    recipe = {**CURED, **UNNEEDED}[name]
    path = WEIGHTS / f"{name}.safetensors"
    assert digest_of(path) == read_sums(WEIGHTS)[path.name]
    assert path.stat().st_size <= MOST
    card = (WEIGHTS / f"{name}.md").read_text().splitlines()
    said = about(recipe, read_base(pretrained.weights_of("tiny"), "tiny"))
    assert card[: len(said)] == said
    assert read_losses(WEIGHTS / f"{name}.losses.csv")[-1].step == recipe.steps
    assert (WEIGHTS / CHECKSUMS).exists()


def test_stored_cells_are_of_models_that_are_there():
    measured = read_measured(RESULTS.read_bytes())
    assert measured.scenes == SCENES
    names = {model.name: model for model in treated_models()}
    assert measured.cells.keys() <= names.keys()
    for name in measured.cells.keys() & {**CURED, **UNNEEDED}.keys():
        assert name in TRAINED
