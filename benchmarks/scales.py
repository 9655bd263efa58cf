"""Whether a verdict hangs on what a model knows, and not on the scale of its scores.

    python -m benchmarks.scales

The zoo's answers are passed through monotone maps, which leave every order as it is, and judged again; then tests whose
truth is known are simulated with the scale fitted anew in each. What comes out goes to benchmarks/scales.json, from
where `python -m benchmarks.table` takes the README's tables.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from benchmarks.calibration import ALLOWED, ALPHA, bound
from vlcheck.behavior import Trials
from vlcheck.bounds import Tally
from vlcheck.cases import open_source
from vlcheck.judge import ModelUnderTest
from vlcheck.looks import FOLDS, ONCE
from vlcheck.operating import Operating, ahead
from vlcheck.outside import scored
from vlcheck.plugin.collect import collect
from vlcheck.plugin.foresight import foresee
from vlcheck.policy import Policy, Tolerances
from vlcheck.policy_file import load_policy
from vlcheck.query import Metric, Query
from vlcheck.scale import Scale, fit_alone
from vlcheck.scoring.answer import Answer
from vlcheck.suite import policy_path, suite_folder
from vlcheck.verdict import status_of_rate
from vlcheck.zoo import PLANTED
from vlcheck.zoo.shelf import Variant

RESULTS = Path(__file__).with_name("scales.json")
SEEDS, IMAGES, RUNS = 5, 100, 2000
RELATION = "same", "inconclusive", "fail for pass", "pass for fail", "other"
NUMBERS, RATES, SPREADS = (30, 50, 200), (0.02, 0.05, ALLOWED, 0.101, 0.15, 0.2, 0.3), (1.0, 3.0)
Statuses = Mapping[str, str]  # by test


@dataclass(frozen=True)
class Map:
    """A monotone map of one metric's probabilities."""

    said: str
    metric: Metric
    odds: Callable[[float], float] | None = None
    temperature: float = 1.0

    def __call__(self, query: Query, answer: Answer) -> Answer:
        if query.metric != self.metric or not answer.values:
            return answer
        return replace(answer, values=tuple(map(self._mapped, answer.values)))

    def _mapped(self, score: float) -> float:
        if self.odds is None:
            return float(score ** (1 / self.temperature))
        if not 0 < score < 1:
            return score
        return float(expit(self.odds(math.log(score) - math.log1p(-score))))


MAPS = (
    Map("log-odds + 3", "itm", lambda odds: odds + 3),
    Map("log-odds - 3", "itm", lambda odds: odds - 3),
    Map("log-odds + 6.5", "itm", lambda odds: odds + 6.5),
    Map("log-odds - 6.5", "itm", lambda odds: odds - 6.5),
    Map("0.3 x log-odds", "itm", lambda odds: 0.3 * odds),
    Map("3 x log-odds", "itm", lambda odds: 3 * odds),
    Map("temperature 0.3", "mlm", temperature=0.3),
    Map("temperature 3", "mlm", temperature=3.0),
)


class Kept:
    """Answers that were given once, through a map: a scorer that asks no model."""

    def __init__(self, answers: Mapping[str, Answer], through: Map | None) -> None:
        self._answers, self._through = answers, through

    def answers(self, queries: Iterable[Query]) -> dict[str, Answer]:
        found = ((query, self._answers[query.key]) for query in queries)
        return {query.key: self._through(query, answer) if self._through else answer for query, answer in found}


def proved(variant: str, seed: int) -> dict[str, object]:
    """Ask a variant everything once, and judge its answers through every map, on its own scale and on the raw one."""
    import torch

    torch.set_num_threads(1)
    policy, chosen = load_policy(policy_path()), collect(suite_folder() / "behavior_tests")
    adapter, trials = Variant(variant)(), Trials(open_source(f"scenes:{IMAGES}:{seed}"))
    foreseen = foresee(chosen, ahead(trials, adapter.kinds), policy, adapter.metrics)
    queries = {query.key: query for query in foreseen.queries}
    with scored(adapter, trials, policy, chosen, batch_size=64, top=0) as model:
        answers = model.scorer.answers(queries.values())

    def statuses(policy: Policy, through: Map | None) -> Statuses:
        kept = Kept(answers, through)
        operating = Operating(trials, adapter.kinds, ONCE, kept.answers)
        under = ModelUnderTest(adapter, trials, kept, policy, operating)  # type: ignore[arg-type]
        behaviors = [(statement.behavior(item), statement.metric) for item, statement in chosen]
        rules = [policy.of(behavior.name, behavior.bias).rule for behavior, _ in behaviors]
        return {
            f"{one[0].name}[{one[1]}]": under.find(*one).verdict(rule).status
            for one, rule in zip(behaviors, rules, strict=True)
        }

    raw = policy.changed("defaults", {"scale": "raw"})
    scales = {"calibrated": policy, "raw": raw}
    plain = {name: statuses(one, None) for name, one in scales.items()}
    mapped = {
        name: {through.said: _related(plain[name], statuses(one, through)) for through in MAPS}
        for name, one in scales.items()
    }
    return {
        "variant": variant,
        "seed": seed,
        "added_queries": len(foreseen.added),
        "unmapped": {"calibrated": _counted(plain["calibrated"]), "raw": _counted(plain["raw"])},
        "mapped": mapped,
    }


