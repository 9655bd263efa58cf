"""Folders as transformers saves them: files that weights are read from, and files that would contradict them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from vlcheck._util.numbers import verb
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import SUFFIXES, read_checkpoint
from vlcheck.models.loading.documents import INDEX, check_one_view
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG, CONFIG, GGUF, NO_GGUF, inner_checkpoints
from vlcheck.models.loading.layout import read_optional_json
from vlcheck.models.loading.weight_copies import check_copies

# Files that transformers looks for, in its order. It reads the first that exists, even if another is newer.
_ENTRIES = ("model.safetensors", f"model.safetensors{INDEX}", "pytorch_model.bin", f"pytorch_model.bin{INDEX}")
_ADAPTERS = re.compile(r"adapter_(config\.json|model\..*)|pytorch_(adapter|lora_weights)\..*|adapters?\.safetensors")
# Files that other tools write for quantized weights, in place of config.json's "quantization_config".
_QUANTIZED = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")


def check_files(folder: Path, config: Mapping[str, object], used: Collection[Path] = ()) -> dict[str, torch.dtype]:
    """Check that no file in a folder contains other weights than those that transformers reads.

    Args:
        folder: a folder as transformers saves it. Folders in it are ignored.
        config: the content of its config.json.
        used: files in it that are read for another purpose.

    Returns:
        The number formats of the weights that are read, by name.

    Raises:
        UsageError: there is an adapter; weights are missing; another file contains other weights; or a link is broken.
    """
    check_links(folder)
    check_no_adapter(folder)
    _check_not_quantized(folder, config)
    check_one_view(folder)
    entry = _entry(folder, config)
    files = _read_for(entry)
    weights = _together(files)
    check_copies(folder, entry.name, weights, {*files, *used})
    return {name: weight.dtype for name, weight in weights.items()}


def weight_files(folder: Path, config: Mapping[str, object]) -> list[Path]:
    """Return the files that transformers reads weights from.

    Args:
        folder: a folder as transformers saves it.
        config: the content of its config.json, which may name the file of weights.
    """
    return _read_for(_entry(folder, config))


def check_no_adapter(folder: Path) -> None:
    """Refuse an adapter beside a model: transformers reads it only if peft is installed. Raises UsageError."""
    found = sorted(path for path in folder.iterdir() if _ADAPTERS.fullmatch(path.name))
    if found:
        base = read_optional_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        names = ", ".join(path.name for path in found)
        beside = f", beside the whole model in {folder}: which of both is meant?" if holds_model(folder) else "."
        raise UsageError(
            f"{found[0]}: an adapter{f' of {base}' if base else ''}{beside} Move {names} to a folder ADAPTER of its own"
            f" and name {folder}+ADAPTER for both; where the weights are merged already, remove {names}."
        )


def holds_model(folder: Path) -> bool:
    """Return True if a folder has the config and the weights of a whole model."""
    return (folder / CONFIG).is_file() and any((folder / name).is_file() for name in _ENTRIES)


def check_links(folder: Path) -> None:
    """Refuse a link to a file that does not exist."""
    if broken := next((path for path in sorted(folder.iterdir()) if not path.exists()), None):
        raise UsageError(f"{broken}: a link to {broken.readlink()}, which is not there: fetch it, or remove the link.")


def _check_not_quantized(folder: Path, config: Mapping[str, object]) -> None:
    said = next((name for name in _QUANTIZED if (folder / name).is_file()), None)
    if said and not config.get("quantization_config"):
        raise UsageError(
            f'{folder / said}: says that the weights are quantized, and {CONFIG} has no "quantization_config", from'
            " which transformers knows how they are read. Add it, or name the folder of the weights as they were."
        )


def _entry(folder: Path, config: Mapping[str, object]) -> Path:
    """Return the file of weights, or the index of several, that transformers reads."""
    said = config.get("transformers_weights")
    if not isinstance(said, str | None):
        raise UsageError(
            f'{folder / CONFIG}: "transformers_weights" is {said!r}; it has to be the name of a file of weights.'
        )
    names = (said,) if said else _ENTRIES
    if found := next((folder / name for name in names if (folder / name).is_file()), None):
        return found
    other = sorted(path.name for path in folder.iterdir() if _is_like_weights(path, names))
    if any(name.endswith(GGUF) for name in other):
        raise UsageError(f"{folder}: no weights that transformers reads, but {', '.join(other)}. {NO_GGUF}")
    held = f"It holds {', '.join(other)}: save it again, or give a variant one of these names." if other else ""
    raise UsageError(
        f"{folder}: no weights; accepted: {', '.join(names)}. {held or inner_checkpoints(folder)}".rstrip()
    )


def _is_like_weights(path: Path, names: Collection[str]) -> bool:
    """Return True for a weight file of any library, or for one of `names` in other upper or lower case."""
    return path.suffix in (*SUFFIXES, ".h5", ".msgpack", GGUF) or path.name.lower() in {name.lower() for name in names}


def _read_for(entry: Path) -> list[Path]:
    """Return the files that transformers reads for an entry. An index beside a whole file must name existing files."""
    if entry.name.endswith(INDEX):
        return _shards(entry)
    if (beside := entry.with_name(entry.name + INDEX)).is_file():
        _shards(beside)
    return [entry]


def _shards(index: Path) -> list[Path]:
    names = sorted({*_places(index).values()})
    if absent := [name for name in names if not (index.parent / name).is_file()]:
        raise UsageError(
            f"{index}: names {', '.join(absent)}, which {verb(len(absent), 'is', 'are')} not there. Fetch or save"
            " the checkpoint again; remove the index where another file holds all weights."
        )
    return [index.parent / name for name in names]


def _places(index: Path) -> dict[str, str]:
    """Return the file that holds each weight, by the weight's name."""
    places = read_optional_json(index).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(name, str) for name in places.values()):
        raise UsageError(f'{index}: has to say under "weight_map" which file holds which weight.')
    return places


def _together(files: Sequence[Path]) -> dict[str, Tensor]:
    """Return the weights of all files, mapped from disk."""
    weights: dict[str, Tensor] = {}
    origin: dict[str, Path] = {}
    for file in files:
        checkpoint = read_checkpoint(file)
        if checkpoint.wrapper:
            raise UsageError(
                f"{file}: its weights are under {checkpoint.wrapper!r}, where transformers does not look: save only the"
                " content of this key."
            )
        if twice := next((name for name in checkpoint.weights if name in weights), None):
            raise UsageError(f"{file}: holds {twice}, as {origin[twice].name} does. Save the checkpoint again.")
        weights |= checkpoint.weights
        origin |= dict.fromkeys(checkpoint.weights, file)
    return weights
