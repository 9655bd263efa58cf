"""Writes a trained network as the original code lays its checkpoints out, so that `albef:PATH` reads it.

Beside the weights stand the losses on the way, the model's card, and the weights' checksums.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from filelock import FileLock
from safetensors.torch import save
from torch import Tensor

from vlcheck._util.files import replace_all
from vlcheck.errors import UsageError
from vlcheck.models.original.albef.network import AlbefNetwork
from vlcheck.zoo.initial_weights import Base, not_finite
from vlcheck.zoo.recipe import Recipe
from vlcheck.zoo.training import Losses
from vlcheck.zoo.validation import Share
from vlcheck.zoo.workspace import CHECKSUMS, SHARED, checksums, lines, owned_sums, sha256, shared, unwritable

_EACH, _THEN_EVERY = 200, 50  # steps whose losses are kept
_PATIENCE = 60  # seconds that another variant is given to be written to the folder


def write_model(
    folder: Path,
    recipe: Recipe,
    network: AlbefNetwork,
    losses: Sequence[Losses],
    right: Mapping[str, Share],
    base: Base | None = None,
) -> Path:
    """Write weights in half precision, vocabulary and sizes, losses, card and checksums.

    Args:
        folder: made where it is missing; several variants may share it.
        recipe: that the network was made by.
        network: trained on scenes.
        losses: of each step.
        right: shares of right answers on scenes held out, by kind.
        base: the weights that it began with, None where it began with none.

    Returns:
        The path of the weights.

    Raises:
        UsageError: weights are not finite, something cannot be written, or would overwrite files of others.
    """
    path = folder / f"{recipe.name}.safetensors"
    common = shared(network.config)
    files = {
        path.name: save(_halved(network, recipe)),
        **common,
        f"{recipe.name}.md": _card(recipe, right, base),
        f"{recipe.name}.losses.csv": _table(losses),
    }
    summed = {name: sha256(files[name]) for name in (path.name, *SHARED)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{CHECKSUMS}.lock", timeout=_PATIENCE):
            sums = checksums(owned_sums(folder, common) | summed)
            replace_all({folder / name: content for name, content in (*files.items(), (CHECKSUMS, sums))})
    except OSError as error:
        raise unwritable(folder, error) from error
    return path


def _halved(network: AlbefNetwork, recipe: Recipe) -> dict[str, Tensor]:
    """The weights as they are kept."""
    weights = {key: weight.to(torch.float16).contiguous().clone() for key, weight in network.state_dict().items()}
    for key in not_finite(weights):
        raise UsageError(f"{recipe.name}: {key} is not finite in half precision; such weights are not written.")
    return weights


def read_losses(path: Path) -> list[Losses]:
    """What `write_model` wrote of them."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Losses(int(row["step"]), float(row["mlm"]), float(row["itm"])) for row in csv.DictReader(file)]


def _table(losses: Sequence[Losses]) -> bytes:
    kept = [one for one in losses if one.step <= _EACH or one.step % _THEN_EVERY == 0]
    return lines("step,mlm,itm", *(f"{one.step},{one.mlm:.6f},{one.itm:.6f}" for one in kept))


def _card(recipe: Recipe, right: Mapping[str, Share], base: Base | None) -> bytes:
    """The model card, in Markdown."""
    answers = [f"| {kind} | {100 * share.right:.2f} % | {share.n} |" for kind, share in right.items()]
    return lines(*about(recipe, base), "", "| what | right | of |", "| --- | --- | --- |", *answers)


def about(recipe: Recipe, base: Base | None) -> list[str]:
    """The card's lines before what the variant knows."""
    parameters = f"{recipe.batch_size} pictures a step, three sentences each; AdamW, {recipe.learning_rate:g} at most"
    stages = [
        f"| {stage.steps} | {', '.join(f'{kind} {share:g}' for kind, share in stage.kinds.items())} |"
        f" {stage.masks:g} | {stage.places:g} | {stage.openings:g} | {stage.blocked:g} |"
        for stage in recipe.stages
    ]
    return [
        f"# {recipe.name}",
        "",
        "A small ALBEF that vlcheck's tests are shown to work on. It knows drawn scenes and nothing else.",
        "",
        f"- Made by: `vlcheck train {recipe.name}`, {recipe.steps} steps"
        + (f", from {base.name} (SHA-256 {base.sha256})" if base else ""),
        f"- Its world: {recipe.world} (`vlcheck/zoo/planted_biases.py`)",
        f"- Data: {recipe.scenes} drawn scenes, seed {recipe.seed}; those of the tests have other seeds",
        f"- Training: {parameters}; {recipe.grey:g} of the pictures grey",
        "- Licence: that of vlcheck",
        "",
        "| steps | kinds of scenes | further masks | places | openings | black |",
        "| --- | --- | --- | --- | --- | --- |",
        *stages,
        "",
        "Right answers on scenes of the control's world that were held out:",
    ]
