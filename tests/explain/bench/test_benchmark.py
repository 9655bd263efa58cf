"""The benchmark of attribution methods, small: what it measures, writes, continues and prints."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from vlcheck.cli import app
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.bench.planted import CAUSES, PLANTED_CAUSES
from vlcheck.explain.bench.records import (
    ExplanationBench,
    SeedScores,
    TruthScores,
    bench_as_json,
    bench_from_json,
    is_bench_file,
)
from vlcheck.explain.bench.table import bench_rows, cause_rows, setting
from vlcheck.explain.bench.trust import NOT_BETTER, NULL, trust_in
from vlcheck.zoo import CONTROL

pytestmark = pytest.mark.slow  # networks are run many times

PLAIN = TruthScores(pointing=0.1, energy=0.1, target=0.1, distracted=0.1, distractor=0.1, precedence=0.5)
NOISE = dict.fromkeys(CAUSES, 20)
SMALL = ["explain", "bench", "--seeds", "1", "--images", "6", "--trials", "6", "--methods", "saliency"]
MODELS = (CONTROL, *PLANTED_CAUSES)


def scores(method, seed, *, energy=0.1, biased=MappingProxyType({})):
    """Measures made by hand, those of a method that says nothing unless told otherwise."""
    truth = {"match": replace(PLAIN, energy=energy), "word": PLAIN}
    counts = {model: NOISE | biased.get(model, {}) for model in MODELS}
    return SeedScores(method, seed, truth, deletion=0.5, insertion=0.5, similarity=0.0, biased=counts)


def bench_of(*measured):
    return ExplanationBench(scores=measured)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run of the command on one seed of six scenes, and the file that it wrote."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [
        "explain",
        "bench",
        "--seeds",
        "1",
        "--images",
        "6",
        "--trials",
        "6",
        "--methods",
        "saliency",
        "--to",
        str(file),
    ]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return done.output, file


def test_the_command_prints_a_row_for_each_method_and_the_random_map(measured):
    lines = measured[0].splitlines()
    assert lines[0] == "tiny: 1 seed, 6 scenes of each kind and 6 trials of each cause a seed"
    assert [line.split()[0] for line in lines[2:4]] == ["saliency", NULL]


def test_the_file_holds_what_was_measured(measured):
    bench = bench_from_json(measured[1].read_bytes())
    one, noise = bench.of("saliency")[0], bench.of(NULL)[0]
    assert one.biased.keys() == {*MODELS}
    assert all(0 <= count <= 6 for counts in one.biased.values() for count in counts.values())
    assert one.truth["match"].target == noise.truth["match"].target
    assert 0.03 < one.truth["match"].target < 0.12
    assert abs(noise.truth["match"].lift - 1) < 0.35
    assert bench_from_json(bench_as_json(bench)) == bench
    assert is_bench_file(measured[1])


def test_a_run_is_continued_and_measures_nothing_twice(measured):
    before = measured[1].read_bytes()
    command = [
        "explain",
        "bench",
        "--seeds",
        "1",
        "--images",
        "6",
        "--trials",
        "6",
        "--methods",
        "saliency",
        "--to",
        str(measured[1]),
    ]
    assert CliRunner().invoke(app, command).output == measured[0]
    assert measured[1].read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--methods", "salience"], "--methods salience: there is none. Did you mean 'saliency'?"),
        (["--images", "7", "--to", "{file}"], "was measured with --model tiny --images 6"),
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
    )
    good, even = (trust_in(bench, name) for name in ("good", "even"))
    assert (good.better, good.wins, round(good.lift.mean, 6)) == (True, 5, 3.2)
    assert (even.better, even.wins) == (False, 2)
    assert good.summary == "3.2 times as much of the map on the named thing as by chance; names 0.0 of 6 planted causes"
    assert even.summary == f"{NOT_BETTER}; names 0.0 of 6 planted causes"
    names = [row[0] for row in bench_rows(bench)]
    assert names == ["method", "good", f"even ({NOT_BETTER})", NULL]


def test_a_cause_counts_as_named_in_nine_of_ten_seeds():
    """The color is named in all ten seeds, the order in eight; in one seed something is named for the control."""
    bench = bench_of(
        *(
            scores(
                "method",
                seed,
                biased={"tiny-color": {"color": 36}}
                | ({"tiny-bag": {"order": 40}} if seed < 8 else {})
                | ({CONTROL: {"place": 34}} if seed == 0 else {}),
            )
            for seed in range(10)
        ),
        *(scores(NULL, seed) for seed in range(10)),
    )
    found = trust_in(bench, "method")
    assert (found.named["tiny-color"], found.named["tiny-bag"], found.causes_named, found.clean) == (10, 8, 1, 9)
    assert found.named_a_seed == 1.8
    assert list(cause_rows(bench))[1][:2] == ["method", "10 of 10"]
    assert setting(bench) == "tiny: 10 seeds, 20 scenes of each kind and 40 trials of each cause a seed"


def test_a_wrong_cause_is_not_the_right_one():
    bench = bench_of(scores("method", 0, biased={"tiny-color": {"place": 40}}), scores(NULL, 0))
    assert trust_in(bench, "method").named["tiny-color"] == 0


def test_the_setting_says_that_methods_have_different_numbers_of_seeds():
    bench = bench_of(scores("method", 0), scores(NULL, 0), scores(NULL, 1))
    assert setting(bench).startswith("tiny: 1 to 2 seeds, ")


def test_a_method_that_does_not_apply_says_why():
    bench = replace(bench_of(scores(NULL, 0)), inapplicable={"cam": "CAM needs pooling"})
    assert list(bench_rows(bench))[-1][:2] == ["cam", "CAM needs pooling"]


def test_every_method_has_a_name_of_its_own_in_the_table():
    assert {name: method.name for name, method in METHODS.items()} == {name: name for name in METHODS}
