"""How often `vlcheck parity` is wrong, and which planted faults it catches.

    python -m benchmarks.parity errors    # 2,000 simulated pairs at each margin, and tiny against itself with noise
    python -m benchmarks.parity shares    # 200 simulated pairs with a fault in a share of the images
    python -m benchmarks.parity faults    # each planted fault in 20 seeds
    python -m benchmarks.parity same      # tiny against itself, in other batches
    python -m benchmarks.parity chat      # the same faults in small LLaVA checkpoints with random weights, 20 of them
    python -m benchmarks.parity released  # one small LLaVA with an adapter and merged, in fewer bits, and served

The figures go to benchmarks/parity.json, from where `python -m benchmarks.table` takes the tables of
docs/explanation/parity-proof.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from msgspec.structs import replace

import vlcheck
from benchmarks.parity_chat import CHAT_FAULTS, checkpoint
from benchmarks.parity_faults import FAULTS, MILD
from vlcheck.equivalence.comparison import MetricPairs, Pairs, criteria_of
from vlcheck.equivalence.kept import Kept
from vlcheck.equivalence.probes import HYPOTHESES
from vlcheck.equivalence.records import KeptAnswer, KeptCase, ParityReport
from vlcheck.policy.policy import Margins
from vlcheck.stats.equivalence import decide
from vlcheck.zoo.pretrained import tiny

RESULTS = Path(__file__).with_name("parity.json")
RUNS, NOISY_RUNS, SEEDS = 2000, 200, 20
IMAGES = 200
VIEWS = 4
MARGINS = Margins()
FAULTY_SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)  # of images whose answers are wholly wrong
SHARED_IMAGES = (200, 400)
WRONG = 1.0  # difference and fall of the true answer's score where answers are wholly wrong
LEVELS = 100  # of a value in [0, 1]
NOISE = (0.01, 0.05, 0.2)  # standard deviation of the noise of a served score, on its logit
FAULTY_IMAGES, POOL, CHAT_IMAGES = 40, 600, 32
FORMED_IMAGES = 150  # the fewest on which sameness can be shown is 149
SAME_SEEDS = 3  # of the model against itself, on IMAGES
SHORT = MappingProxyType(
    {
        "Pictures of one color are answered alike": "another size, interpolation or crop",
        "Pictures of one color differ": "no edit explains it",
        "that it is shown again": "answers depend on the batch",
        "pictures are mixed up": "pictures are mixed up",
    }
)
Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Ended:
    """The outcomes of the pairs of a cell.

    Attributes:
        what: the criterion at its margin, or the noise.
        shape: how the differences are distributed.
        n: number of images.
        runs: number of pairs.
        same: number of pairs that are called the same.
        different: number of pairs that are called different.
    """

    what: str
    shape: str
    n: int
    runs: int
    same: int
    different: int


@dataclass(frozen=True)
class Caught:
    """The outcomes of a fault in all seeds.

    Attributes:
        model: the model.
        fault: the fault; "" for the same model in other batches.
        n: number of images.
        seeds: number of seeds.
        same: number of seeds in which both models are called the same.
        different: number of seeds in which they are called different.
        causes: number of seeds in which each cause is named.
    """

    model: str
    fault: str
    n: int
    seeds: int
    same: int
    different: int
    causes: Mapping[str, int]


@dataclass(frozen=True)
class Release:
    """The comparison of two forms.

    Attributes:
        a: the first form, in words.
        b: the second form, in words.
        n: number of images.
        status: "same", "different" or "inconclusive".
        changed: the share of changed answers by metric.
        difference: the mean of the largest difference between scores, by metric.
        largest: the largest difference between two scores, by metric.
    """

    a: str
    b: str
    n: int
    status: str
    changed: Mapping[str, float]
    difference: Mapping[str, float]
    largest: Mapping[str, float]


def at_margin(value: float, shape: str) -> Draw:
    """Return a function that draws differences of images, (n,), whose mean is `value`.

    Args:
        value: the mean, in (0, 1).
        shape: "constant"; "two values": 0 or 1; "rare": 0 or 0.5; "skewed": four of five are 0, the others have an
            exponential distribution; "small": all have one.
    """

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        match shape:
            case "constant":
                drawn = np.full(n, value)
            case "two values":
                drawn = (rng.random(n) < value).astype(float)
            case "rare":
                drawn = 0.5 * (rng.random(n) < 2 * value)
            case "skewed":
                drawn = rng.exponential(5 * value, n) * (rng.random(n) < 0.2)
            case _:
                drawn = rng.exponential(value, n)
        return np.minimum(np.floor(drawn * LEVELS + rng.random(n)) / LEVELS, 1.0)

    return draw


def changed(shape: str) -> Draw:
    """Return a function that draws the share of changed views of images, (n,), at the margin.

    Args:
        shape: "whole": all views of an image change together; "apart": each on its own.
    """

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        if shape == "whole":
            return (rng.random(n) < MARGINS.changed).astype(float)
        return rng.binomial(VIEWS, MARGINS.changed, n) / VIEWS

    return draw


def _nothing(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.zeros(n)


SHAPES = ("constant", "two values", "rare", "skewed", "small")


def cells() -> Iterator[tuple[str, str, tuple[Draw, Draw, Draw]]]:
    """Yield each criterion at its margin, and all of them, with how changed, shift and difference are drawn."""
    for shape in ("whole", "apart"):
        yield "changed", shape, (changed(shape), _nothing, _nothing)
    for shape in SHAPES:
        shift = at_margin(MARGINS.shift, shape)
        yield "shift", shape, (_nothing, shift, _nothing)
        yield "difference", shape, (_nothing, _nothing, at_margin(MARGINS.difference, shape))
        yield "all", shape, (changed("apart"), shift, at_margin(MARGINS.difference, shape))


def simulated(what: str, shape: str, draws: Sequence[Draw], n: int = IMAGES, runs: int = RUNS) -> Ended:
    """Count how simulated pairs end whose truth is at a margin: "same" is wrong, and so is "different".

    Args:
        what: the criterion.
        shape: the distribution.
        draws: how changed, shift and difference are drawn.
        n: number of images.
        runs: number of pairs.
    """
    rng = np.random.default_rng([*f"{what} {shape} {n}".encode()])
    ends = Counter(
        decide(criteria_of(np.stack([draw(rng, n) for draw in draws], axis=1).tolist(), MARGINS), MARGINS.alpha)
        for _ in range(runs)
    )
    return Ended(what, shape, n, runs, ends["same"], ends["different"])


def in_share(share: float) -> tuple[Draw, Draw, Draw]:
    """Return how changed, shift and difference are drawn if a share of the images has wholly wrong answers.

    Args:
        share: the share of images that the fault meets, in (0, 1).
    """

    def hit(rng: np.random.Generator, n: int) -> np.ndarray:
        return (rng.random(n) < share).astype(float)

    return hit, lambda rng, n: -WRONG * hit(rng, n), lambda rng, n: WRONG * hit(rng, n)


def together(draws: Sequence[Draw], rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw from several functions with the same random numbers, (n, functions): the same images are met.

    Args:
        draws: the functions.
        rng: the generator.
        n: number of images.
    """
    seed = int(rng.integers(2**63))
    return np.stack([draw(np.random.default_rng(seed), n) for draw in draws], axis=1)


