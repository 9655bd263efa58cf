"""The power matrix: each variant of the zoo is tested for each bias, over several seeds of the scenes.

A planted bias has to be found in every seed, and nothing else may fail; over the images of all seeds together, the
control has to pass every test.
"""

from __future__ import annotations

import gc
import json
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any

from vlcheck._util.files import begins
from vlcheck._util.process_end import follow
from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import BehaviorTest, asked, demand_sound, fitting
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError, argument
from vlcheck.evaluation.calibration import ahead
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.preview import foresee
from vlcheck.evaluation.session import scored
from vlcheck.metrics.kinds import Metric
from vlcheck.policy.policy import METRICS, Policy, Rule
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.rendered_once import RenderedOnce
from vlcheck.stats.decision import worst
from vlcheck.stats.verdict import Verdict
from vlcheck.studies.packed_findings import findings_as_bytes, findings_of_bytes
from vlcheck.suite.shipped import BIASES
from vlcheck.zoo import CONTROL, PLANTED
from vlcheck.zoo.pretrained import Variant

FIRST_IMAGES = (5, 10, 15, 20, 30, 50, 75, 100, 150, 200)  # at which it is looked when a bias is caught
_START = '{"images": '
_ALLOCATED = 100_000  # number of objects after which a process looks for garbage; Python's own is 700
_CONFIG = EvaluationConfig(batch_size=64, images=False, top=0)  # pictures at once: the models are small


@dataclass(frozen=True)
class Examined:
    """A variant's verdicts on one behavior under one metric.

    Attributes:
        variant: name of the variant.
        bias: the behavior's bias.
        behavior: name of the behavior.
        metric: the metric.
        seeds: one verdict a seed.
        together: the verdict over the images of all seeds.
        caught_at: the least number of images, of FIRST_IMAGES and all, at which every seed fails; None if not all fail.
    """

    variant: str
    bias: str
    behavior: str
    metric: Metric
    seeds: tuple[Verdict, ...]
    together: Verdict
    caught_at: int | None


@dataclass(frozen=True)
class PowerMatrix:
    """All verdicts of all variants.

    Attributes:
        images: number of images for each behavior and seed.
        tested: a row for each variant, behavior and metric.
    """

    images: int
    tested: tuple[Examined, ...]

    def cell(self, variant: str, bias: str) -> list[Examined]:
        """Return the rows of a variant and a bias.

        Args:
            variant: name of the variant.
            bias: name of the bias.
        """
        return [one for one in self.tested if (one.variant, one.bias) == (variant, bias)]

    def seeds(self, variant: str) -> int:
        """Return the number of seeds of a variant."""
        return next(len(one.seeds) for one in self.tested if one.variant == variant)

    @property
    def variants(self) -> list[str]:
        """The names of the variants, in order."""
        return list(dict.fromkeys(one.variant for one in self.tested))

    @property
    def biases(self) -> list[str]:
        """The names of the biases, the shipped ones first."""
        there = {one.bias for one in self.tested}
        return [*(bias for bias in BIASES if bias in there), *sorted(there.difference(BIASES))]

    def statuses(self, variant: str, bias: str) -> Counter[str]:
        """Return how many seeds have which status, the gravest of the cell's verdicts.

        Args:
            variant: name of the variant.
            bias: name of the bias.
        """
        each = zip(*(one.seeds for one in self.cell(variant, bias)), strict=True)
        return Counter(worst(verdict.status for verdict in verdicts) for verdicts in each)

    def failing(self, variant: str, bias: str) -> int:
        """Return the number of seeds in which a cell fails.

        Args:
            variant: name of the variant.
            bias: name of the bias.
        """
        return self.statuses(variant, bias)["fail"]

    def green(self, variant: str) -> int:
        """Return the number of seeds in which a variant passes every test."""
        each = zip(*(one.seeds for one in self.tested if one.variant == variant), strict=True)
        return sum(all(verdict.passed for verdict in verdicts) for verdicts in each)

    def caught_at(self, variant: str, bias: str) -> int | None:
        """Return the least number of images at which one of the cell's tests fails in every seed; None if none does.

        Args:
            variant: name of the variant.
            bias: name of the bias.
        """
        return min((one.caught_at for one in self.cell(variant, bias) if one.caught_at), default=None)

    def amiss(self, planted: Mapping[str, frozenset[str]] = PLANTED) -> Iterator[str]:
        """Yield a line for each planted bias that is not found, and for each other test that fails."""
        for variant in self.variants:
            for bias in sorted(planted[variant].difference(self.biases)):
                yield f"{variant}: {bias} is planted, and nothing tests it"
            for bias in self.biases:
                cell, failing = self.cell(variant, bias), self.failing(variant, bias)
                if bias not in planted[variant]:
                    yield from (f"{variant}: {line}" for one in cell for line in _unplanted(one, variant == CONTROL))
                elif failing < self.seeds(variant):
                    yield f"{variant}: {bias} is planted, and caught in {failing} of {self.seeds(variant)} seeds"


