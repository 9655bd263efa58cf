"""The matrix of cures: worse is told from better, and the stored weights are of their recipes."""

import msgspec
import pytest

from benchmarks import cures
from benchmarks.cures import (
    PAIRED,
    RESULTS,
    SCENES,
    SEEDS,
    WEIGHTS,
    Measured,
    Outcome,
    Treated,
    as_text,
    both_measured,
    changes,
    cost,
    fewest_worse,
    is_measured,
    measure,
    merged,
    no_longer_passing,
    packed,
    planted_in,
    read_measured,
    statuses,
    treated_models,
    unpacked,
    worse,
)
from benchmarks.cures_page import counts_passage, cures_passage, passes_everywhere
from tests.zoo.test_pretrained import MOST
from vlcheck.suite.shipped import BIASES
from vlcheck.zoo import CONTROL, PLANTED, pretrained
from vlcheck.zoo.export import about, read_losses
from vlcheck.zoo.initial_weights import read_base
from vlcheck.zoo.recipe import CURED, UNNEEDED
from vlcheck.zoo.workspace import CHECKSUMS, digest_of, read_sums


def outcome(bias="position", status="pass", violating=(), uncounted=(), asked=range(20), given=(), cause=""):
    asks, fails, leaves_out, gives = (
        packed(("side", number) for number in numbers) for numbers in (asked, violating or (), uncounted, given)
    )
    return Outcome(bias, status, asks, None if violating is None else fails, leaves_out, gives, cause)


OTHERS = {bias: outcome(bias) for bias in BIASES}  # so that each cell has every bias


def seeds(*cells):
    return dict(enumerate(cells))


def whole(*cells):
    """Cells with the tests of the other biases, too."""
    return seeds(*({**OTHERS, **cell} for cell in cells))


def changed(now, before, **options):
    """The changes of the tests that are compared, without those of the other biases."""
    return [one for one in changes(now, before, **options) if one.test not in OTHERS]


def test_the_gravest_verdict_of_a_bias_counts():
    found = seeds(
        {"a": outcome(), "b": outcome(status="fail"), "c": outcome("color", "invalid")},
        {"a": outcome(), "b": outcome()},
    )
    assert statuses(found, "position") == {"fail": 1, "pass": 1}
    assert statuses(found, "color") == {"invalid": 1}
    assert not passes_everywhere(found, "position")
    assert passes_everywhere(seeds(*[{"a": outcome()}] * SEEDS), "position")


def test_a_pass_in_fewer_seeds_than_all_is_no_pass_everywhere():
    assert not passes_everywhere(seeds({"a": outcome()}), "position")
    assert not passes_everywhere(seeds(*[{"a": outcome()}] * (SEEDS - 1), {"b": outcome("color")}), "position")


@pytest.mark.parametrize(
    ("pictures", "text"),
    [
        ([], ""),
        ([("side", 3)], "side 3"),
        ([("side", 10), ("side", 9), ("hand", 0), ("hand", 2), ("side", 9)], "hand 0 2 side 9-10"),
    ],
)
def test_sets_of_pictures_are_written_in_a_short_form(pictures, text):
    assert packed(pictures) == text
    assert unpacked(text) == set(pictures)


def test_pictures_are_compared_one_by_one_and_those_that_do_not_count_are_a_way_of_their_own():
    before = whole({"a": outcome(violating=[0, 1]), "b": outcome()}, {"a": outcome(violating=[5])})
    now = whole({"a": outcome(violating=[1, 2, 3], uncounted=[0]), "b": outcome()})
    (uncounted, violating), others = changed(now, before)[:2], changed(now, before)[2:]
    assert violating[:5] == ("a", "violating", 19, 2, 0)
    assert uncounted[:5] == ("a", "uncounted", 20, 1, 0)
    assert [(one.test, one.worse, one.better, one.p) for one in others] == [("b", 0, 0, 1.0)] * 2
    assert changed(now, before, without="position") == []


