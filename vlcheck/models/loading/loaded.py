"""Checks that a network holds exactly the weights of its checkpoint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedModel

from vlcheck.errors import UsageError
from vlcheck.models.loading.misfits import check_formats, is_index, is_of_adapter, is_of_quantizer, reason, scaled, some
from vlcheck.models.loading.quantized import quantizations
from vlcheck.models.loading.tasks import maps

_OLD = re.compile(r"(?<=LayerNorm\.)(gamma|beta)$")
_NUMBER = re.compile(r"\.\d+\.")
# Parts of a checkpoint that no score depends on: BERT's next-sentence head, pooled features.
_UNREAD = re.compile(r"(^|\.)(cls\.seq_relationship|pooler|vision_model\.head)\.")
# Scales by which a quantized network rounds its activations. Without them it is more precise.
_OF_ACTIVATIONS = re.compile(r"\.((in|out)put|activation|[kqv])_scale$")


def check_loaded(
    network: PreTrainedModel,
    config: Mapping[str, Any],
    loading: Mapping[str, Any],
    formats: Mapping[str, torch.dtype],
    optional: Iterable[str],
    unread: tuple[str, ...] = (),
) -> set[str]:
    """Check that a network and its checkpoint have exactly the same weights.

    Args:
        network: the network as transformers loaded it.
        config: the content of config.json.
        loading: the report of transformers on the loading.
        formats: number formats of the checkpoint's weights, by name.
        optional: prefixes of names of weights; a checkpoint may lack all weights with such a prefix, but not some.
        unread: prefixes of names of weights that a checkpoint may have, and that no score depends on.

    Returns:
        The prefixes in `optional` whose weights the checkpoint lacks.

    Raises:
        UsageError: a weight is missing, has another shape or an unknown name, or is quantized in a way that is not
            read.
    """
    _check_kind(network, config)
    quantized = any(quantizations(config))
    misshapen = {name for name, *_ in loading["mismatched_keys"]}
    absent = {*loading["missing_keys"], *_unreported(network)} - misshapen
    lacking = {head for head in optional if _weights_of(head, network) <= absent}
    absent = {name for name in absent if not name.startswith(tuple(lacking))}
    strangers = {name for name in loading["unexpected_keys"] if not (is_index(name) or name.startswith(unread))}
    if quantized:
        strangers = {name for name in strangers if not _OF_ACTIVATIONS.search(name)}
    strangers -= {*_unread(strangers, network, quantized=quantized)}
    layers = {*_of_more_layers(strangers, network)}
    faults = (
        ("have under two names", _twice(formats, network)),
        ("lack", absent),
        ("have in another shape than the config says", misshapen),
        ("have of more layers than the config says", layers),
        (f"have, and {type(network).__name__} does not read,", strangers - layers),
    )
    if said := [f"{what} {some(names)}" for what, names in faults if names]:
        why = reason(formats.keys(), absent, strangers)
        raise UsageError(f"the weights {'; they '.join(said)}. {why}".rstrip())
    read_so = scaled(formats) if quantized else ()
    plain = {name: kind for name, kind in formats.items() if name not in read_so}
    check_formats(plain, {name.rpartition(".")[2] for name in _whole(network)})
    return lacking


def _check_kind(network: PreTrainedModel, config: Mapping[str, Any]) -> None:
    """Refuse a config whose two names of the kind of model differ, since the weights may fit both kinds."""
    said, made = config.get("model_type"), type(network.config).model_type
    named = config["architectures"][0]
    meant = getattr(getattr(transformers, named, network).config_class, "model_type", made)
    if said == made and maps(str(said), named):
        return
    if said in transformers.CONFIG_MAPPING and {said, meant} != {made}:
        raise UsageError(f'config.json: "model_type" {said!r} and "architectures" {named} differ; accepted: {meant!r}.')


def _unread(strangers: Iterable[str], network: PreTrainedModel, *, quantized: bool) -> Iterator[str]:
    """Yield the names of weights that no score depends on: those of _UNREAD parts that the network does not have."""
    base = f"{network.base_model_prefix}."
    parts = {name.removeprefix(base) for name, _ in network.named_modules()}
    for name in strangers:
        plain = not is_of_adapter(name) and (quantized or not is_of_quantizer(name))
        found = _UNREAD.search(name)
        if plain and found and name[: found.end() - 1].removeprefix(base) not in parts:
            yield name


def _unreported(network: PreTrainedModel) -> Iterator[str]:
    """Yield the names of missing weights that the class of the network hides from the report of transformers."""
    hidden = [re.compile(pattern) for pattern in getattr(network, "_keys_to_ignore_on_load_missing", None) or ()]
    for name, weight in network.named_parameters():
        if any(pattern.search(name) for pattern in hidden) and not getattr(weight, "_is_hf_initialized", False):
            yield name


def _twice(names: Iterable[str], network: PreTrainedModel) -> set[str]:
    """Return the names that transformers maps to one weight, of which it would load only one."""
    base = f"{network.base_model_prefix}."
    read = Counter(_OLD.sub(_new, name.removeprefix(base)) for name in names)
    return {name for name, times in read.items() if times > 1}


def _new(old: re.Match[str]) -> str:
    return {"gamma": "weight", "beta": "bias"}[old[0]]


def _weights_of(head: str, network: nn.Module) -> set[str]:
    return {name for name, _ in network.named_parameters() if name.startswith(head)}


def _whole(network: nn.Module) -> Iterator[str]:
    """Yield the names of tensors that hold whole numbers or bits."""
    return (name for name, tensor in network.state_dict().items() if not tensor.is_floating_point())


def _of_more_layers(unexpected: Collection[str], network: nn.Module) -> Iterator[str]:
    """Yield the names of weights that differ from the network's in the number of a layer alone."""
    own = {_NUMBER.sub(".", name) for name in network.state_dict()}
    return (name for name in unexpected if _NUMBER.sub(".", name) in own)
