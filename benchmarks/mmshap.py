"""Time MM-SHAP against the published algorithm at the same standard error, on full-size ALBEF with random weights.

    python -m benchmarks.mmshap

The published algorithm asks each coalition with a forward of its own, of one picture and one text: ten permutations,
forwards and backwards, 10 (2 N + 1) forwards for N tokens and patches. A permutation of it has the variance that a
single permutation has here, since each is uniform. The random weights are scaled so that words and picture move the
score about as much, and together. The figures go to benchmarks/mmshap.json.
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
from vlcheck.cases.selection import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.permutations import Round, adjusted, draw_round, gains
from vlcheck.explain.mm_shap.players import Players, several
from vlcheck.explain.mm_shap.values import CoalitionValues, Forwards
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig

RESULTS = Path(__file__).with_name("mmshap.json")
PUBLISHED = 10  # permutations, each forwards and backwards
SETTINGS = MMShap()
CAPTION = "a red bus on the left side of the road"
SPREAD = 0.04  # standard deviation of the weights
SCALED = {"word_embeddings": 7.5, "crossattention.output.dense": 0.5, "itm_head": 2.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="rounds of permutations that are timed, an even number")
    figures = {"machine": machine(), "text": CAPTION, **measured(random_network(), parser.parse_args().rounds)}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def random_network() -> Differentiable:
    """Full-size ALBEF."""
    with tempfile.TemporaryDirectory() as folder:
        path = random_albef(Path(folder), AlbefConfig(), [CAPTION], spread=SPREAD)
        network = load_model(f"albef:{path}").differentiable()
    with torch.no_grad():
        for name, weight in network.network.named_parameters():
            for part, factor in SCALED.items():
                if part in name:
                    weight.mul_(factor)
    return network


def measured(network: Differentiable, n: int) -> dict[str, object]:
    """The figures of one picture and text, from n rounds."""
    picture = open_source("scenes:1").select(with_target("object"))[0].image.open()
    players = Players.of(network.inputs([picture], [CAPTION]), network.absent_token)
    texts, images = len(players.tokens), len(players.cells)
    single = Steps(network, players, 1, 1)
    rng, game, rounds = np.random.default_rng(0), CoalitionValues(network, players), list[Round]()

    def sample() -> np.ndarray:
        rounds.extend(draw_round(game, rng, texts, images, SETTINGS.per_round) for _ in range(n))
        return adjusted(rounds, texts)

    seconds = timed(sample)
    batched = Steps(network, players, game.batch_size, round(game.forwards.pairs / game.forwards.pictures))
    of_one = np.vstack([_both_ways(gains(one.orders, one.values)) for one in rounds]).var(axis=0, ddof=1).sum()
    plain = np.array([gains(one.orders, one.values).mean(axis=0) for one in rounds]).var(axis=0, ddof=1).sum()
    corrected = adjusted(rounds, texts).var(axis=0, ddof=1).sum()
    needed = PUBLISHED * corrected / of_one  # rounds for the published standard error
    published = PUBLISHED * (2 * (len(players) + 1) + 1) * single.forward  # the published players include CLS
    ours = needed * seconds / n
    alone = Forwards(2 * images - 2, 2 * texts - 2, 2 * len(players) - 2)  # of a permutation and its reverse
    reuse = (2 * (len(players) + 1) + 1) * single.forward / single.floor(alone)
    batching = single.floor(game.forwards) / batched.floor(game.forwards)
    return {
        "players": {"texts": texts, "images": images},
        "seconds": {"published": published, "ours": ours, "one forward": single.forward},
        "rounds": {"timed": n, "needed": needed, "seconds": seconds / n, "forwards": asdict(game.forwards)},
        "standard error": float(np.sqrt(of_one / PUBLISHED / len(players))),
        "faster": published / ours,
        "by": {
            "reuse": reuse,
            "batching": batching,
            "estimator": published / ours / reuse / batching,
            "of which the surrogate": plain / corrected,
        },
        "over the floor": seconds / batched.floor(game.forwards),
        "steps": {"single": asdict(single.seconds), "batched": asdict(batched.seconds)},
    }


def _both_ways(found: np.ndarray) -> np.ndarray:
    """The means of permutations and their reverses."""
    half = len(found) // 2
    return (found[:half] + found[half:]) / 2


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


def _seconds(job: Callable[[], object], times: int = 3) -> float:
    job()  # the first call of a network is slower
    return median(timed(job) for _ in range(times))


if __name__ == "__main__":
    main()
