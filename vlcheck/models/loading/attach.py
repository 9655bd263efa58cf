"""Attach an adapter to its base with PEFT, so that every weight of the adapter is read and none is drawn by lot."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightRenaming, rename_source_key

from vlcheck.errors import UsageError, printable
from vlcheck.models.loading.adapter import PeftAdapter
from vlcheck.models.loading.extents import filled_by
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG
from vlcheck.models.loading.layout import naming
from vlcheck.models.loading.misfits import check_formats, some
from vlcheck.models.loading.packages import is_there

EXTRA = "adapters"
_PATTERNS = ("rank_pattern", "alpha_pattern")  # names of layers -> a setting of their own
_PREFIX = "base_model.model."  # of all names that PEFT saves
_ONE = ".default"  # PEFT's name of the one adapter, in the names of its weights
_PER_BYTE = 2  # numbers of an adapter for each byte of its file
_PARTS = 8  # parameters of a layer for each of an adapter's weights


def attach(network: PreTrainedModel, adapter: PeftAdapter) -> None:
    """Attach an adapter to a network, in place. The base's weights stay as they are: nothing is merged.

    Args:
        network: the base, on its device and in its dtype.
        adapter: the adapter.

    Raises:
        UsageError: PEFT is not installed; or the adapter is of another base, lacks weights or has others than the base
            takes.
    """
    if not is_there("peft"):
        raise UsageError(
            f"{adapter.folder}: an adapter is attached by peft, of the extra {EXTRA}: python -m pip install"
            f' "vlcheck[{EXTRA}]".'
        )
    config, weights = _config(adapter, network), adapter.weights()
    check_formats({name: weight.dtype for name, weight in weights.items()})
    if any(weight.is_meta for weight in network.parameters()):
        raise UsageError(f"{adapter.folder}: an adapter is not attached to weights that stay on the disk.")
    resized = _resize(network, weights, adapter)
    base = {id(weight) for weight in _weights(network).values()}
    rows = {name: one.num_embeddings for name, one in network.named_modules() if isinstance(one, nn.Embedding)}
    with _calm():
        adapted = _injected(network, config, weights, adapter)
        report = _filled(adapted, _renamed(weights, network), adapter)
        own = _saved(adapted, base)
    _check_report(report, own, resized - {*weights}, adapter)
    for name, number in rows.items():  # a layer of PEFT around the embedding does not say it
        setattr(network.get_submodule(name), "num_embeddings", number)  # noqa: B010 - mypy knows no such attribute


def _config(adapter: PeftAdapter, network: PreTrainedModel) -> Any:
    """Return PEFT's config of an adapter. Settings that it does not know are refused unless they are off."""
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING

    said, path = dict(adapter.config), adapter.folder / ADAPTER_CONFIG
    with naming(path):
        said |= {key: _pattern_today(key, said[key], network) for key in _PATTERNS if isinstance(said.get(key), dict)}
    make: Any = PEFT_TYPE_TO_CONFIG_MAPPING.get(said.pop("peft_type"))
    if make is None:
        raise UsageError(f"{path}: peft here does not know the kind {adapter.kind}: install a newer one.")
    known = {field.name for field in fields(make)}
    if strange := sorted(key for key, value in said.items() if key not in known and value):
        raise UsageError(
            f"{path}: peft here does not know {printable(', '.join(strange))}, and would leave it out: install the peft"
            " that wrote it, or a newer one."
        )
    try:
        made = make(**{key: value for key, value in said.items() if key in known})
    except Exception as error:  # wrong values raise errors of many kinds
        raise UsageError(f"{path}: cannot be read. {_first_line(error)}") from error
    made.inference_mode, made.task_type = True, None  # a task would wrap the network, which keeps its own forward pass
    return made


