"""Time MM-SHAP against the published algorithm at the same standard error, on full-size ALBEF with random weights.

    python -m benchmarks.mmshap

The published algorithm asks each coalition with a forward of its own, of one picture and one text: ten permutations,
forwards and backwards, 10 (2 N + 1) forwards for N tokens and patches. A permutation of it has the variance that a
single permutation has here, since each is uniform. The figures go to benchmarks/mmshap.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import machine, timed
from vlcheck.cases import Case
from vlcheck.cases.selection import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.permutations import draw_orders, gains
from vlcheck.explain.mm_shap.players import Players, several
from vlcheck.explain.mm_shap.values import CoalitionValues, Forwards
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig

RESULTS = Path(__file__).with_name("mmshap.json")
PUBLISHED = 10  # permutations, each forwards and backwards
SETTINGS = MMShap()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="rounds of permutations that are timed")
    parser.add_argument("--spread", type=float, default=0.05, help="standard deviation of the random weights")
    chosen = parser.parse_args()
    case = open_source("scenes:1").select(with_target("object"))[0]
    text = case.caption
    with tempfile.TemporaryDirectory() as folder:
        path = random_albef(Path(folder), AlbefConfig(), [text], spread=chosen.spread)
        network = load_model(f"albef:{path}").differentiable()
    figures = {"machine": machine(), "text": text, **measured(network, case, chosen.rounds)}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def measured(network: Differentiable, case: Case, rounds: int) -> dict[str, object]:
    """The figures of one case."""
    players = Players.of(network.inputs([case.image.open()], [case.caption]), network.absent_token)
    texts, images = len(players.tokens), len(players.cells)
    single = Steps(network, players, 1, 1)
    rng = np.random.default_rng(0)
    CoalitionValues(network, players)(np.ones((1, len(players)), dtype=bool))  # the first call of a network is slower
    game = CoalitionValues(network, players)
    found: list[np.ndarray] = []
    seconds = timed(
        lambda: found.extend(gains(game, draw_orders(rng, texts, images, SETTINGS.per_round)) for _ in range(rounds))
    )
    batched = Steps(network, players, game.batch_size, round(game.forwards.pairs / game.forwards.pictures))
    pairs = np.array([(half[: len(half) // 2] + half[len(half) // 2 :]) / 2 for half in found])  # of one permutation
    of_one = pairs.reshape(-1, len(players)).var(axis=0, ddof=1).sum()
    of_round = pairs.mean(axis=1).var(axis=0, ddof=1).sum()
    needed = PUBLISHED * of_round / of_one  # rounds for the published standard error
    published = PUBLISHED * (2 * (len(players) + 1) + 1) * single.forward
    alone = Forwards(2 * images - 2, 2 * texts - 2, 2 * len(players) - 2)  # a permutation and its reverse
    reuse = (2 * len(players) + 1) * single.forward / single.floor(alone)
    batching = single.floor(game.forwards) / batched.floor(game.forwards)
    ours = needed * seconds / rounds
    return {
        "players": {"texts": texts, "images": images},
        "seconds": {"published": published, "ours": ours, "one forward": single.forward},
        "rounds": {"timed": rounds, "needed": needed, "seconds": seconds / rounds, "asked": asdict(game.forwards)},
        "standard_error": {"phi": float(np.sqrt(of_one / PUBLISHED / len(players)))},
        "faster": published / ours,
        "by": {"reuse": reuse, "batching": batching, "estimator": published / ours / reuse / batching},
        "over_floor": seconds / batched.floor(game.forwards),
        "steps": {"single": asdict(single.seconds), "batched": asdict(batched.seconds)},
    }


class Steps:
    """The seconds of a network's three steps for one picture, one text and one pair.

    Args:
        network: the network.
        players: the players of a pair.
        pictures: number of pictures that are encoded together.
        texts: number of texts that are asked with one picture together.
    """

    def __init__(self, network: Differentiable, players: Players, pictures: int, texts: int) -> None:
        many, asked = players.copies(pictures), players.copies(texts)
        many = type(many)(**{**vars(many), "pixels": many.pixels.clone()})
        with torch.inference_mode():
            states, read = network.image_states(players.copies(1)), network.text_states(asked)
            self.seconds = Seconds(
                _seconds(lambda: network.image_states(many)) / pictures,
                _seconds(lambda: network.text_states(asked)) / texts,
                _seconds(lambda: network.match_logits(asked, several(states, texts), read)) / texts,
            )

    @property
    def forward(self) -> float:
        """The seconds of all three steps."""
        return self.seconds.picture + self.seconds.text + self.seconds.pair

    def floor(self, of: Forwards) -> float:
        """The seconds of the forwards that no reuse can spare."""
        each = self.seconds
        return of.pictures * each.picture + of.texts * each.text + of.pairs * each.pair


@dataclass(frozen=True)
class Seconds:
    """Seconds for one picture, one text and one pair."""

    picture: float
    text: float
    pair: float


def _seconds(job: Callable[[], object], times: int = 5) -> float:
    return median(timed(job) for _ in range(times))


if __name__ == "__main__":
    main()
