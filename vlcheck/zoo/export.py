"""Writes a trained network in the checkpoint format of ALBEF's original code, so that `albef:PATH` reads it.

Beside the weights it writes the training losses, a model card, and the checksums of the weights.
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
from vlcheck.zoo.workspace import CHECKSUMS, SHARED, as_lines, checksums, owned_sums, sha256, shared, unwritable

_EACH, _THEN_EVERY = 200, 50  # the losses of each of the first 200 steps are written, then those of every 50th step
_PATIENCE = 60  # seconds to wait while another variant is written to the folder


def write_model(
    folder: Path,
    recipe: Recipe,
    network: AlbefNetwork,
    losses: Sequence[Losses],
    right: Mapping[str, Share],
    base: Base | None = None,
) -> Path:
    """Write weights in half precision, vocabulary and sizes, losses, model card and checksums.

    Args:
        folder: created if it does not exist; several variants may share it.
        recipe: the recipe that the network was trained by.
        network: the trained network.
        losses: the losses of each step.
        right: shares of right answers on held-out scenes, by kind of question.
        base: the weights that the training began with; None for random ones.

    Returns:
        The path of the weights.

    Raises:
        UsageError: weights are not finite, a file cannot be written, or would replace a file that vlcheck did not
            write.
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
    """Return the weights in half precision. Raises UsageError if one is not finite."""
    weights = {key: weight.to(torch.float16).contiguous().clone() for key, weight in network.state_dict().items()}
    for key in not_finite(weights):
        raise UsageError(f"{recipe.name}: {key} is not finite in half precision; such weights are not written.")
    return weights


def read_losses(path: Path) -> list[Losses]:
    """Read the losses that `write_model` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Losses(int(row["step"]), float(row["mlm"]), float(row["itm"])) for row in csv.DictReader(file)]


def _table(losses: Sequence[Losses]) -> bytes:
    kept = [one for one in losses if one.step <= _EACH or one.step % _THEN_EVERY == 0]
    return as_lines("step,mlm,itm", *(f"{one.step},{one.mlm:.6f},{one.itm:.6f}" for one in kept))


def _card(recipe: Recipe, right: Mapping[str, Share], base: Base | None) -> bytes:
    """Return the model card, in Markdown."""
    answers = [f"| {kind} | {100 * share.right:.2f} % | {share.n} |" for kind, share in right.items()]
    return as_lines(*about(recipe, base), "", "| what | right | of |", "| --- | --- | --- |", *answers)


def about(recipe: Recipe, base: Base | None) -> list[str]:
    """Return the model card's lines before the table of right answers.

    Args:
        recipe: the recipe.
        base: the weights that the training began with; None for random ones.
    """
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
        *([f"- Its cure: {', '.join(recipe.cure)} (`vlcheck/zoo/cures.py`)"] if recipe.cure else []),
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