def _injected(network: PreTrainedModel, config: Any, weights: Mapping[str, Tensor], adapter: PeftAdapter) -> Any:
    """Put the adapter's layers around those of the network; their weights are not read yet."""
    from peft import get_peft_model

    held = sum(weight.numel() * weight.element_size() for weight in weights.values())
    try:
        with filled_by(_PER_BYTE * held, _PARTS * len(weights)):
            return get_peft_model(network, config)
    except UsageError as error:
        raise UsageError(f"{adapter.folder / ADAPTER_CONFIG}: {error}") from error
    except Exception as error:  # PEFT raises errors of many kinds, also where target_modules meet no layer
        raise UsageError(
            f"{adapter.folder / ADAPTER_CONFIG}: does not fit {type(network).__name__}. {_first_line(error)}"
        ) from error


def _filled(adapted: Any, weights: Mapping[str, Tensor], adapter: PeftAdapter) -> Any:
    """Read the weights into the adapter's layers, and return PEFT's report."""
    from peft import set_peft_model_state_dict

    try:
        return set_peft_model_state_dict(adapted, dict(weights))
    except KeyError as error:  # a part that is saved whole
        raise UsageError(
            f"{adapter.file}: lacks {printable(str(error.args[0]))}, which {ADAPTER_CONFIG} names."
        ) from error
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if "size mismatch" in line]
        shown = printable("; ".join(lines[:2]).replace(_ONE, "")) if lines else _first_line(error)
        raise UsageError(f"{adapter.file}: is of another base, or of another size. {shown}") from error


def _saved(adapted: Any, base: Collection[int]) -> set[str]:
    """Return the names of the adapter's weights in the network; of those in its layers, the ones that PEFT saves.

    Args:
        adapted: PEFT's network.
        base: `id` of the base's weights.
    """
    from peft import get_peft_model_state_dict

    saved = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    own = (name for name, weight in _weights(adapted).items() if id(weight) not in base)
    return {name for name in own if "modules_to_save" in name or name.replace(_ONE, "") in saved}


def _check_report(report: Any, own: set[str], unsaved: Collection[str], adapter: PeftAdapter) -> None:
    """Refuse an adapter some of whose weights are missing or were not read.

    Args:
        report: PEFT's report on the loading.
        own: names of the adapter's weights in the network.
        unsaved: names of embeddings that were resized and that the adapter does not hold.
        adapter: the adapter.

    Raises:
        UsageError: there are such weights.
    """
    lacking = {name.replace(_ONE, "") for name in own & {*report.missing_keys}} | {*unsaved}
    strange = {name.replace(_ONE, "") for name in report.unexpected_keys}
    faults = (("lacks", lacking), ("has, and its base does not take,", strange))
    if said := [f"{what} {some(names)}" for what, names in faults if names]:
        raise UsageError(
            f"{adapter.file}: it {'; it '.join(said)}. It is an adapter of another base, of another version of the"
            f" network's code, or not whole; {ADAPTER_CONFIG} says that it was trained on"
            f" {printable(str(adapter.config.get('base_model_name_or_path')), 120)}."
        )


def _resize(network: PreTrainedModel, weights: Mapping[str, Tensor], adapter: PeftAdapter) -> set[str]:
    """Give the token embeddings as many rows as the adapter holds for them.

    Returns:
        The names, as PEFT saves them, of the embeddings whose rows changed; the adapter has to hold them whole.
    """
    places = {_saved_as(name, weights): weight for name, weight in _embeddings(network).items()}
    held = {name: len(weights[name]) for name in places if name in weights and weights[name].ndim}
    rows = {*held.values()}
    if not rows or rows == {len(weight) for weight in places.values()}:
        return set()
    if len(rows) > 1:
        raise UsageError(f"{adapter.file}: {some(held)} have {' and '.join(map(str, sorted(rows)))} rows.")
    network.resize_token_embeddings(rows.pop(), mean_resizing=False)
    tied = len({id(weight) for weight in _embeddings(network).values()}) == 1
    return {*held} if tied else {*places}


def _saved_as(name: str, weights: Mapping[str, Tensor]) -> str:
    """Return the name under which the weight of a layer is saved; one that has an adapter is a part of a layer."""
    within = f"{name.removesuffix('.weight')}.base_layer.weight"
    return within if within in weights else name


