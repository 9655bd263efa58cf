"""The benchmark of attribution methods, small: what it measures, writes, continues and prints."""

import sys
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from typer.testing import CliRunner

from vlcheck.cli import app
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.lrp import Lrp, LrpSize
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.explain.bench.measure import VERSION, DrawnTruth, PreparedTruth, Subjects, measure_causes
from vlcheck.explain.bench.planted import CAUSES, PLANTED_CAUSES
from vlcheck.explain.bench.records import (
    FORMAT,
    ExplanationBench,
    SeedCauses,
    SeedScores,
    TruthScores,
    bench_as_json,
    bench_from_json,
    is_bench_file,
)
from vlcheck.explain.bench.run import run_bench
from vlcheck.explain.bench.table import cause_rows, curve_rows, setting, truth_rows
from vlcheck.explain.bench.trust import NOT_BETTER, NULL, trust_in
from vlcheck.models.loading.load import load_model
from vlcheck.zoo import CONTROL

pytestmark = pytest.mark.slow  # networks are run many times

PLAIN = TruthScores(pointing=0.1, energy=0.1, target=0.1, distracted=0.1, distractor=0.1, precedence=0.5)
NOISE = dict.fromkeys(CAUSES, 410.0)
SMALL = ["explain", "bench", "--seeds", "1", "--images", "2", "--trials", "2", "--methods", "saliency"]
MODELS = (CONTROL, *PLANTED_CAUSES)


def scores(method, seed, *, energy=0.1):
    """Measures made by hand, those of a method that says nothing unless told otherwise."""
    truth = {"match": replace(PLAIN, energy=energy), "word": PLAIN}
    return SeedScores(method, seed, truth, deletion=0.5, insertion=0.5, similarity=0.0)


def causes(method, seed, shown=MappingProxyType({})):
    """The ranks of 40 trials: noise but for what is shown."""
    return SeedCauses(method, seed, {model: NOISE | shown.get(model, {}) for model in MODELS})


def bench_of(*measured):
    return ExplanationBench(
        scores=tuple(one for one in measured if isinstance(one, SeedScores)),
        causes=tuple(one for one in measured if isinstance(one, SeedCauses)),
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run of the command on one seed of six scenes, and the file that it wrote."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    done = CliRunner().invoke(app, [*SMALL, "--to", str(file)])
    assert done.exit_code == 0, done.output
    return done.output, file


def test_the_command_prints_a_row_for_each_method_and_the_random_map(measured):
    lines = measured[0].splitlines()
    assert lines[0] == "tiny: 1 seed, 2 scenes of each kind and 2 trials of each cause a seed"
    assert [line.split()[0] for line in lines[1:10]] == ["method", "saliency", NULL] * 3


def test_the_file_holds_what_was_measured(measured):
    bench = bench_from_json(measured[1].read_bytes())
    one, noise = bench.of("saliency")[0], bench.of(NULL)[0]
    asked = bench.causes_of("saliency")[0]
    assert asked.ranks.keys() == {*MODELS}
    planted = {"tiny-mirror": "position", "tiny-right": "position", "tiny-bag": "order", "tiny-center": "place"}
    assert {model: asked.ranks[model][cause] for model, cause in planted.items()} == dict.fromkeys(planted, 3)
    assert [asked.ranks[CONTROL][cause] for cause in ("modality", "position", "order")] == [0, 0, 0]
    guessed = bench.causes_of(NULL)[0].ranks
    assert all(ranks == guessed[CONTROL] for ranks in guessed.values())  # a random map knows no model
    assert one.truth["match"].target == noise.truth["match"].target
    assert 0.03 < one.truth["match"].target < 0.12
    assert abs(noise.truth["match"].lift - 1) < 0.35
    assert bench_from_json(bench_as_json(bench)) == bench
    assert is_bench_file(measured[1])


def test_a_run_is_continued_and_measures_nothing_twice(measured):
    before = measured[1].read_bytes()
    assert CliRunner().invoke(app, [*SMALL, "--to", str(measured[1])]).output == measured[0]
    assert measured[1].read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"explain_bench": 1}, "is a benchmark of version 1; version 2 is read"),
        ({"scenes": 2}, f"was measured on scenes of version 2; those of now are version {VERSION}"),
        ({"scenes": 0}, "was measured on scenes of version unknown"),
    ],
)
def test_a_file_of_another_version_is_not_continued(measured, tmp_path, changes, said):
    bench = bench_from_json(measured[1].read_bytes())
    assert (bench.explain_bench, bench.scenes) == (FORMAT, VERSION)
    file = tmp_path / "bench.json"
    file.write_bytes(before := bench_as_json(replace(bench, **changes)))
    done = CliRunner().invoke(app, [*SMALL, "--to", str(file)])
    assert (done.exit_code, said in " ".join(done.output.split())) == (4, True), done.output
    assert file.read_bytes() == before


