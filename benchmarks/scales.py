"""Whether a verdict depends on what a model knows, and not on the scale of its scores.

    python -m benchmarks.scales

The zoo's answers are passed through monotone maps, which leave every order as it is, and judged again: as the score
kinds that the models have, and as a contrastive model and one that chooses among candidates would give them. Then tests
whose truth is known are simulated with the scale fitted anew in each. What comes out goes to benchmarks/scales.json,
from where `python -m benchmarks.table` writes the table of docs/explanation/calibration.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.calibration import bound
from benchmarks.scale_cells import cells, simulated
from benchmarks.scale_maps import KINDS, MAPS, Kept, Kind, Map, own_queries, unmapped
from vlcheck.behaviors.schedule import ONCE
from vlcheck.behaviors.suite import BehaviorTest, fitting
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.calibration import Operating, ahead
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.evaluation.preview import Foresight, foresee
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.plugin.collect import collect
from vlcheck.policy.policy import Policy
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore
from vlcheck.suite.shipped import policy_path, suite_folder
from vlcheck.zoo import PLANTED
from vlcheck.zoo.pretrained import Variant

RESULTS = Path(__file__).with_name("scales.json")
SEEDS, IMAGES = 5, 100
RELATION = "same", "inconclusive", "fail for pass", "pass for fail", "other"
Statuses = Mapping[str, str]  # by test


@dataclass(frozen=True)
class Posed:
    """The suite's tests of a metric, as they are posed to a model of one score kind.

    Attributes:
        model: says the kind, and is not asked.
        chosen: the tests.
        policies: by the name of the scale that they demand.
    """

    kind: Kind
    model: VisionLanguageModel
    trials: Trials
    chosen: Sequence[BehaviorTest]
    policies: Mapping[str, Policy]

    @cached_property
    def foreseen(self) -> Foresight:
        """All that the tests ask."""
        operating = ahead(self.trials, self.model.kinds, ONCE)
        return foresee(self.chosen, operating, self.policies["calibrated"], {self.kind.metric})

    def statuses(self, kept: Kept) -> dict[str, Statuses]:
        """Judge kept answers on each scale."""
        operating = Operating(self.trials, self.model.kinds, ONCE, kept.answers)
        return {scale: self._judged(kept, operating, policy) for scale, policy in self.policies.items()}

    def _judged(self, kept: Kept, operating: Operating, policy: Policy) -> Statuses:
        under = ModelUnderTest(self.model, self.trials, kept, policy, operating)  # type: ignore[arg-type]
        found = {}
        for test in self.chosen:
            behavior = test.behavior
            rule = policy.of(behavior.name, behavior.bias).rule
            found[f"{behavior.name}[{test.metric}]"] = under.find(behavior, test.metric).verdict(rule).status
        return found


def posed(model: VisionLanguageModel, data: str) -> list[Posed]:
    """Pose the suite to a model as each of the score kinds that its scores can be given as."""
    policy, tests = load_policy(policy_path()), collect(suite_folder() / "behavior_tests").tests
    policies = {"calibrated": policy, "raw": policy.changed("defaults", {"scale": "raw"})}
    source = open_source(data)
    chosen = fitting(tests, source)
    trials = {relative: Trials(source, relative) for relative in (False, True)}

    def as_kind(kind: Kind) -> Posed:
        told = copy(model)
        told.kinds = {**model.kinds, kind.metric: kind.name}
        of_metric = [test for test in chosen if test.metric == kind.metric]
        return Posed(kind, told, trials[kind.relative], of_metric, policies)

    return [as_kind(kind) for kind in KINDS]


def proved(variant: str, seed: int) -> dict[str, object]:
    """Ask a variant everything once, and judge its answers through every map, on its own scale and on the raw one."""
    import torch

    torch.set_num_threads(1)
    model = Variant(variant)()
    suites = posed(model, f"scenes:{IMAGES}:{seed}")
    given, shown = asked(model, (query for suite in suites for query in suite.foreseen.at_most))
    plain: dict[str, dict[str, Statuses]] = {}
    mapped: dict[str, dict[str, Mapping[str, int]]] = {scale: {} for scale in suites[0].policies}
    for suite in suites:
        kind = suite.kind
        plain[kind.name] = suite.statuses(Kept(given, shown, unmapped(kind)))
        for through in maps_of(kind):
            for scale, statuses in suite.statuses(Kept(given, shown, through)).items():
                mapped[scale][through.said] = _related(plain[kind.name][scale], statuses)
    return {
        "variant": variant,
        "seed": seed,
        "added_queries": {suite.kind.name: len(suite.foreseen.added) for suite in suites},
        "unmapped": {name: {scale: _counted(one) for scale, one in found.items()} for name, found in plain.items()},
        "mapped": mapped,
    }


def maps_of(kind: Kind) -> list[Map]:
    """Return the maps of a score kind."""
    return [one for one in MAPS if one.kind == kind]


def asked(model: VisionLanguageModel, queries: Iterable[Query]) -> tuple[dict[str, Answer], frozenset[str]]:
    """Ask a model, as the kind that it is, all that these queries need; return the answers, and what could be shown."""
    own = {one.key: one for query in queries for one in own_queries(query)}
    with TemporaryDirectory() as folder, ScoreStore(Path(folder) / "scores", model.fingerprint) as store:
        scorer = CachedScorer(Scorer(model, batch_size=64, top=0), store, thumbnails=False)
        answers = scorer.answers(own.values())
        pictures = {query.picture.key: query.picture for query in own.values()}
        return answers, frozenset(key for key, picture in pictures.items() if scorer.shows(picture))


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


def main() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        cells_found = list(pool.map(simulated, cells()))
        zoo = list(product(PLANTED, range(SEEDS)))
        rows = list(pool.map(proved, *zip(*zoo, strict=True)))
    kept = {"seeds": SEEDS, "images": IMAGES, "zoo": rows}
    kept["cells"] = [vars(one) | {"wrong": one.wrong, "bound": bound(one.runs)} for one in cells_found]
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