def _embeddings(network: PreTrainedModel) -> dict[str, Tensor]:
    """Return the weights of the input and output embeddings of tokens, by the names under which PEFT saves them."""
    try:
        layers = [network.get_input_embeddings(), network.get_output_embeddings()]
    except NotImplementedError:  # networks with several embeddings
        return {}
    ids = {id(layer) for layer in layers if layer is not None}
    return {f"{_PREFIX}{name}.weight": layer.weight for name, layer in network.named_modules() if id(layer) in ids}


def _renamed(weights: Mapping[str, Tensor], network: PreTrainedModel) -> dict[str, Tensor]:
    """Return the weights under the names of today's network, where they have those of an earlier transformers.

    The same renaming makes whole checkpoints of that time fit. PEFT itself does it for some kinds of models alone.
    """
    changes, layers = _changes(network)
    return {_name_today(name, changes, layers): weight for name, weight in weights.items()}


def _pattern_today(setting: str, pattern: Mapping[str, object], network: PreTrainedModel) -> dict[str, object]:
    """Return settings of single layers under the names of today's network, in their order: PEFT takes the first.

    A name is the end of a layer's name, or a pattern of it. AdaLoRA names weights, `LAYER.lora_E`.

    Args:
        setting: the name of the settings in the config.
        pattern: names of layers -> their setting.
        network: the network.

    Raises:
        UsageError: a name meets no layer. PEFT would leave the setting out.
    """
    changes, layers = _changes(network)
    today: dict[str, object] = {}
    for name, value in pattern.items():
        layer, mark, rest = name.partition(".lora_")
        known = layer if _meets(layer, layers) else _layer_today(layer, changes, layers)
        if not _meets(known, layers):
            raise UsageError(
                f'"{setting}" names {printable(repr(name))}, which meets no layer of {type(network).__name__}: it is a'
                " name of another base, or of another version of the network's code."
            )
        today.setdefault(known + mark + rest, value)
    return today


def _layer_today(name: str, changes: list[WeightRenaming], layers: Collection[str]) -> str:
    """Return the name of a layer today; one that is bound to the beginning, by ^, stays so."""
    begins = "^" * name.startswith("^")
    weight = _name_today(f"{_PREFIX}{name.removeprefix('^')}.weight", changes, layers)
    return begins + weight.removeprefix(_PREFIX).removesuffix(".weight")


def _meets(pattern: str, layers: Collection[str]) -> bool:
    """Return True if PEFT takes a pattern for the name of a layer."""
    try:
        whole = re.compile(rf"(.*\.)?({pattern})$")
    except re.error as error:
        raise UsageError(f"{printable(repr(pattern))} is no pattern of names: {error}.") from error
    return any(whole.match(layer) for layer in layers)


def _changes(network: PreTrainedModel) -> tuple[list[WeightRenaming], set[str]]:
    """Return by what names of an earlier transformers are renamed, and the names of today's layers."""
    changes = [one for one in get_model_conversion_mapping(network) if isinstance(one, WeightRenaming)]
    return changes, {name for name, _ in network.named_modules()}


def _name_today(name: str, changes: list[WeightRenaming], layers: Collection[str]) -> str:
    """Return the name of a weight today: its own if it begins with the name of a layer."""
    own = name.removeprefix(_PREFIX)
    if own == name or _is_of(own, layers):
        return name
    today, _ = rename_source_key(own, changes, [])
    return f"{_PREFIX}{today}" if _is_of(today, layers) else name


def _is_of(name: str, layers: Collection[str]) -> bool:
    """Return True if a layer that has weights of an adapter is named at the beginning: all but the last parts."""
    parts = name.split(".")
    return any(".".join(parts[:end]) in layers for end in range(len(parts) - 1, max(len(parts) - 4, 0), -1))


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


@contextmanager
def _calm() -> Iterator[None]:
    """Keep PEFT's warnings, and the random numbers by which it fills layers before they are read, from the run."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return printable(f"{type(error).__name__}: {said[0] if said else ''}")
