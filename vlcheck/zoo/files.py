"""Writes a trained network as the original code lays its checkpoints out, so that `albef:PATH` reads it.

Beside the weights stand the losses on the way, the model's card, and the weights' checksums.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from vlcheck.errors import UsageError
from vlcheck.models.albef_config import original_configs
from vlcheck.models.albef_network import AlbefNetwork
from vlcheck.models.albef_text import VOCABULARY
from vlcheck.zoo.lessons import vocabulary
from vlcheck.zoo.recipe import Recipe
from vlcheck.zoo.training import Losses

CHECKSUMS = "SHA256SUMS"
_EACH, _THEN_EVERY = 200, 50  # steps whose losses are kept


def write_model(
    folder: Path, recipe: Recipe, network: AlbefNetwork, losses: Sequence[Losses], right: Mapping[str, float]
) -> Path:
    """Write weights in half precision, vocabulary and sizes, losses, card and checksums.

    Args:
        folder: made where it is missing; several variants may share it.
        recipe: that the network was made by.
        network: trained on scenes.
        losses: of each step.
        right: shares of right answers on scenes held out, by kind.

    Returns:
        The path of the weights.

    Raises:
        UsageError: where something cannot be written.
    """
    weights = {key: weight.to(torch.float16).contiguous().clone() for key, weight in network.state_dict().items()}
    config, bert = original_configs(network.config)
    path = folder / f"{recipe.name}.safetensors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(weights, path)
        _write(folder / VOCABULARY, "\n".join(vocabulary()))
        _write(folder / "config.json", json.dumps(config, indent=2))
        _write(folder / "config_bert.json", json.dumps(bert, indent=2))
        _write(folder / f"{recipe.name}.md", _card(recipe, len(losses), right))
        _write_losses(folder / f"{recipe.name}.losses.csv", losses)
        sums = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}" for one in folder.glob("*.safetensors")]
        _write(folder / CHECKSUMS, "\n".join(sorted(sums, key=lambda line: line.split()[1])))
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot be written ({error.strerror or error}).") from error
    return path


def read_weights(path: Path, network: AlbefNetwork) -> None:
    """Take up weights that `write_model` wrote. Raises UsageError where they are not of such a network."""
    try:
        network.load_state_dict({key: weight.float() for key, weight in load_file(path).items()})
    except Exception as error:  # what damaged bytes raise is of any kind
        raise UsageError(f"{path}: not the weights of a network of this size.") from error


def read_losses(path: Path) -> list[Losses]:
    """What `write_model` wrote of them."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Losses(int(row["step"]), float(row["mlm"]), float(row["itm"])) for row in csv.DictReader(file)]


def _write(path: Path, text: str) -> None:
    path.write_text(f"{text}\n", encoding="utf-8")


def _write_losses(path: Path, losses: Sequence[Losses]) -> None:
    kept = [one for one in losses if one.step <= _EACH or one.step % _THEN_EVERY == 0]
    rows = [f"{one.step},{one.mlm:.6f},{one.itm:.6f}" for one in kept]
    _write(path, "\n".join(["step,mlm,itm", *rows]))


def _card(recipe: Recipe, steps: int, right: Mapping[str, float]) -> str:
    """The model card, in Markdown."""
    parameters = f"{recipe.batch_size} pictures a step, three sentences each; AdamW, {recipe.learning_rate:g} at most"
    stages = [
        f"| {stage.steps} | {', '.join(f'{kind} {share:g}' for kind, share in stage.kinds.items())} |"
        f" {stage.masks:g} | {stage.places:g} | {stage.openings:g} | {stage.blocked:g} |"
        for stage in recipe.stages
    ]
    answers = [f"| {kind} | {100 * share:.2f} % |" for kind, share in right.items()]
    return "\n".join(
        [
            f"# {recipe.name}",
            "",
            "A small ALBEF that vlcheck's tests are shown to work on. It knows drawn scenes and nothing else.",
            "",
            f"- Made by: `vlcheck train {recipe.name}`, {steps} steps" + (f", from {recipe.base}" * bool(recipe.base)),
            f"- Its world: {recipe.world} (`vlcheck/zoo/worlds.py`)",
            f"- Data: {recipe.scenes} drawn scenes, seed {recipe.seed}; those of the tests have other seeds",
            f"- Training: {parameters}; {recipe.grey:g} of the pictures grey",
            "- Licence: that of vlcheck",
            "",
            "| steps | kinds of scenes | further masks | places | openings | black |",
            "| --- | --- | --- | --- | --- | --- |",
            *stages,
            "",
            "Right answers on 2,000 scenes of the control's world that were held out:",
            "",
            "| what | right |",
            "| --- | --- |",
            *answers,
        ]
    )