def test_pictures_are_paired_by_name_whatever_else_is_asked_and_in_seeds_with_all_biases_alone():
    before, now = outcome(violating=[7], asked=range(5, 15)), outcome(violating=[7], asked=range(10))
    (_, one) = changed(whole({"a": now}), whole({"a": before}))
    assert one[:5] == ("a", "violating", 5, 0, 0)
    assert changes(seeds({"a": now}), seeds({"a": before})) == []


def test_few_changes_are_chance_and_many_are_worse():
    before = whole({"a": outcome(), "b": outcome(violating=range(15))})
    few = changes(whole({"a": outcome(violating=range(4)), "b": outcome(violating=range(15))}), before)
    many = changes(whole({"a": outcome(violating=range(15)), "b": outcome()}), before)
    assert worse(few) == []
    assert [one.test for one in worse(many)] == ["a"]
    fewest = fewest_worse(many)
    for number, found in ((fewest - 1, []), (fewest, ["a"])):
        at = changes(
            whole({"a": outcome(violating=range(number)), "b": outcome()}), whole({"a": outcome(), "b": outcome()})
        )
        assert [one.test for one in worse(at)] == found


def test_a_model_that_no_longer_knows_the_cases_is_worse():
    before = whole({"a": outcome()}, {"a": outcome()})
    now = whole(*[{"a": outcome(status="invalid", cause="unknown", uncounted=range(20))}] * 2)
    assert [(one.test, one.way, one.worse) for one in worse(changes(now, before))] == [("a", "uncounted", 40)]
    assert no_longer_passing(now, before) == {"a": 2}
    assert worse(changes(before, now)) == []


def test_a_test_that_is_invalid_by_construction_is_not_worse():
    before = whole({"a": outcome()})
    now = whole({"a": outcome(status="invalid", cause="by construction", uncounted=range(20), given=range(20))})
    assert worse(changes(now, before)) == []
    assert no_longer_passing(now, before) == {}


def test_a_test_about_a_mean_is_compared_by_its_verdict_and_by_what_counts():
    before, now = whole({"a": outcome(violating=None)}), whole({"a": outcome(status="fail", violating=None)})
    assert [one[:5] for one in changed(now, before)] == [("a", "uncounted", 20, 0, 0)]
    assert no_longer_passing(now, before) == {"a": 1}
    assert no_longer_passing(now, before, without="position") == {}
    assert no_longer_passing(before, now) == {}


def test_the_cost_is_a_difference_of_shares_with_its_interval():
    control = seeds({bias: outcome(bias, violating=[0]) for bias in BIASES})
    now = seeds({bias: outcome(bias, violating=[0, 1, 2, 3]) for bias in BIASES})
    mean, low, high = cost(now, control)
    assert mean == pytest.approx(0.15)
    assert 0 <= low < mean < high
    assert cost(control, control) == (0, 0, 0)


def test_a_picture_of_several_tests_is_one_cluster_of_the_cost():
    control = seeds({bias: outcome(bias) for bias in BIASES})
    same = seeds({bias: outcome(bias, violating=[0, 1]) for bias in BIASES})
    spread = seeds({bias: outcome(bias, violating=[2 * at, 2 * at + 1]) for at, bias in enumerate(BIASES)})
    (mean, *wide), (other, *narrow) = cost(same, control), cost(spread, control)
    assert (mean, other) == (pytest.approx(0.1), pytest.approx(0.1))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


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


def test_cells_of_several_files_are_put_together():
    one = Measured(7, {}, {"tiny-mirror": {0: {"a": outcome()}}, "tiny": {1: {"a": outcome()}}})
    other = Measured(7, {}, {"tiny": {0: {"b": outcome()}, 1: {"a": outcome(), "b": outcome()}}})
    assert merged(one, other) == merged(other, one)
    assert {name: [*seeds] for name, seeds in merged(one, other).cells.items()} == {"tiny": [1, 0], "tiny-mirror": [0]}
    assert len(merged(one, other).cells["tiny"][1]) == 2


MATRIX = (RESULTS.parent / "matrix.json").read_text(encoding="utf-8")


def row_of(text, model):
    return next(line for line in text.splitlines() if line.startswith(f"| `{model}` |"))


