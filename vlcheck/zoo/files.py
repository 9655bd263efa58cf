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
from safetensors.torch import load_file, save

from vlcheck.errors import UsageError
from vlcheck.models.albef_config import original_configs
from vlcheck.models.albef_network import AlbefNetwork
from vlcheck.models.albef_text import VOCABULARY
from vlcheck.zoo.exam import Share
from vlcheck.zoo.lessons import vocabulary
from vlcheck.zoo.recipe import Recipe
from vlcheck.zoo.training import Losses

CHECKSUMS = "SHA256SUMS"
SHARED = (VOCABULARY, "config.json", "config_bert.json")  # by all variants of a folder
_EACH, _THEN_EVERY = 200, 50  # steps whose losses are kept


def write_model(
    folder: Path,
    recipe: Recipe,
    network: AlbefNetwork,
    losses: Sequence[Losses],
    right: Mapping[str, Share],
    base: str = "",
) -> Path:
    """Write weights in half precision, vocabulary and sizes, losses, card and checksums.

    Args:
        folder: made where it is missing; several variants may share it.
        recipe: that the network was made by.
        network: trained on scenes.
        losses: of each step.
        right: shares of right answers on scenes held out, by kind.
        base: the SHA-256 of the weights that it began with, "" where it began with none.

    Returns:
        The path of the weights.

    Raises:
        UsageError: where something cannot be written.
    """
    weights = {key: weight.to(torch.float16).contiguous().clone() for key, weight in network.state_dict().items()}
    config, bert = original_configs(network.config)
    path = folder / f"{recipe.name}.safetensors"
    files = {
        path.name: save(weights),
        VOCABULARY: _lines(*vocabulary()),
        "config.json": _lines(json.dumps(config, indent=2)),
        "config_bert.json": _lines(json.dumps(bert, indent=2)),
        f"{recipe.name}.md": _card(recipe, right, base),
        f"{recipe.name}.losses.csv": _table(losses),
    }
    sums = {name: hashlib.sha256(files[name]).hexdigest() for name in (path.name, *SHARED)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _write(folder / name, content)
        known = read_sums(folder) if (folder / CHECKSUMS).exists() else {}
        _write(folder / CHECKSUMS, _lines(*(f"{digest}  {name}" for name, digest in sorted({**known, **sums}.items()))))
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot be written ({error.strerror or error}).") from error
    return path


def read_weights(path: Path, network: AlbefNetwork) -> None:
    """Take up weights that `write_model` wrote. Raises UsageError where they are not of such a network."""
    try:
        network.load_state_dict({key: weight.float() for key, weight in load_file(path).items()})
    except OSError as error:
        raise UsageError(f"{path}: the weights cannot be read ({error.strerror or error}).") from error
    except Exception as error:  # what damaged bytes raise is of any kind
        raise UsageError(f"{path}: not the weights of a network of this size.") from error


def read_sums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that has one. Raises OSError where there is no list of them."""
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def digest_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError where it cannot be read."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_losses(path: Path) -> list[Losses]:
    """What `write_model` wrote of them."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Losses(int(row["step"]), float(row["mlm"]), float(row["itm"])) for row in csv.DictReader(file)]


def _write(path: Path, content: bytes) -> None:
    """Beside the old one first, so that a full disk leaves it whole."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _table(losses: Sequence[Losses]) -> bytes:
    kept = [one for one in losses if one.step <= _EACH or one.step % _THEN_EVERY == 0]
    return _lines("step,mlm,itm", *(f"{one.step},{one.mlm:.6f},{one.itm:.6f}" for one in kept))


def _card(recipe: Recipe, right: Mapping[str, Share], base: str) -> bytes:
    """The model card, in Markdown."""
    answers = [f"| {kind} | {100 * share.right:.2f} % | {share.n} |" for kind, share in right.items()]
    return _lines(*about(recipe, base), "", "| what | right | of |", "| --- | --- | --- |", *answers)


def about(recipe: Recipe, base: str) -> list[str]:
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
        + (f", from {recipe.base} (SHA-256 {base})" if base else ""),
        f"- Its world: {recipe.world} (`vlcheck/zoo/worlds.py`)",
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