def _unplanted(one: Examined, control: bool) -> Iterator[str]:
    allowed = ("pass",) if control else ("pass", "invalid")
    name = f"{one.bias}: {one.behavior}[{one.metric}]"
    for seed, verdict in enumerate(one.seeds):
        if verdict.status == "fail":
            yield f"{name} fails in seed {seed}: {verdict.reason}"
    if one.together.status not in allowed:
        yield f"{name}: over all images {one.together.summary}"


def make_matrix(
    suite: Path, policy: Path, *, variants: Iterable[str], seeds: int, images: int, jobs: int
) -> PowerMatrix:
    """Test every variant for every bias.

    Args:
        suite: the folder of tests.
        policy: the policy file.
        variants: names of variants of the zoo.
        seeds: number of seeds of the scenes, which are counted from 0.
        images: number of images for each behavior and seed.
        jobs: number of parallel processes; each asks all variants about the pictures of a seed, one after the other.

    Raises:
        UsageError: there are too few images for a test to pass, an answer cannot be used, or a process was killed.
    """
    _demand_enough(suite, load_policy(policy), images)
    names = tuple(variants)
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_alone) as pool:
        with _ignoring_interrupts():  # child processes inherit this, so that only the parent reacts to Ctrl-C
            ask = partial(_ask, suite, policy, images)
            asked = [pool.submit(ask, *share) for share in shares_of_seeds(names, seeds, jobs)]
        try:
            found = _by_variant(one.result() for one in asked)
            examined = pool.map(partial(_examine, suite, policy, images), names, [found[name] for name in names])
            return PowerMatrix(images, tuple(chain.from_iterable(examined)))
        except BrokenProcessPool as error:
            cause = "a process was killed, perhaps for want of memory; fewer at once need less"
            raise UsageError(f"{argument('jobs', jobs)}: {cause}.") from error
        except KeyboardInterrupt:
            for process in active_children():
                process.terminate()
            raise


def matrix_rows(matrix: PowerMatrix) -> Iterator[list[str]]:
    """Yield the matrix as rows of text: how many seeds end with which status in each cell."""
    yield ["variant", *matrix.biases]
    for variant in matrix.variants:
        yield [variant, *(_cell(matrix, variant, bias) for bias in matrix.biases)]


def as_json(matrix: PowerMatrix) -> str:
    """Return every verdict as JSON, a row a line, without tables and evidence."""
    rows = [asdict(one) | {"seeds": [*map(_kept, one.seeds)], "together": _kept(one.together)} for one in matrix.tested]
    return f'{_START}{matrix.images}, "tested": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]}\n"


def is_matrix_file(path: Path) -> bool:
    """Return True if a file was written from `as_json`, or is empty."""
    return begins(path, _START.encode())


def from_json(text: str) -> PowerMatrix:
    """Return the matrix from the text that `as_json` returned."""
    kept = json.loads(text)
    return PowerMatrix(kept["images"], tuple(_read(row) for row in kept["tested"]))


def _kept(verdict: Verdict) -> dict[str, object]:
    kept: dict[str, object] = {"status": verdict.status, "n": verdict.n, "violations": verdict.violations}
    return kept if verdict.passed else kept | {"reason": verdict.reason}


def _read(row: Mapping[str, Any]) -> Examined:
    seeds = tuple(Verdict(**verdict) for verdict in row["seeds"])
    return Examined(**{**row, "seeds": seeds, "together": Verdict(**row["together"])})


def _cell(matrix: PowerMatrix, variant: str, bias: str) -> str:
    """Return the statuses of the seeds, and how many images each needs to fail; one status if all share it."""
    (status, most), *others = matrix.statuses(variant, bias).most_common()
    if status == "fail" and not others:
        at = matrix.caught_at(variant, bias)
        return f"fail {most}/{most}" + (f", n = {at}" if at else "")
    counts = ", ".join(f"{other} in {count}" for other, count in others)
    return f"{status} in {most} of {matrix.seeds(variant)} seeds, {counts}" if others else status


