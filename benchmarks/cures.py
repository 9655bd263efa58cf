"""Measure what cures do to the models with a planted bias: the matrix of cures.

    python -m benchmarks.cures [--seeds 20] [--paired 3] [--model NAME ...] [--to FILE] [--add FILE ...]

After a cure the planted bias is tested in every seed, and every bias in the first ones, which are compared picture by
picture with the model before the cure and with the control. How the planted bias ends before the cure is known from
benchmarks/matrix.json, on the same scenes. Each cell goes to benchmarks/cures.json, or to another file, when it is
measured, so that a stopped run continues; `--add FILE ...` takes the cells of other files. `python -m benchmarks.table`
writes the tables of docs/explanation/cures.md from there. Weights that are not in benchmarks/cures/ are left out, and
named: `vlcheck train NAME --to benchmarks/cures` makes them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from itertools import count, groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch

from benchmarks.suite import machine
from vlcheck._util.files import replace_all
from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import asked
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.session import scored
from vlcheck.expect.base import WHOLE, Given
from vlcheck.models.loading.load import load_model
from vlcheck.policy.policy import Rule
from vlcheck.policy.toml_file import load_policy
from vlcheck.stats.bootstrap import bootstrap_interval, by_cluster
from vlcheck.stats.decision import worst
from vlcheck.stats.multiple_testing import holm
from vlcheck.stats.paired import mcnemar
from vlcheck.suite.shipped import BIASES, policy_path, suite_folder
from vlcheck.zoo import CONTROL, PLANTED
from vlcheck.zoo.recipe import CURED, UNNEEDED

RESULTS = Path(__file__).with_name("cures.json")
WEIGHTS = Path(__file__).with_name("cures")
SCENES = 100
SEEDS = 20  # in which the planted bias is tested
PAIRED = 3  # in which every bias is
LEVEL = 0.05
_CONFIG = EvaluationConfig(batch_size=64, images=False, top=0)


@dataclass(frozen=True)
class Treated:
    """A model with a planted bias under a cure, or the control under it.

    Attributes:
        name: the model's name in the tables.
        spec: the model as `--vl-model` takes it.
        before: the variant that the cure is for, or the control.
        cure: the cure in words.
    """

    name: str
    spec: str
    before: str
    cure: str


Picture = tuple[str, int]  # the kind of a scene, and its number


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outcome of one test on the scenes of one seed.

    A set of pictures is written as their kinds and numbers, "object 0-2 7 side 4": equal names in one seed are one
    picture, whatever the test.

    Attributes:
        bias: the test's bias.
        status: the verdict's status.
        asked: the pictures that were asked about.
        violating: those among them with a violation; None if the test is about a mean.
        uncounted: those that do not count.
        given: those among these that the model decides by construction.
        cause: the kind of reason for an invalid verdict; "" otherwise.
    """

    bias: str
    status: str
    asked: str
    violating: str | None = ""
    uncounted: str = ""
    given: str = ""
    cause: str = ""

    @classmethod
    def of(cls, findings: Findings, rule: Rule) -> Outcome:
        """Return the outcome of findings.

        Args:
            findings: the findings of a test.
            rule: the rule that judges them.
        """
        expect, verdict = findings.behavior.expect, findings.verdict(rule)
        asked, counting = set(map(_picture, findings.each)), set(map(_picture, findings.counted))
        given = {_picture(one) for one in findings.each if isinstance(one.reason, Given)}
        violating = {_picture(one) for one in findings.counted if one.margins.get(WHOLE, 1.0) <= 0}
        return cls(
            bias=findings.behavior.bias,
            status=verdict.status,
            cause=verdict.cause,
            asked=packed(asked),
            uncounted=packed(asked - counting),
            given=packed(given - counting),
            violating=packed(violating) if expect.claim == "rate" else None,
        )

    def pictures(self) -> frozenset[Picture]:
        """Return the pictures that were asked about and are not decided by construction."""
        return unpacked(self.asked) - unpacked(self.given)

    def fails(self) -> Mapping[str, frozenset[Picture]]:
        """Return the pictures with which the model fails, by the way: they have a violation, or do not count."""
        ways = {"uncounted": unpacked(self.uncounted)}
        return ways if self.violating is None else ways | {"violating": unpacked(self.violating)}