def test_a_file_of_other_weights_is_not_continued(measured, tmp_path):
    bench = bench_from_json(measured[1].read_bytes())
    assert len(bench.fingerprint) > 8
    file = tmp_path / "bench.json"
    file.write_bytes(before := bench_as_json(replace(bench, fingerprint="other weights")))
    done = CliRunner().invoke(app, [*SMALL, "--to", str(file)])
    assert (done.exit_code, "is not what it was when --to was begun" in " ".join(done.output.split())) == (4, True)
    assert file.read_bytes() == before
    older = replace(bench, fingerprint="")
    assert next(run_bench(older, [Saliency()], range(1))) == older


def test_what_did_not_apply_is_tried_again(measured):
    """The library of a method may have been installed in between."""
    bench = replace(
        bench_from_json(measured[1].read_bytes()), inapplicable={"saliency": "no captum", "ig": "no captum"}
    )
    again = next(run_bench(bench, [Saliency()], range(1)))
    assert again == replace(bench, inapplicable={"ig": "no captum"})


class Ill(Saliency):
    """Saliency whose maps are those of a fault."""

    name = "ill"

    def __init__(self, change):
        self.change = change

    def maps(self, model, inputs):
        found = super().maps(model, inputs)
        return self.change(found) if len(inputs) > 1 else found


def leave(_):
    sys.exit(0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda maps: replace(maps, units=maps.units * torch.nan), "a map is not finite"),
        (lambda maps: replace(maps, units=maps.units[:, :5]), "its values have the shape (5,), and there are 64 units"),
        (leave, "SystemExit: 0"),
    ],
    ids=["NaN", "few units", "exit"],
)
def test_a_method_with_a_fault_is_named_with_the_reason_and_the_file_is_read_again(change, said):
    asked = ExplanationBench(images=1, trials=1)
    *_, found = run_bench(asked, [METHODS[NULL], Ill(change)], range(1), cause_seeds=0)
    assert found.methods == [NULL]
    assert found.inapplicable["ill"].startswith(said)
    assert bench_from_json(bench_as_json(found)) == found


class Blunt:
    """A model that gives no gradients."""

    def __new__(cls, device, dtype):
        model = load_model(CONTROL)
        model.differentiable = lambda: lacking("no gradients")
        return model


def lacking(reason):
    raise NotApplicable(reason)


def test_a_model_without_gradients_is_refused_as_an_option():
    done = CliRunner().invoke(app, ["explain", "bench", "--model", f"{__file__}:Blunt"])
    said = " ".join(done.output.split())
    assert (done.exit_code, "cannot be explained: no gradients." in said) == (4, True), said


def test_what_is_measured_is_not_even_tried_again(measured, monkeypatch):
    def refuse(*_):
        raise AssertionError("a method is tried")

    bench = bench_from_json(measured[1].read_bytes())
    monkeypatch.setattr("vlcheck.explain.bench.run.reason_against", refuse)
    run = run_bench(bench, [METHODS[name] for name in (NULL, "saliency", "lrp")], range(1))
    assert (next(run), next(run)) == (bench, bench)
    with pytest.raises(AssertionError, match="a method is tried"):
        next(run)


def test_the_trials_can_have_fewer_seeds(tmp_path):
    file = tmp_path / "bench.json"
    command = ["explain", "bench", "--seeds", "1", "--images", "2", "--cause-seeds", "0", "--methods", NULL]
    assert CliRunner().invoke(app, [*command, "--to", str(file)]).exit_code == 0
    bench = bench_from_json(file.read_bytes())
    assert (len(bench.scores), len(bench.causes)) == (1, 0)


def test_methods_of_one_base_are_measured_as_each_by_itself():
    prepared = PreparedTruth(Subjects(CONTROL), DrawnTruth(0, images=1, asked=1))
    together = measure_causes(prepared, [Lrp(), LrpSize()])
    alone = [measure_causes(prepared, [method])[0] for method in (Lrp(), LrpSize())]
    assert together == alone
    assert together[0].ranks != together[1].ranks
    assert (LrpSize().base.name, Saliency().base.name) == ("lrp", "saliency")


