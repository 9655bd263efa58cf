"""Architectures that transformers maps to a task: a checkpoint of one loads without a family of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
)

from vlcheck.errors import UsageError
from vlcheck.models.loading.refused import REFUSED

MAPPED: Mapping[str, Mapping[str, str]] = {
    "image-text-to-text": MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    # It has all of the former, too, which is asked first.
    "multimodal-lm": MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
}


def check_type(config: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of a type that cannot be asked about a picture, whatever its architecture is.

    Args:
        config: the content of config.json, with one architecture.

    Raises:
        UsageError: its type is refused.
    """
    (architecture,), kind = config["architectures"], str(config.get("model_type"))
    if kind in REFUSED:
        raise UsageError(f"{architecture} of model type {kind} is refused: {REFUSED[kind]}.")


def maps(kind: str, architecture: str) -> bool:
    """Return True if transformers maps a type of models to an architecture.

    Args:
        kind: the type.
        architecture: the name of a class.
    """
    return any(named.get(kind) == architecture for named in MAPPED.values())


def mapped_loader(config: Mapping[str, Any], loaders: Mapping[str, EntryPoint], families: Iterable[str]) -> EntryPoint:
    """Return the loader of the task that transformers maps the architecture of a checkpoint to.

    Args:
        config: the content of config.json, with one architecture.
        loaders: task -> its loader.
        families: names of families, for the message.

    Raises:
        UsageError: transformers maps the architecture to none of the tasks.
    """
    (architecture,), kind = config["architectures"], str(config.get("model_type"))
    of_kind = {task: named[kind] for task, named in MAPPED.items() if task in loaders and kind in named}
    for task, named in of_kind.items():
        if named == architecture:
            return loaders[task]
    known = ", ".join(sorted(name for name in families if name[0].isupper()))
    other = "".join(f" Of its model type {kind}, {named} is one of {task}." for task, named in of_kind.items())
    raise UsageError(
        f"{architecture} is not an architecture that vlcheck knows.{other} Known: {known}, and those that transformers"
        f" maps to {', '.join(loaders)}."
    )