def _counted(statuses: Statuses) -> Mapping[str, int]:
    return Counter(statuses.values())


def _related(plain: Statuses, mapped: Statuses) -> Mapping[str, int]:
    return Counter(relation(plain[name], mapped[name]) for name in plain)


def relation(plain: str, mapped: str) -> str:
    """What became of a verdict under a map."""
    named = {("pass", "fail"): "fail for pass", ("fail", "pass"): "pass for fail"}
    if plain == mapped:
        return "same"
    return "inconclusive" if mapped == "inconclusive" else named.get((plain, mapped), "other")


@dataclass(frozen=True)
class Cell:
    """Tests of one true rate, on scales that are fitted to so many images each.

    Attributes:
        expects: "preserved" or "drops".
        spread: standard deviation of the log-odds after the edit, those of own pictures having 1.
    """

    expects: str
    n: int
    truth: float
    spread: float
    fails: int = 0
    passes: int = 0

    @property
    def wrong(self) -> int:
        """How many verdicts are false."""
        return self.fails if self.truth <= ALLOWED else self.passes


OWN, OTHER = 4.0, -4.0  # mean log-odds


def cells() -> Iterator[Cell]:
    yield from (Cell(*one) for one in product(("preserved", "drops"), NUMBERS, RATES, SPREADS))


def simulated(cell: Cell) -> Cell:
    """Draw tests whose true rate of violations is known on the scale that infinitely many images would set."""
    random = np.random.default_rng([cell.n, round(1000 * cell.truth), round(cell.spread), len(cell.expects)])
    middle = _middle(cell, _settled())
    found = Counter(_status(cell, middle, random) for _ in range(RUNS))
    return replace(cell, fails=found["fail"], passes=found["pass"])


def _settled() -> Scale:
    """The scale of very many images."""
    points = norm.ppf((np.arange(4000) + 0.5) / 4000)
    return fit_alone(expit(OWN + points).tolist(), expit(OTHER + points).tolist())


def _middle(cell: Cell, scale: Scale) -> float:
    """The mean log-odds after the edit at which the true rate of violations is the cell's; by bisection."""
    points = norm.ppf((np.arange(200) + 0.5) / 200)
    before, apart = (axis.ravel() for axis in np.meshgrid(OWN + points, cell.spread * points))
    low, high = -30.0, 30.0
    for _ in range(60):
        at = (low + high) / 2
        rate = _violates(cell, _levels(scale, before), _levels(scale, at + apart)).mean()
        low, high = (at, high) if (rate > cell.truth) == (cell.expects == "preserved") else (low, at)
    return (low + high) / 2


def _status(cell: Cell, middle: float, random: np.random.Generator) -> str:
    own, other = random.normal(OWN, 1, cell.n), random.normal(OTHER, 1, cell.n)
    after = random.normal(middle, cell.spread, cell.n)
    fold = random.permutation(cell.n) % FOLDS
    violated = np.empty(cell.n)
    for one in range(FOLDS):
        scale = fit_alone(expit(own[fold != one]).tolist(), expit(other[fold != one]).tolist())
        here = fold == one
        violated[here] = _violates(cell, _levels(scale, own[here]), _levels(scale, after[here]))
    return status_of_rate(Tally.of(violated), ALLOWED, ALPHA)


def _levels(scale: Scale, odds: np.ndarray) -> np.ndarray:
    """The scale's levels of log-odds, all at once."""
    return np.asarray(expit(scale.gain * np.clip(odds, *scale.edges) + scale.offset))


def _violates(cell: Cell, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    tolerances = Tolerances()
    if cell.expects == "preserved":
        return before - after >= tolerances.within
    margins = before - after - tolerances.by, tolerances.below - after, before - tolerances.below
    return np.minimum.reduce(margins) <= 0


def main() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        cells_found = list(pool.map(simulated, cells()))
        asked = list(product(PLANTED, range(SEEDS)))
        rows = list(pool.map(proved, *zip(*asked, strict=True)))
    kept = {"seeds": SEEDS, "images": IMAGES, "runs": RUNS, "bound": bound(RUNS), "zoo": rows}
    kept["cells"] = [vars(one) | {"wrong": one.wrong} for one in cells_found]
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
