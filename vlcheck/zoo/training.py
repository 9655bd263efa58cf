"""Trains a recipe; on a given machine the weights are the same each time, also after an interruption."""

from __future__ import annotations

import io
import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vlcheck._util.files import replace_all
from vlcheck._util.foreign_files import demand_file
from vlcheck.errors import UsageError, parameter
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.models.original.albef.network import AlbefNetwork
from vlcheck.zoo.batches import Batch, Pool, draw_pool, make_batch, treatment
from vlcheck.zoo.initial_weights import Base
from vlcheck.zoo.planted_biases import WORLDS
from vlcheck.zoo.recipe import Recipe, checkpoint
from vlcheck.zoo.workspace import reserved, unwritable

WEIGHT_DECAY, BETAS, LARGEST_GRADIENT = 0.02, (0.9, 0.98), 1.0
SPREAD = 0.6  # standard deviation of a linear layer's first weights, in units of 1 / sqrt(inputs)


@dataclass(frozen=True)
class Losses:
    """The losses of one step, in nats."""

    step: int
    mlm: float
    itm: float

    def check(self) -> None:
        """Raise UsageError if a loss is not finite, since no later step would mend it."""
        for head, loss in (("mlm", self.mlm), ("itm", self.itm)):
            if not math.isfinite(loss):
                raise UsageError(
                    f"step {self.step}: the {head} loss is {loss}, which no later step would mend;"
                    f" begin again in another folder ({parameter('to')}), and with other weights if"
                    f" {parameter('base')} named them."
                )


@dataclass(frozen=True)
class Trained:
    """A trained network, in evaluation mode, and the losses of each step."""

    network: AlbefNetwork
    losses: tuple[Losses, ...]


def train(
    recipe: Recipe,
    folder: Path,
    *,
    base: Base | None = None,
    steps: int | None = None,
    every: int = 200,
    tell: Callable[[Losses], None] | None = None,
) -> Trained:
    """Train a recipe; continue from the checkpoint in the folder if there is one.

    Args:
        recipe: the recipe.
        folder: the folder of the checkpoint, which is written atomically; created if it does not exist.
        base: the weights to begin with; random ones if None. A checkpoint that was begun from other weights is refused.
        steps: stop after this many steps; None for all of the recipe's.
        every: steps between checkpoints, at least 1.
        tell: called with the losses of each step.

    Raises:
        UsageError: the folder cannot be written to, is used by another training, or holds files that vlcheck did not
            write; its checkpoint is damaged or of another recipe; or a loss is not finite.
    """
    torch.set_flush_denormal(True)
    path, last = checkpoint(folder, recipe), recipe.last(steps)
    with reserved(folder, recipe):
        training = _Training.begin(recipe, base)
        training.resume(path)
        if training.step < last:
            training.save(path)  # so that the training fails before its first step if the folder cannot be written to
            for losses in training.steps(last):
                if tell:
                    tell(losses)
                if training.step % every == 0 or training.step == last:
                    training.save(path)
        return Trained(training.network.eval(), tuple(training.losses))


def _batches(pool: Pool, recipe: Recipe, steps: range) -> Iterator[Batch]:
    """Yield one batch for each step; the next batch is made on another core meanwhile."""
    treated = treatment(pool, recipe)

    def make(step: int) -> Batch:
        return make_batch(pool, recipe, recipe.stage(step), Random(f"batch {recipe.seed} {step}"), treated)

    with ThreadPoolExecutor(1) as beside:
        coming: deque[Future[Batch]] = deque()
        for step in steps:
            coming.append(beside.submit(make, step))
            if len(coming) > 1:
                yield coming.popleft().result()
        yield from (batch.result() for batch in coming)