def test_the_passage_has_a_row_for_each_measured_cure_and_names_the_others():
    ill = OTHERS | {"position": outcome("position", "fail", range(20))}
    planted = dict(enumerate([OTHERS] * PAIRED + [{"position": outcome()}] * (SEEDS - PAIRED)))
    found = Measured(20, {}, {"tiny": whole(*[{}] * PAIRED), "tiny-mirror": whole(*[ill] * PAIRED)})
    found.cells["tiny-mirror-cured"] = planted
    text = cures_passage(as_text(found), MATRIX)
    assert (
        "| `tiny-mirror-cured` | side-aware flips | position | fail 20/20 | pass 20/20 | nothing | nothing |"
        " +0.00 points (+0.00 to +0.00) |"
    ) in text
    assert "of the 60 or more pictures" in text
    assert "`tiny-blind-cured`" in text.partition("Not measured yet: ")[2]
    assert counts_passage(as_text(found)) == (
        "The planted bias passes in 20 of 20 seeds after 1 of 1 cure; 9 are not measured yet.\n"
    )


@pytest.mark.parametrize("cells", [[OTHERS] * (PAIRED - 1), [{"position": outcome()}] * SEEDS])
def test_what_was_not_measured_is_not_nothing(cells):
    models = {"tiny": whole(*[{}] * PAIRED), "tiny-mirror": whole(*[{}] * PAIRED), "tiny-mirror-cured": seeds(*cells)}
    found = as_text(Measured(20, {}, models))
    assert row_of(cures_passage(found, MATRIX), "tiny-mirror-cured").count("| not measured yet") == 3
    done = len(cells) == SEEDS
    assert f"after {int(done)} of " in counts_passage(found)


@pytest.mark.slow
def test_a_cell_tells_the_mirrored_variant_from_the_control(monkeypatch):
    monkeypatch.setattr(cures, "SCENES", 30)
    cells = {name: measure(Treated(name, name, name, ""), 77, "position") for name in ("tiny", "tiny-mirror")}
    assert {one.bias for one in cells["tiny"].values()} == {"position"}
    mirrored = "test_mirror_swaps_sides[mlm]"
    assert cells["tiny"][mirrored].status == "pass"
    assert cells["tiny-mirror"][mirrored].status == "fail"
    assert len(unpacked(cells["tiny-mirror"][mirrored].violating)) > 20
    mirror, control = whole(cells["tiny-mirror"]), whole(cells["tiny"])
    assert [one.test for one in worse(changes(control, mirror))] == []
    assert mirrored in [one.test for one in worse(changes(mirror, control))]


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


def test_there_are_cured_weights():
    assert {*CURED} <= {*TRAINED}


@pytest.fixture(scope="module")
def stored():
    return read_measured(RESULTS.read_bytes())


def test_stored_cells_are_of_models_that_are_there(stored):
    assert stored.scenes == SCENES
    names = {model.name: model for model in treated_models()}
    assert stored.cells.keys() <= names.keys()
    for name in stored.cells.keys() & {**CURED, **UNNEEDED}.keys():
        assert name in TRAINED


MODELS = {model.name: model for model in treated_models()}


WHOLE = ["tiny-color-cured", "tiny-mirror-cured", "tiny-right-cured", "tiny-blind-cured", "tiny-center-cured"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_cure_makes_the_planted_bias_pass_in_every_seed(stored, name):
    assert passes_everywhere(stored.cells[name], planted_in(MODELS[name]))


@pytest.mark.parametrize("name", ["tiny-mirror-cured", "tiny-right-cured", "tiny-blind-cured", "tiny-bag-cured"])
@pytest.mark.parametrize("other", ["the control", "before"])
def test_nothing_is_worse_after_the_cure(stored, name, other):
    than, without = (CONTROL, None) if other == "the control" else (MODELS[name].before, planted_in(MODELS[name]))
    now, before = stored.cells[name], stored.cells[than]
    assert len(both_measured(now, before)) == PAIRED
    assert worse(changes(now, before, without=without)) == []
    assert no_longer_passing(now, before, without=without) == {}


def test_the_order_of_words_passes_in_all_seeds_but_one(stored):
    assert statuses(stored.cells["tiny-bag-cured"], "order") == {"pass": SEEDS - 1, "inconclusive": 1}