def with_share(share: float, n: int, runs: int = NOISY_RUNS) -> Ended:
    """Count how pairs end if a share of the images has wholly wrong answers.

    Args:
        share: the share, in (0, 1).
        n: number of images.
        runs: number of pairs.
    """
    rng, draws = np.random.default_rng([int(1000 * share), n]), in_share(share)
    rows = (together(draws, rng, n).tolist() for _ in range(runs))
    ends = Counter(decide(criteria_of(row, MARGINS), MARGINS.alpha) for row in rows)
    return Ended(f"{share:g}", "wholly wrong", n, runs, ends["same"], ends["different"])


def with_noise(cases: Sequence[KeptCase], noise: float, runs: int = NOISY_RUNS) -> Ended:
    """Count how a model ends against itself if both its answers have noise, as those of a server have.

    Args:
        cases: its answers, of which each pair takes IMAGES.
        noise: standard deviation of the noise on a score's logit.
        runs: number of pairs.
    """
    rng = np.random.default_rng(int(1000 * noise))
    ends: Counter[str] = Counter()
    for _ in range(runs):
        pairs = Pairs({name: MetricPairs(name, "") for name in ("itm", "mlm")}, MARGINS.tie)
        for at in rng.choice(len(cases), IMAGES, replace=False):
            pairs.add(_noisy(cases[at], noise, rng), _noisy(cases[at], noise, rng))
        ends[decide(pairs.criteria(MARGINS), MARGINS.alpha)] += 1
    return Ended(f"noise {noise:g}", "tiny", IMAGES, runs, ends["same"], ends["different"])


def _noisy(case: KeptCase, noise: float, rng: np.random.Generator) -> KeptCase:
    return replace(case, answers=tuple(_moved(answer, noise, rng) for answer in case.answers))


def _moved(answer: KeptAnswer, noise: float, rng: np.random.Generator) -> KeptAnswer:
    scores = np.array(answer.scores).clip(1e-12, 1 - 1e-12)
    logits = np.log(scores / (1 - scores)) + noise * rng.standard_normal(len(scores))
    return replace(answer, scores=tuple((1 / (1 + np.exp(-logits))).tolist()))


def caught(fault: str, reports: Sequence[ParityReport], model: str, n: int) -> Caught:
    """Count how a fault ends.

    Args:
        fault: its name.
        reports: one a seed.
        model: the model.
        n: number of images.
    """
    ends = Counter(one.status for one in reports)
    causes = Counter(cause for one in reports for cause in {*map(_cause, one.causes)})
    return Caught(model, fault, n, len(reports), ends["same"], ends["different"], dict(causes.most_common()))


def _cause(said: str) -> str:
    """Return a cause without its figures, in a few words."""
    for words, short in SHORT.items():
        if words in said:
            return short
    return next(one.said for one in HYPOTHESES.values() if one.said in said)