def _picture(finding: Finding) -> Picture:
    """Return the kind and the number of a scene; a scene has several cases, whose names end with a word more."""
    _, _, kind, number, *_ = finding.sample.case.id.split("-")
    return kind, int(number)


def packed(pictures: Iterable[Picture]) -> str:
    """Return the text of a set of pictures.

    Args:
        pictures: the pictures.

    Example:
        >>> packed([("side", 4), ("object", 0), ("object", 1), ("object", 2), ("object", 7)])
        'object 0-2 7 side 4'
    """
    words: list[str] = []
    for kind, each in groupby(sorted(set(pictures)), key=itemgetter(0)):
        words.append(kind)
        for _, run in groupby(enumerate(number for _, number in each), key=lambda one: one[1] - one[0]):
            numbers = [number for _, number in run]
            words.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}")
    return " ".join(words)


@cache
def unpacked(text: str) -> frozenset[Picture]:
    """Return the pictures of a text that `packed` made."""
    pictures, kind = set[Picture](), ""
    for word in text.split():
        if word[0].isdigit():
            first, _, last = word.partition("-")
            pictures.update((kind, number) for number in range(int(first), int(last or first) + 1))
        else:
            kind = word
    return frozenset(pictures)


Cell = Mapping[str, Outcome]  # by the name of the test
Seeds = Mapping[int, Cell]


class Measured(msgspec.Struct):
    """The measured cells, and where and on how many scenes they were measured.

    Attributes:
        scenes: number of scenes for each behavior and seed.
        machine: the machine.
        cells: the outcomes, by model, seed and test.
    """

    scenes: int
    machine: dict[str, object]
    cells: dict[str, dict[int, dict[str, Outcome]]]


class Change(NamedTuple):
    """The pictures with which a model fails in one way in a test, and another does not, over all seeds of both.

    Attributes:
        test: the test.
        way: "violating", or "uncounted": the model no longer knows the case, say.
        pictures: number of pictures that are compared.
        worse: number of pictures with which the model fails now, and did not before.
        better: number of pictures with which it did before, and does not now.
        p: McNemar's p-value, corrected for the number of comparisons.
    """

    test: str
    way: str
    pictures: int
    worse: int
    better: int
    p: float


def treated_models() -> list[Treated]:
    """Return the models of the matrix: the control, the variants, those under a cure, and the control under it."""
    trained = [
        Treated(name, f"albef:{WEIGHTS / name}.safetensors", name.removesuffix("-cured"), ", ".join(recipe.cure))
        for name, recipe in CURED.items()
    ]
    unneeded = [
        Treated(name, f"albef:{WEIGHTS / name}.safetensors", CONTROL, ", ".join(recipe.cure))
        for name, recipe in UNNEEDED.items()
    ]
    wrapped = [
        Treated(f"{wrapper}:{name}", f"{wrapper}:{name}", name, wrapper)
        for wrapper, names in (
            ("symmetrised", ("tiny-mirror", "tiny-right", CONTROL)),
            ("calibrated", ("tiny-right", "tiny-blind", CONTROL)),
        )
        for name in names
    ]
    return [*(Treated(name, name, name, "") for name in PLANTED), *trained, *wrapped, *unneeded]


def measure(model: Treated, seed: int, bias: str | None) -> dict[str, Outcome]:
    """Test a model on the scenes of a seed.

    Args:
        model: the model.
        seed: the seed of the scenes.
        bias: the bias whose tests are asked; None stands for all.
    """
    policy, cell = load_policy(policy_path()), dict[str, Outcome]()
    with collected(suite_folder() / "behavior_tests") as all_tests:
        tests = [test for test in asked(all_tests) if bias in (None, test.behavior.bias)]
        with scored(_CONFIG, load_model(model.spec), _trials(seed), policy, tests) as under_test:
            for test in tests:
                findings = under_test.find(test.behavior, test.metric)
                rule = policy.of(test.behavior.name, test.behavior.bias).rule
                cell[test.name] = Outcome.of(findings, rule)
    return cell