@dataclass
class _Training:
    """A training in progress: the network, its optimizer, and the losses of the steps so far."""

    recipe: Recipe
    network: AlbefNetwork
    optimizer: torch.optim.Optimizer
    base: Base | None
    losses: list[Losses] = field(default_factory=list)

    @classmethod
    def begin(cls, recipe: Recipe, base: Base | None) -> _Training:
        network = first_weights(recipe.config, recipe.seed)
        if base:
            base.put_into(network)
        matrices = [weight for weight in network.parameters() if weight.ndim > 1]
        others = [weight for weight in network.parameters() if weight.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
        return cls(recipe, network.train(), torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=BETAS), base)

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return len(self.losses)

    def steps(self, last: int) -> Iterator[Losses]:
        """Take the remaining steps, up to the last."""
        recipe = self.recipe
        pool = draw_pool(f"train {recipe.seed}", recipe.scenes, recipe.config.image_size, WORLDS[recipe.world])
        yield from map(self.take, _batches(pool, recipe, range(self.step, last)))

    def take(self, batch: Batch) -> Losses:
        """Take one step, and return its losses."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(self.step)
        mlm, itm = self._losses(batch)
        losses = Losses(self.step + 1, float(mlm.detach()), float(itm.detach()))
        losses.check()
        self.optimizer.zero_grad()
        torch.autograd.backward(mlm + itm)
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.losses.append(losses)
        return losses

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        embeds = self.network.image_embeds(batch.pixels)
        hidden = self.network.fusion(embeds, batch.ids, batch.attention, batch.images)
        words = self.network.text_encoder.predict(hidden[batch.masked])
        matches = self.network.itm_head(hidden[batch.told, 0])
        return cross_entropy(words, batch.words), cross_entropy(matches, batch.matches)

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        written = io.BytesIO()  # on a full disk, torch.save itself would raise an internal RuntimeError
        torch.save(self._state(), written)
        try:
            replace_all({path: written.getvalue()})
        except OSError as error:
            raise unwritable(path.parent, error) from error

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": asdict(self.recipe),
            "base": self._base,
            "losses": [astuple(losses) for losses in self.losses],
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    @property
    def _base(self) -> str:
        """The SHA-256 of the base, as the checkpoint stores it; "" for none."""
        return self.base.sha256 if self.base else ""

    def resume(self, path: Path) -> None:
        """Load the checkpoint if there is one."""
        if not path.exists():
            return
        demand_file(path)
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            recipe, base, losses = state["recipe"], state["base"], [Losses(*losses) for losses in state["losses"]]
            if recipe == asdict(self.recipe):
                self.network.load_state_dict(state["network"])
                self.optimizer.load_state_dict(state["optimizer"])
        except Exception as error:  # torch.load raises errors of any kind on damaged files
            raise UsageError(f"{path}: not a complete checkpoint; delete it to begin again.") from error
        for what, was, wanted in (("recipe", recipe, asdict(self.recipe)), ("base", base, self._base)):
            if was != wanted:
                raise UsageError(f"{path}: belongs to another {what}; name another folder, or delete it.")
        self.losses = losses


def first_weights(config: AlbefConfig, seed: int) -> AlbefNetwork:
    """Return a network with its first weights.

    Weights are small and normally distributed; positions are fixed sines and cosines. Dropout is off: there are far
    more sentences than a network of this size could learn by heart.

    Args:
        config: the sizes of the network.
        seed: seed of the random numbers.

    Source:
        Positions: Chen et al. 2021, arXiv:2104.02057.
    """
    torch.manual_seed(seed)
    network = AlbefNetwork(config)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=SPREAD / math.sqrt(module.in_features))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Dropout):
            module.p = 0.0
    weights = dict(network.visual_encoder.named_parameters())
    with torch.no_grad():
        nn.init.normal_(weights["cls_token"], std=0.02)
        weights["pos_embed"].zero_()
        weights["pos_embed"][0, 1:] = 0.5 * _waves(config.grid, config.vision_width)
    return network


def _waves(grid: int, width: int) -> Tensor:
    """Return sines and cosines of column and row, (grid * grid, width), after Chen et al. 2021 (arXiv:2104.02057)."""
    rates = 10_000 ** -(torch.arange(width // 4) / (width // 4))
    rows, columns = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    waves = [along.flatten()[:, None] * rates for along in (columns, rows)]
    return torch.cat([wave for angle in waves for wave in (angle.sin(), angle.cos())], dim=1)