def _alone() -> None:
    """Limit a process to one thread, since the models are small, and end it with its parent.

    Trials and answers stay until a variant or a seed is done: to look for garbage among them took a tenth of the time.
    """
    import torch

    if parent := parent_process():
        follow(parent.pid or 0)
    torch.set_num_threads(1)
    gc.set_threshold(_ALLOCATED)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def shares_of_seeds(variants: Sequence[str], seeds: int, jobs: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Divide the work among processes: whole seeds as long as each process gets one, then parts of the variants.

    Args:
        variants: names of the variants.
        seeds: number of seeds.
        jobs: number of processes.

    Yields:
        A seed, and the variants that one process asks about its pictures.

    Example:
        >>> list(shares_of_seeds(["tiny", "tiny-bag"], 3, 2))
        [(0, ['tiny', 'tiny-bag']), (1, ['tiny', 'tiny-bag']), (2, ['tiny']), (2, ['tiny-bag'])]
    """
    rest = seeds % jobs
    parts = min(-(-jobs // rest), len(variants)) if rest else 1
    for seed in range(seeds):
        dealt = 1 if seed < seeds - rest else parts
        yield from ((seed, [*variants[first::dealt]]) for first in range(dealt))


def _ask(
    suite: Path, policy_file: Path, images: int, seed: int, variants: Sequence[str]
) -> dict[str, tuple[int, bytes]]:
    """Ask variants about the pictures of a seed, which are rendered once; return each one's seed and findings."""
    policy, trials, pictures = load_policy(policy_file), _trials(images, seed), RenderedOnce()
    found: dict[str, tuple[int, bytes]] = {}
    with _tests(suite, images) as tests:
        for variant in variants:
            with scored(_CONFIG, Variant(variant)(), trials, policy, tests, render=pictures.render) as model:
                found[variant] = seed, findings_as_bytes([_whole(variant, model, test) for test in tests])
    return found


def _by_variant(parts: Iterable[Mapping[str, tuple[int, bytes]]]) -> dict[str, list[bytes]]:
    """Return the findings of each variant, in the order of the seeds."""
    found: dict[str, dict[int, bytes]] = {}
    for part in parts:
        for variant, (seed, content) in part.items():
            found.setdefault(variant, {})[seed] = content
    return {variant: [content for _, content in sorted(by_seed.items())] for variant, by_seed in found.items()}


def _examine(suite: Path, policy_file: Path, images: int, variant: str, found: Sequence[bytes]) -> list[Examined]:
    """Return a variant's verdicts, from the findings of each seed."""
    policy = load_policy(policy_file)
    with _tests(suite, images) as tests:
        by_seed = (findings_of_bytes(content, [test.behavior for test in tests]) for content in found)
        each = zip(tests, zip(*by_seed, strict=True), strict=True)
        return [_examined(variant, test, findings, policy) for test, findings in each]


@contextmanager
def _tests(suite: Path, images: int) -> Iterator[Sequence[BehaviorTest]]:
    """Collect the tests that scenes have cases for, the same in every process."""
    with collected(suite) as all_tests:
        yield fitting(asked(all_tests), _trials(images, 0).source)


def _demand_enough(suite: Path, policy: Policy, images: int) -> None:
    with collected(suite) as all_tests:
        tests = fitting(asked(all_tests), _trials(images, 0).source)
        demand_sound(tests)
        if hopeless := foresee(tests, ahead(_trials(images, 0), {}), policy, METRICS).hopeless():
            raise UsageError(f"{argument('images', images)}: {hopeless[0]}")


@lru_cache(2)  # memory: of seed 0, which says what tests there are, and of the seed that is asked about
def _trials(images: int, seed: int) -> Trials:
    """Return the trials of one seed's scenes; they are made once for all variants."""
    return Trials(open_source(f"scenes:{images}:{seed}"))


def _whole(variant: str, model: ModelUnderTest, test: BehaviorTest) -> Findings:
    findings = model.find(test.behavior, test.metric)
    if broken := findings.broken():
        raise UsageError(f"{argument('variants', variant)}: {test.name}: {broken}")
    return findings


def _examined(variant: str, test: BehaviorTest, found: Sequence[Findings], policy: Policy) -> Examined:
    behavior = found[0].behavior
    rule = policy.of(behavior.name, behavior.bias).rule
    hollow = next((findings.hollow for findings in found if findings.hollow), "")
    together = Findings(behavior, tuple(chain.from_iterable(findings.each for findings in found)), hollow)
    seeds = tuple(findings.verdict(rule) for findings in found)
    return Examined(
        variant=variant,
        bias=behavior.bias,
        behavior=behavior.name,
        metric=test.metric,
        seeds=seeds,
        together=together.verdict(rule),
        caught_at=caught_at(found, rule) if {verdict.status for verdict in seeds} == {"fail"} else None,
    )


def caught_at(found: Sequence[Findings], rule: Rule) -> int | None:
    """Return the least number of images, of FIRST_IMAGES and all, at which all findings fail; None without one.

    Args:
        found: the findings of each seed.
        rule: the rule that judges them.
    """
    asked = max(len(_images(findings)) for findings in found)
    looks = (*(n for n in FIRST_IMAGES if n < asked), asked)
    caught = (n for n in looks if all(_first(findings, n).verdict(rule).status == "fail" for findings in found))
    return next(caught, None)


def _first(findings: Findings, images: int) -> Findings:
    """Return the findings of the first images."""
    keys = set(_images(findings)[:images])
    return replace(findings, each=tuple(one for one in findings.each if one.sample.case.image.key in keys))


def _images(findings: Findings) -> list[str]:
    """Return the images' keys, in the order in which they were asked about."""
    return list(dict.fromkeys(finding.sample.case.image.key for finding in findings.each))