def test_equal_pairs_are_explained_once():
    """Each trial has three pairs; the trials of modality, color and place share one, and black pictures are equal."""
    drawn = DrawnTruth(0, images=1)
    trials = [trial for of in drawn.trials.values() for trial in of]
    texts = {trial.doubtful.text for trial in drawn.trials["modality"]}
    assert len(drawn.pairs) == len({pair.key for trial in trials for pair in trial.pairs})
    assert len(drawn.pairs) <= 3 * len(trials) - 2 * 40 - (40 - len(texts))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--methods", "salience"], "--methods salience: there is none. Did you mean 'saliency'?"),
        (["--images", "7", "--to", "{file}"], "was measured with --model tiny --images 2"),
        (["--model", "tinny"], "tinny"),
    ],
    ids=["no such method", "another number of scenes", "no such model"],
)
def test_a_mistaken_option_is_refused(measured, options, said):
    command = ["explain", "bench", *(option.format(file=measured[1]) for option in options)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 4
    assert said in done.output


def test_a_method_that_beats_random_in_each_seed_is_trusted():
    seeds = range(5)
    bench = bench_of(
        *(scores("good", seed, energy=0.3 + seed / 100) for seed in seeds),
        *(scores("even", seed) for seed in seeds),
        *(scores(NULL, seed, energy=0.1 + (-1) ** seed / 100) for seed in seeds),
        *(causes(method, seed) for seed in seeds for method in ("good", "even")),
    )
    good, even = (trust_in(bench, name) for name in ("good", "even"))
    assert (good.better, good.wins, round(good.lift.mean, 6)) == (True, 5, 3.2)
    assert (even.better, even.wins) == (False, 2)
    assert good.summary == "3.2 times as much of the map on the named thing as by chance; names 0.0 of 6 planted causes"
    assert even.summary == f"{NOT_BETTER}; names 0.0 of 6 planted causes"
    names = [row[0] for row in truth_rows(bench)]
    assert names == ["method", "good", f"even ({NOT_BETTER})", NULL]


def test_few_seeds_have_no_interval_and_are_no_reason_to_trust():
    seeds = range(4)
    bench = bench_of(
        *(scores("good", seed, energy=0.3) for seed in seeds),
        *(scores(NULL, seed) for seed in seeds),
        *(causes("good", seed) for seed in seeds),
    )
    good = trust_in(bench, "good")
    assert (good.better, good.wins, good.gain.low, good.gain.high) == (False, 4, None, None)
    assert good.summary == "4 seeds, too few to tell; planted causes: not measured"
    rows = list(truth_rows(bench))
    assert rows[1][:5] == ("good (4 seeds, too few to tell)", "4", "10 %", "3.00", "-")
    assert list(curve_rows(bench))[1] == ("good", "4", "0.000", "0.000", "0.00")


def test_a_cause_counts_as_named_in_nine_of_ten_seeds():
    """The color is named in all ten seeds, the order in eight; in one seed something is named for the control."""
    bench = bench_of(
        *(scores(method, seed) for seed in range(10) for method in ("method", NULL)),
        *(
            causes(
                "method",
                seed,
                {"tiny-color": {"color": 700.0}}
                | ({"tiny-bag": {"order": 820.0}} if seed < 8 else {})
                | ({CONTROL: {"place": 610.5}} if seed == 0 else {}),
            )
            for seed in range(10)
        ),
    )
    found = trust_in(bench, "method")
    assert (found.named["tiny-color"], found.named["tiny-bag"], found.causes_named, found.clean) == (10, 8, 1, 9)
    assert (found.named_a_seed, found.most_named) == (1.8, 0)
    assert list(cause_rows(bench))[1][:2] == ("method", "10 of 10")
    assert setting(bench) == "tiny: 10 seeds, 20 scenes of each kind and 40 trials of each cause a seed"


def test_a_wrong_cause_is_not_the_right_one():
    wrong = causes("method", 0, {"tiny-color": {"place": 820.0}})
    bench = bench_of(scores("method", 0), scores(NULL, 0), wrong)
    assert trust_in(bench, "method").named["tiny-color"] == 0


def test_the_setting_says_that_methods_have_different_numbers_of_seeds():
    bench = bench_of(scores("method", 0), scores(NULL, 0), scores(NULL, 1))
    assert setting(bench).startswith("tiny: 1 to 2 seeds, ")


def test_a_method_that_does_not_apply_says_why():
    done = CliRunner().invoke(app, [*SMALL[:-1], "cam", "--cause-seeds", "0"])
    assert "cam: CAM does not apply: it needs a global average pooling" in done.output


def test_every_method_has_a_name_of_its_own_in_the_table():
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in METHODS}
