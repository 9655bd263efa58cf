"""Measure what cures do to the models with a planted bias: the matrix of cures.

    python -m benchmarks.cures [--seeds 20] [--paired 3] [--model NAME ...]

After a cure the planted bias is tested in every seed, and every bias in the first ones, which are compared image by
image with the model before the cure and with the control. How the planted bias ends before the cure is known from
benchmarks/matrix.json, on the same scenes. Each cell goes to benchmarks/cures.json when it is measured, so that a
stopped run continues; `python -m benchmarks.table` writes the tables of docs/explanation/cures.md from there. Weights
that are not in benchmarks/cures/ are left out, and named: `vlcheck train NAME --to benchmarks/cures` makes them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
from vlcheck.evaluation.outcomes import Finding, Findings
from vlcheck.evaluation.session import scored
from vlcheck.expect.base import WHOLE
from vlcheck.models.loading.load import load_model
from vlcheck.policy.policy import Rule
from vlcheck.policy.toml_file import load_policy
from vlcheck.stats.bootstrap import bootstrap_interval
from vlcheck.stats.decision import worst
from vlcheck.stats.multiple_testing import holm
from vlcheck.stats.paired import mcnemar
from vlcheck.suite.shipped import BIASES, policy_path, suite_folder
from vlcheck.zoo import CONTROL, PLANTED
from vlcheck.zoo.recipe import CURED, UNNEEDED

RESULTS = Path(__file__).with_name("cures.json")
WEIGHTS = Path(__file__).with_name("cures")
SCENES = 100
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


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of one test on the scenes of one seed.

    Attributes:
        bias: the test's bias.
        status: the verdict's status.
        images: number of images that were asked about.
        uncounted: the numbers of the images that do not count.
        violating: the numbers of the images with a violation; None if the test is about a mean.
    """

    bias: str
    status: str
    images: int
    uncounted: tuple[int, ...]
    violating: tuple[int, ...] | None

    @classmethod
    def of(cls, findings: Findings, rule: Rule) -> Outcome:
        """Return the outcome of findings.

        Args:
            findings: the findings of a test.
            rule: the rule that judges them.
        """
        behavior = findings.behavior
        numbers = {key: at for at, key in enumerate(dict.fromkeys(map(_image, findings.each)))}
        counted = {numbers[_image(one)] for one in findings.counted}
        violating = {numbers[_image(one)] for one in findings.counted if one.margins.get(WHOLE, 1.0) <= 0}
        return cls(
            bias=behavior.bias,
            status=findings.verdict(rule).status,
            images=len(numbers),
            uncounted=tuple(sorted(set(numbers.values()) - counted)),
            violating=tuple(sorted(violating)) if behavior.expect.claim == "rate" else None,
        )

    @property
    def pairs(self) -> Mapping[int, bool] | None:
        """Whether each image that counts has a violation; None if the test is about a mean."""
        if self.violating is None:
            return None
        left_out, violating = set(self.uncounted), set(self.violating)
        return {image: image in violating for image in range(self.images) if image not in left_out}


def _image(finding: Finding) -> str:
    return finding.sample.case.image.key


Cell = Mapping[str, Outcome]  # by the name of the test
Seeds = Mapping[int, Cell]


class Measured(msgspec.Struct):
    """What was measured.

    Attributes:
        scenes: number of scenes for each behavior and seed.
        machine: the machine.
        cells: the outcomes, by model, seed and test.
    """

    scenes: int
    machine: dict[str, object]
    cells: dict[str, dict[int, dict[str, Outcome]]]


class Change(NamedTuple):
    """The images of a test that changed, over all seeds that both models have.

    Attributes:
        test: the test.
        worse: number of images that violate the statement now, and did not before.
        better: number of images that did before, and do not now.
        p: McNemar's p-value, corrected for the number of tests.
    """

    test: str
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
    """Return the changed images of each test about a rate, over the seeds in which both models were asked.

    Args:
        now: the cells of a model.
        before: the cells of the model that it is compared with.
        without: a bias whose tests are left out.
    """
    counts: dict[str, list[int]] = {}
    for _, test, was, has in _paired(now, before, without):
        count = counts.setdefault(test, [0, 0])
        count[0] += has and not was
        count[1] += was and not has
    corrected = holm([mcnemar(worse, better) for worse, better in counts.values()])
    return [Change(test, fell, rose, p) for (test, (fell, rose)), p in zip(counts.items(), corrected, strict=True)]


def _paired(now: Seeds, before: Seeds, without: str | None) -> Iterator[tuple[tuple[int, int], str, bool, bool]]:
    """Yield seed and image, test, and whether there was and is a violation, for each image that counts in both."""
    for seed in sorted(now.keys() & before.keys()):
        for test in sorted(now[seed].keys() & before[seed].keys()):
            one, other = now[seed][test], before[seed][test]
            if one.bias != without and one.pairs is not None and other.pairs is not None:
                for image in sorted(one.pairs.keys() & other.pairs.keys()):
                    yield (seed, image), test, other.pairs[image], one.pairs[image]


def worse(found: Sequence[Change]) -> list[Change]:
    """Return the tests in which more images changed for the worse than chance explains."""
    return [one for one in found if one.worse > one.better and one.p < LEVEL]


def no_longer_passing(now: Seeds, before: Seeds, *, without: str | None = None) -> Counter[str]:
    """Return in how many seeds each test passes before, and not now.

    Args:
        now: the cells of a model.
        before: the cells of the model that it is compared with.
        without: a bias whose tests are left out.
    """
    return Counter(
        test
        for seed in sorted(now.keys() & before.keys())
        for test in sorted(now[seed].keys() & before[seed].keys())
        if now[seed][test].bias != without
        and before[seed][test].status == "pass"
        and now[seed][test].status in ("fail", "inconclusive")
    )


def cost(now: Seeds, control: Seeds) -> tuple[float, float, float]:
    """Return the share of violations minus that of the control, with its 95 % interval, over all tests about a rate.

    Args:
        now: the cells of a model.
        control: the cells of the control.
    """
    pairs = list(_paired(now, control, None))
    differences = [float(has) - float(was) for _, _, was, has in pairs]
    low, high = bootstrap_interval(differences, [image for image, _, _, _ in pairs])
    return sum(differences) / len(differences), low, high


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


def main() -> None:
    models = {model.name: model for model in treated_models()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="seeds in which the planted bias is tested")
    parser.add_argument("--paired", type=int, default=3, help="seeds in which every bias is tested")
    parser.add_argument("--model", nargs="*", choices=list(models), default=list(models), help="models; by default all")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    measured = read_measured(RESULTS.read_bytes()) if RESULTS.exists() else Measured(SCENES, machine(), {})
    for name in chosen.model:
        model = models[name]
        if missing(model):
            print(f"{name}: left out; `vlcheck train {name} --to {WEIGHTS}` makes its weights", file=sys.stderr)
            continue
        planted = planted_in(model)
        for seed in range(chosen.seeds if planted and model.cure else chosen.paired):
            have = measured.cells.setdefault(name, {})
            bias = None if seed < chosen.paired else planted
            if is_measured(have.get(seed, {}), bias):
                continue
            began = time.process_time()
            have[seed] = measure(model, seed, bias)
            replace_all({RESULTS: as_text(measured).encode()})
            print(f"{name}, seed {seed}: {time.process_time() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