@cache
def _trials(seed: int) -> Trials:
    return Trials(open_source(f"scenes:{SCENES}:{seed}"))


def planted_in(model: Treated) -> str | None:
    """Return the bias that a cure is for; None for the control."""
    return next(iter(PLANTED[model.before]), None)


def read_measured(text: bytes | str) -> Measured:
    """Return what was measured, from the text of the results file."""
    return msgspec.json.decode(text, type=Measured)


def as_text(measured: Measured) -> str:
    """Return the text of the results file: a test a line."""
    models = []
    for model, seeds in measured.cells.items():
        cells = [
            f'"{seed}": {{\n' + ",\n".join(f"{json.dumps(test)}: {_json(one)}" for test, one in cell.items()) + "\n}"
            for seed, cell in sorted(seeds.items())
        ]
        models.append(f"{json.dumps(model)}: {{{', '.join(cells)}}}")
    head = f'"scenes": {measured.scenes}, "machine": {json.dumps(measured.machine)}'
    return f'{{{head}, "cells": {{\n' + ",\n".join(models) + "\n}}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def statuses(seeds: Seeds, bias: str) -> Counter[str]:
    """Return how many seeds end with which status, the gravest of the bias's tests.

    Args:
        seeds: the cells of a model.
        bias: the bias.
    """
    each = ([one.status for one in cell.values() if one.bias == bias] for cell in seeds.values())
    return Counter(worst(found) for found in each if found)


def changes(now: Seeds, before: Seeds, *, without: str | None = None) -> list[Change]:
    """Return the changed pictures of each test and way, over the seeds in which both models were asked about all.

    Args:
        now: the cells of a model.
        before: the cells of the model that it is compared with.
        without: a bias whose tests are left out.
    """
    numbers: dict[tuple[str, str], list[int]] = {}
    for pair in _pairs(now, before):
        if pair.bias != without:
            number = numbers.setdefault((pair.test, pair.way), [0, 0, 0])
            number[0] += 1
            number[1] += pair.has and not pair.had
            number[2] += pair.had and not pair.has
    corrected = holm([mcnemar(fell, rose) for _, fell, rose in numbers.values()])
    return [
        Change(test, way, pictures, fell, rose, p)
        for ((test, way), (pictures, fell, rose)), p in zip(numbers.items(), corrected, strict=True)
    ]


class _Pair(NamedTuple):
    """One picture in one test under two models.

    Attributes:
        seed: the seed of the picture.
        picture: its kind and number.
        test: the test.
        bias: the test's bias.
        way: the way to fail.
        had: whether the model before fails so.
        has: whether the model now does.
    """

    seed: int
    picture: Picture
    test: str
    bias: str
    way: str
    had: bool
    has: bool


def _pairs(now: Seeds, before: Seeds) -> Iterator[_Pair]:
    """Yield the pairs of the seeds in which both models were asked about all: violations where both count."""
    for seed in both_measured(now, before):
        for test in sorted(now[seed].keys() & before[seed].keys()):
            one, other = now[seed][test], before[seed][test]
            shared, has, had = one.pictures() & other.pictures(), one.fails(), other.fails()
            for way in sorted(has.keys() & had.keys()):
                left_out = has["uncounted"] | had["uncounted"] if way == "violating" else frozenset()
                for picture in sorted(shared - left_out):
                    yield _Pair(seed, picture, test, one.bias, way, picture in had[way], picture in has[way])


def both_measured(now: Seeds, before: Seeds) -> list[int]:
    """Return the seeds in which both models were asked about every bias."""
    return [
        seed
        for seed in sorted(now.keys() & before.keys())
        if is_measured(now[seed], None) and is_measured(before[seed], None)
    ]


def worse(found: Sequence[Change]) -> list[Change]:
    """Return the changes of more pictures for the worse than chance explains."""
    return [one for one in found if one.worse > one.better and one.p < LEVEL]


def fewest_worse(found: Sequence[Change]) -> int:
    """Return how many pictures have to change for the worse, and none for the better, so that a change is found.

    Args:
        found: all comparisons that are corrected together.
    """
    return next(number for number in count(1) if mcnemar(number, 0) * len(found) < LEVEL)