def errors() -> None:
    """Measure the error rates."""
    margins = []
    for cell in cells():
        margins.append(simulated(*cell))
        print(margins[-1], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "tiny.parity"
        vlcheck.keep_answers(tiny(), kept, f"scenes:{POOL}")
        cases = [case for case in Kept.open(kept).cases() if not case.probe]
    noise = [with_noise(cases, sd) for sd in NOISE]
    keep({"at_margin": [asdict(one) for one in margins], "noise": [asdict(one) for one in noise]})


def shares() -> None:
    """Measure how a fault in a share of the images ends."""
    ended = [with_share(share, n) for n in SHARED_IMAGES for share in FAULTY_SHARES]
    keep({"shares": [asdict(one) for one in ended]})


def faults() -> None:
    """Measure which faults of tiny are caught, and whether tiny is the same as itself in other batches."""
    model, names = tiny(), {**FAULTS, **MILD}
    reports: dict[str, list[ParityReport]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(SEEDS):
            kept = Path(folder) / f"{seed}.parity"
            vlcheck.keep_answers(model, kept, f"scenes:{FAULTY_IMAGES}:{seed}")
            for name, fault in names.items():
                reports[name].append(vlcheck.parity(kept, fault(model)))
            print(seed, _ends(reports), flush=True)
    each = [caught(name, some, "tiny", FAULTY_IMAGES) for name, some in reports.items()]
    keep({"faults": [asdict(one) for one in each]})


def same() -> None:
    """Measure whether tiny is the same as itself in other batches."""
    model = tiny()
    reports = [vlcheck.parity(model, model, f"scenes:{IMAGES}:{seed}", batch_size_b=5) for seed in range(SAME_SEEDS)]
    keep({"same": [asdict(caught("", reports, "tiny", IMAGES))]})


def chat() -> None:
    """Measure which faults of a generative checkpoint's files are caught, in the seeds that are not stored yet."""
    before = [Caught(**one) for one in json.loads(RESULTS.read_text(encoding="utf-8")).get("chat", ())]
    done = before[0].seeds % SEEDS if before else 0
    found = {one.fault: one for one in before} if done else {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(done, SEEDS):
            kept = Path(folder) / f"{seed}.parity"
            own = checkpoint(Path(folder) / f"seed-{seed}", seed)
            vlcheck.keep_answers(str(own), kept, f"scenes:{CHAT_IMAGES}:{seed}")
            for name, load in CHAT_FAULTS.items():
                now = caught(name, [vlcheck.parity(kept, load(own))], "LLaVA, random", CHAT_IMAGES)
                found[name] = together_with(found[name], now) if name in found else now
            print(seed, *(f"{one.fault} {one.different}/{one.seeds}" for one in found.values()), flush=True)
            keep({"chat": [asdict(one) for one in found.values()]})  # a seed takes half a minute of a core


def together_with(one: Caught, other: Caught) -> Caught:
    """Return the outcomes of a fault in the seeds of both."""
    causes = Counter(one.causes) + Counter(other.causes)
    sums = {name: getattr(one, name) + getattr(other, name) for name in ("seeds", "same", "different")}
    return dataclasses.replace(one, **sums, causes=dict(causes.most_common()))


def in_forms() -> None:
    """Measure whether one model is the same in the forms in which it is released."""
    from benchmarks.parity_released import forms  # imports PEFT

    kept = []
    with tempfile.TemporaryDirectory() as folder, forms(Path(folder)) as pairs:
        for pair in pairs:
            report = vlcheck.parity(*pair.specs, f"scenes:{FORMED_IMAGES}", dtype_b=pair.dtype_b)
            kept.append(asdict(as_released(pair.a, pair.b, report)))
            print(kept[-1], flush=True)
            keep({"released": kept})


def as_released(a: str, b: str, report: ParityReport) -> Release:
    """Return the figures of a report on two forms of a model.

    Args:
        a: the first form, in words.
        b: the second form, in words.
        report: the report.
    """
    changed, difference = (
        {one.metric: each.mean for one in report.metrics for each in one.criteria if each.name == name}
        for name in ("changed", "difference")
    )
    return Release(
        a, b, report.images, report.status, changed, difference, {m.metric: m.largest for m in report.metrics}
    )


def _ends(reports: Mapping[str, Sequence[ParityReport]]) -> str:
    return ", ".join(f"{name} {dict(Counter(one.status for one in each))}" for name, each in reports.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    PARTS[parser.parse_args().part]()


def keep(measured: Mapping[str, object]) -> None:
    """Put figures into the stored ones."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, **measured}, indent=1) + "\n", encoding="utf-8")


def bound(runs: int = RUNS) -> float:
    """The share of false answers that is no more than alpha and three Monte-Carlo standard errors."""
    return MARGINS.alpha + 3 * math.sqrt(MARGINS.alpha * (1 - MARGINS.alpha) / runs)


PARTS = MappingProxyType(
    {"errors": errors, "shares": shares, "faults": faults, "same": same, "chat": chat, "released": in_forms}
)

if __name__ == "__main__":
    main()
