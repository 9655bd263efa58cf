"""Time MM-SHAP against the published algorithm at the same standard error, on full-size ALBEF with random weights.

    python -m benchmarks.mmshap

The published algorithm asks each coalition with a forward of its own, of one picture and one text: ten permutations,
forwards and backwards, 10 (2 N + 1) forwards for N tokens and patches. Its variance falls as 1 / permutations, so the
permutations are counted that it needs for the standard error that repeated estimates have here. The random weights are
scaled so that words and picture move the score about as much, and together. How far estimates are from the exact
values is measured on `tiny`, which is trained, and small enough to ask all coalitions. The figures go to
benchmarks/mmshap.json, from where `python -m benchmarks.table` writes the tables of docs/explanation/mm-shap.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import torch

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import machine
from vlcheck.cases.selection import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.players import Players, several
from vlcheck.explain.mm_shap.sampling import sample_rounds
from vlcheck.explain.mm_shap.shapley import Game, ShapleyValues, enumerate_coalitions
from vlcheck.explain.mm_shap.share import text_share
from vlcheck.explain.mm_shap.values import TEXTS_PER_PICTURE, CoalitionValues, Forwards
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig

RESULTS = Path(__file__).with_name("mmshap.json")
PUBLISHED = 10  # permutations, each forwards and backwards
SETTINGS = MMShap()
CAPTION = "a red bus on the left side of the road"
SPREAD = 0.04  # standard deviation of the weights
SCALED = {"word_embeddings": 7.5, "crossattention.output.dense": 0.5, "itm_head": 2.5}
SEEDS = 20  # of the estimates that are compared with exact values

Clock = Callable[[], float]
Found = TypeVar("Found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4, help="estimates that are timed, at least 2")
    parser.add_argument("--permutations", type=int, default=8, help="of the published algorithm, at least 2")
    parser.add_argument("--scenes", type=int, default=3, help="pairs of `tiny` with exact values")
    parser.add_argument(
        "--cpu", action="store_true", help="count the seconds of one core, where others use the machine"
    )
    chosen = parser.parse_args()
    if chosen.cpu:
        torch.set_num_threads(1)
    clock = time.process_time if chosen.cpu else time.perf_counter
    figures = {
        "machine": {**machine(), "seconds": "of one core" if chosen.cpu else "of the clock"},
        "text": CAPTION,
        "albef": speed(random_network(), chosen.repeats, chosen.permutations, clock),
        "tiny": [accuracy(*pair, clock) for pair in tiny_pairs(chosen.scenes)],
    }
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


def speed(network: Differentiable, repeats: int, permutations: int, clock: Clock) -> dict[str, object]:
    """The figures of one picture and text.

    Args:
        network: full-size ALBEF.
        repeats: number of estimates.
        permutations: number of permutations from which the published variance is estimated.
        clock: what counts the seconds.
    """
    picture = open_source("scenes:1").select(with_target("object"))[0].image.open()
    players = Players.of(network.inputs([picture], [CAPTION]), network.absent_token)
    texts, images = len(players.tokens), len(players.cells)
    single = Steps(network, players, clock, 1, 1, 1)
    games = [CoalitionValues(network, players) for _ in range(repeats)]
    found = [seconds_of(partial(estimate, game, texts, images, seed), clock) for seed, game in enumerate(games)]
    forwards, batch = games[0].forwards, games[0].batch_size
    batched = Steps(network, players, clock, batch, batch * TEXTS_PER_PICTURE, SETTINGS.per_round)
    ours, phi = median(seconds for _, seconds in found), np.array([values.phi for values, _ in found])
    variance, of_one = total_variance(phi), _published_variance(network, players, permutations)
    needed = of_one / variance
    each = (2 * (len(players) + 1) + 1) * single.forward  # the published players include CLS
    alone = single.floor(Forwards(2 * images - 2, 2 * texts - 2, 2 * len(players) - 2))
    return {
        "players": {"texts": texts, "images": images},
        "seconds": {"published": needed * each, "ours": ours, "one forward": single.forward},
        "permutations": {"drawn": permutations, "for the same standard error": needed},
        "rounds": {"drawn": SETTINGS.fewest_rounds, "repeats": repeats, "forwards": asdict(forwards)},
        "standard error": float(np.sqrt(variance / len(players))),
        "size of a value": float(np.sqrt((phi.mean(axis=0) ** 2).mean())),
        "faster": needed * each / ours,
        "by": {
            "reuse": each / alone,
            "estimator": needed * alone / single.floor(forwards),
            "batching": single.floor(forwards) / batched.floor(forwards),
            "all but forwards": batched.floor(forwards) / ours,
        },
        "a case": _a_case(network, players, clock),
        "steps": {"single": asdict(single.seconds), "batched": asdict(batched.seconds)},
    }


def estimate(game: Game, texts: int, images: int, seed: int) -> ShapleyValues:
    """Estimate the Shapley values of a game from the fewest rounds.

    Args:
        game: the game.
        texts: number of text players.
        images: number of image players.
        seed: seed of the draws.
    """
    first, each = SETTINGS.fewest_rounds, SETTINGS.per_round
    return sample_rounds(game, texts, images, enough=lambda _: True, first=first, per_round=each, seed=seed)


def published(game: Game, players: int, rng: np.random.Generator, permutations: int) -> np.ndarray:
    """Return the published estimates from one permutation each, forwards and backwards: (permutations, players).

    Args:
        game: the game.
        players: number of players.
        rng: the generator of the draws.
        permutations: number of permutations.
    """
    gains = np.empty((permutations, 2, players))
    for both in gains:
        order = rng.permutation(players)
        for found, joining in zip(both, (order, order[::-1]), strict=True):
            present = np.argsort(joining) < np.arange(players + 1)[:, None]
            found[joining] = np.diff(game(present))
    return gains.mean(axis=1)


def total_variance(phi: np.ndarray) -> float:
    """Return the variance of repeated estimates (repeats, players), added up over players."""
    return float(phi.var(axis=0, ddof=1).sum())


def _published_variance(network: Differentiable, players: Players, permutations: int) -> float:
    game, rng = CoalitionValues(network, players), np.random.default_rng(0)
    return total_variance(published(game, len(players), rng, permutations))


def _a_case(network: Differentiable, players: Players, clock: Clock) -> dict[str, float]:
    """The seconds and rounds of a case with the settings of `--vl-explain mmshap`."""
    game, texts, images = CoalitionValues(network, players), len(players.tokens), len(players.cells)
    values, seconds = seconds_of(lambda: SETTINGS.shapley_values(game, texts, images), clock)
    share = text_share(values, texts)
    return {"seconds": seconds, "rounds": len(values.rounds), **share._asdict()}


def tiny_pairs(n: int) -> Iterator[tuple[Differentiable, Players, str]]:
    """Yield pairs of picture and text with the embedded model."""
    network = load_model("tiny").differentiable()
    for case in open_source(f"scenes:{2 * n}").select(with_target("object"))[:n]:
        inputs = network.inputs([case.image.open()], [case.caption])
        yield network, Players.of(inputs, network.absent_token), case.caption


def accuracy(network: Differentiable, players: Players, caption: str, clock: Clock) -> dict[str, object]:
    """The errors of repeated estimates of one pair's values, against the exact ones.

    Args:
        network: a network that is small enough to ask all coalitions.
        players: the players of a pair.
        caption: its text.
        clock: what counts the seconds.
    """
    texts, images, n = len(players.tokens), len(players.cells), len(players)
    game = CoalitionValues(network, players)
    exact = enumerate_coalitions(game, n)
    found = [estimate(game, texts, images, seed) for seed in range(SEEDS)]
    rng = np.random.default_rng(0)
    theirs = [_as_values(published(game, n, rng, PUBLISHED)) for _ in range(SEEDS)]
    stated = float(np.mean([(one.standard_error**2).sum() for one in found]))
    return {
        "text": caption,
        "players": {"texts": texts, "images": images},
        "T-SHAP": text_share(exact, texts).value,
        "published": asdict(errors(theirs, exact, texts)),
        "ours": {**asdict(errors(found, exact, texts)), "stated": (stated / float((exact.phi**2).sum())) ** 0.5},
        "a case": _a_case(network, players, clock),
    }


def _as_values(rounds: np.ndarray) -> ShapleyValues:
    return ShapleyValues(rounds.mean(axis=0), 0.0, 0.0, rounds, exact=False)


@dataclass(frozen=True)
class Errors:
    """The errors of repeated estimates.

    Attributes:
        error: root mean square of the distance from the exact values, as a share of their length.
        bias: the distance of their mean from the exact values, likewise; without bias it is error / sqrt(repeats).
        share: root mean square of the error of T-SHAP.
    """

    error: float
    bias: float
    share: float


def errors(found: list[ShapleyValues], exact: ShapleyValues, texts: int) -> Errors:
    """Return the errors of estimates.

    Args:
        found: repeated estimates.
        exact: the exact values.
        texts: number of text players.
    """
    apart = np.array([one.phi for one in found]) - exact.phi
    length = np.linalg.norm(exact.phi)
    shares = np.array([text_share(one, texts).value for one in found]) - text_share(exact, texts).value
    return Errors(
        float(np.sqrt((apart**2).sum(axis=1).mean()) / length),
        float(np.linalg.norm(apart.mean(axis=0)) / length),
        float(np.sqrt((shares**2).mean())),
    )


class Steps:
    """The seconds of a network's three steps for one picture, one text and one pair.

    Args:
        network: the network.
        players: the players of a pair.
        clock: what counts the seconds.
        pictures: number of pictures that are encoded together.
        texts: number of texts that are read together.
        pairs: number of texts that are asked with one picture together.
    """

    def __init__(
        self, network: Differentiable, players: Players, clock: Clock, pictures: int, texts: int, pairs: int
    ) -> None:
        many, read, asked = (players.copies(n) for n in (pictures, texts, pairs))
        many = type(many)(**{**vars(many), "pixels": many.pixels.clone()})
        with torch.inference_mode():
            states, words = network.image_states(players.copies(1)), network.text_states(asked)
            self.seconds = Seconds(
                _seconds(lambda: network.image_states(many), clock) / pictures,
                _seconds(lambda: network.text_states(read), clock) / texts,
                _seconds(lambda: network.match_logits(asked, several(states, pairs), words), clock) / pairs,
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


def seconds_of(job: Callable[[], Found], clock: Clock) -> tuple[Found, float]:
    """Return what a job returns, and its seconds.

    Args:
        job: the job.
        clock: what counts the seconds.
    """
    began = clock()
    found = job()
    return found, clock() - began


def _seconds(job: Callable[[], object], clock: Clock, times: int = 3) -> float:
    job()  # the first call of a network is slower
    return median(seconds_of(job, clock)[1] for _ in range(times))


if __name__ == "__main__":
    main()
