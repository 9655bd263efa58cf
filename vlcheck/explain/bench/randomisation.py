"""The randomisation check: an attribution has to change as the network's weights are shuffled, layer by layer.

Source: Adebayo et al. 2018, "Sanity Checks for Saliency Maps", arXiv:1810.03292, cascading randomisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn

from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import Differentiable, PairInputs

STAGES = 8
UNCHANGED = 0.5  # a mean rank correlation from here on, under weights that are all shuffled, fails the check


@dataclass(frozen=True, eq=False)
class Randomisation:
    """The rank correlations of maps with those of the same pairs under partly shuffled weights.

    Attributes:
        layers: for each stage the lowest module whose weights are shuffled; those above it are shuffled as well. In the
            last stage all weights of the network are.
        correlations: Spearman's rank correlation over the patches or regions, (stages, pairs).
    """

    layers: tuple[str, ...]
    correlations: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """The mean correlation over pairs at each stage, (stages,)."""
        means: np.ndarray = self.correlations.mean(axis=1)
        return means

    @property
    def sane(self) -> bool:
        """True if the maps have changed when all weights are shuffled: their mean correlation is below UNCHANGED."""
        return bool(self.means[-1] < UNCHANGED)


def randomisation(
    model: Differentiable,
    method: AttributionMethod,
    inputs: PairInputs,
    *,
    stages: int = STAGES,
    seed: int = 0,
    batch_size: int = 16,
) -> Randomisation:
    """Shuffle the network's weights from the output down to the input, and compare the maps with the original ones.

    The entries of each weight are shuffled, so that its distribution stays. The network has its own weights again when
    the function returns or raises.

    Args:
        model: the network.
        method: the method.
        inputs: n pairs, all with words or all without.
        stages: number of stages; each shuffles as many modules.
        seed: the seed of the shuffles.
        batch_size: number of pairs that are explained together.

    Raises:
        NotApplicable: the method does not apply to the network.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = _from_the_top(model, inputs[[0]])
    original = _units(model, method, inputs, batch_size)
    names, correlations = [], []
    with _restored(model.network):
        for part in np.array_split(np.arange(len(layers)), min(stages, len(layers))):
            for name in layers[part[0] : part[-1] + 1]:
                _shuffle(model.network.get_submodule(name), generator)
            names.append(layers[part[-1]])
            changed = _units(model, method, inputs, batch_size)
            correlations.append([_rank_correlation(*maps) for maps in zip(original, changed, strict=True)])
    return Randomisation(tuple(names), np.array(correlations))


def _from_the_top(model: Differentiable, inputs: PairInputs) -> list[str]:
    """Return the modules with weights of their own, the last one that is called first; those never called come last."""
    holders = {name: module for name, module in model.network.named_modules() if [*module.parameters(recurse=False)]}
    called: dict[str, None] = {}
    hooks = [
        module.register_forward_hook(lambda *_, name=name: called.setdefault(name)) for name, module in holders.items()
    ]
    try:
        with torch.no_grad():
            objective(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return [*reversed(called), *(name for name in reversed(holders) if name not in called)]


@contextmanager
def _restored(network: nn.Module) -> Iterator[None]:
    """Give a network its weights back when the context ends."""
    kept = [(weight, weight.detach().clone()) for weight in network.parameters()]
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, own in kept:
                weight.copy_(own)


@torch.no_grad()
def _shuffle(module: nn.Module, generator: torch.Generator) -> None:
    for weight in module.parameters(recurse=False):
        order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
        weight.copy_(weight.flatten()[order].view_as(weight))


@torch.enable_grad()
def _units(
    model: Differentiable, method: AttributionMethod, inputs: PairInputs, batch_size: int
) -> Sequence[np.ndarray]:
    rows = range(len(inputs))
    return [
        units.detach().double().cpu().numpy()
        for start in rows[::batch_size]
        for units in method.maps(model, inputs[rows[start : start + batch_size]]).units
    ]


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's correlation of two maps; if a map has a single value, 1 for equal maps and 0 for others."""
    first, second = (ranks - ranks.mean() for ranks in (rankdata(one), rankdata(other)))
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / scale if scale else float(np.array_equal(one, other))
