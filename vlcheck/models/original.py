"""Folders of a model's original code: one checkpoint, configs, and weights that have to fit a network in full."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.checkpoint import SUFFIXES


def find_checkpoint(folder: Path) -> Path:
    """The one checkpoint of a folder, whatever its name.

    Raises:
        UsageError: no such folder, no checkpoint in it, or several.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder.")
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"{folder}: has to hold one checkpoint ({', '.join(SUFFIXES)}); it holds: {names}.")
    return found[0]


def read_json(path: Path) -> dict[str, object]:
    """What a config file says; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: has to hold a JSON object.")
    return content


def check_names(family: str, expected: Set[str], found: Set[str]) -> None:
    """Refuse a state dict that has not just the weights of a network of this family (`an ALBEF`)."""
    faults = (("lacks", expected - found), ("has unknown", found - expected))
    complaints = [f"{what} {_some(names)}" for what, names in faults if names]
    if complaints:
        raise UsageError(f"not {family} checkpoint of these sizes: it {' and '.join(complaints)}.")


def check_shapes(expected: Mapping[str, Sequence[int]], weights: Mapping[str, Tensor]) -> None:
    """Refuse a state dict in which a weight has another shape than in the network."""
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise UsageError(f"{name} has shape {tuple(weights[name].shape)} in place of {tuple(shape)}.")


def _some(names: Set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} weights ({shown}, ...)" if len(names) > 3 else shown