def no_longer_passing(now: Seeds, before: Seeds, *, without: str | None = None) -> Counter[str]:
    """Return in how many seeds each test passes before, and not now, unless it is invalid by construction.

    Args:
        now: the cells of a model.
        before: the cells of the model that it is compared with.
        without: a bias whose tests are left out.
    """
    return Counter(
        test
        for seed in both_measured(now, before)
        for test in sorted(now[seed].keys() & before[seed].keys())
        if now[seed][test].bias != without
        and before[seed][test].status == "pass"
        and now[seed][test].status != "pass"
        and now[seed][test].cause != "by construction"
    )


def cost(now: Seeds, control: Seeds) -> tuple[float, float, float]:
    """Return the share of violations minus that of the control, with its 95 % interval, over all tests about a rate.

    A picture that does not count under one of the two is left out. The interval is that of pictures: what several tests
    find in one belongs together.

    Args:
        now: the cells of a model.
        control: the cells of the control.
    """
    pairs = [pair for pair in _pairs(now, control) if pair.way == "violating"]
    differences = [float(pair.has) - float(pair.had) for pair in pairs]
    clusters = [(pair.seed, pair.picture) for pair in pairs]
    low, high = bootstrap_interval(differences, clusters)
    return float(by_cluster(zip(differences, clusters, strict=True)).mean()), low, high


def missing(model: Treated) -> bool:
    """Return True if the weights of a model were not trained yet."""
    path = Path(model.spec.removeprefix("albef:"))
    return model.spec.startswith("albef:") and not path.exists()


def is_measured(cell: Cell, bias: str | None) -> bool:
    """Return True if a cell has the tests of a bias; None stands for all biases.

    Args:
        cell: the cell as far as it was measured.
        bias: the bias.
    """
    there = {one.bias for one in cell.values()}
    return bias in there if bias else there >= set(BIASES)


def merged(some: Measured, others: Measured) -> Measured:
    """Return the cells of two files; of a cell that both have, the one with more tests.

    Args:
        some: cells.
        others: cells on as many scenes.
    """
    cells = {name: dict(seeds) for name, seeds in some.cells.items()}
    for name, seeds in others.cells.items():
        have = cells.setdefault(name, {})
        have |= {seed: cell for seed, cell in seeds.items() if len(cell) > len(have.get(seed, ()))}
    order = [model.name for model in treated_models()]
    return Measured(some.scenes, some.machine, dict(sorted(cells.items(), key=lambda one: order.index(one[0]))))


def _stored(path: Path) -> Measured:
    return read_measured(path.read_bytes()) if path.exists() else Measured(SCENES, machine(), {})


def main() -> None:
    models = {model.name: model for model in treated_models()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="seeds in which the planted bias is tested")
    parser.add_argument("--paired", type=int, default=PAIRED, help="seeds in which every bias is tested")
    parser.add_argument("--model", nargs="*", choices=list(models), default=list(models), help="models; by default all")
    parser.add_argument("--to", type=Path, default=RESULTS, help="the file of the cells; one process writes one file")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="files whose cells are taken first")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    measured = reduce(merged, map(_stored, chosen.add), _stored(chosen.to))
    replace_all({chosen.to: as_text(measured).encode()})
    for name in chosen.model:
        if missing(models[name]):
            print(f"{name}: left out; `vlcheck train {name} --to {WEIGHTS}` makes its weights", file=sys.stderr)
            continue
        _fill(measured, models[name], chosen)


def _fill(measured: Measured, model: Treated, chosen: argparse.Namespace) -> None:
    """Measure the cells of a model that are missing."""
    planted = planted_in(model)
    have = measured.cells.setdefault(model.name, {})
    for seed in range(chosen.seeds if planted and model.cure else chosen.paired):
        bias = None if seed < chosen.paired else planted
        if is_measured(have.get(seed, {}), bias):
            continue
        began = time.process_time()
        have[seed] = measure(model, seed, bias)
        replace_all({chosen.to: as_text(measured).encode()})
        print(f"{model.name}, seed {seed}: {time.process_time() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
