"""Quantized weights of transformers: settings that it would ignore, packages and devices they need, and their name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr
from io import StringIO
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel
from transformers.quantizers.auto import AutoQuantizationConfig

from vlcheck.errors import UsageError, argument, printable
from vlcheck.models.loading.packages import is_there

EXTRA = "quantized"
_KEY = "quantization_config"
_OLD_KEY = "compression_config"  # of compressed-tensors
_READ_IN = ("", "text_config", "decoder", "generator")  # parts of the config where transformers looks for _KEY
_SHOWN = {  # settings that the description names
    *("type", "format", "bits", "num_bits", "group_size", "strategy", "weights", "weight_block_size", "activations"),
    *("load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type", "bnb_4bit_compute_dtype", "desc_act", "activation_scheme"),
}


class _Needs(NamedTuple):
    """The packages and the device that a way of quantizing needs.

    Attributes:
        packages: name of a package -> the module that is imported.
        gpu: True if its kernels run on a GPU alone.
        extra: True if vlcheck's extra installs the packages.
    """

    packages: Mapping[str, str] = {}
    gpu: bool = False
    extra: bool = False


_ACCELERATE = {"accelerate": "accelerate"}
_NEEDS = {
    "aqlm": _Needs({"aqlm[gpu,cpu]": "aqlm", **_ACCELERATE}),
    "auto-round": _Needs({"auto-round": "auto_round"}),
    "awq": _Needs({"gptqmodel": "gptqmodel", **_ACCELERATE}),
    "bitnet": _Needs(_ACCELERATE),
    "bitsandbytes": _Needs({"bitsandbytes": "bitsandbytes", **_ACCELERATE}),
    "compressed-tensors": _Needs({"compressed-tensors": "compressed_tensors"}, extra=True),
    "eetq": _Needs({"kernels": "kernels", **_ACCELERATE}, gpu=True),
    "fbgemm_fp8": _Needs({"fbgemm-gpu": "fbgemm_gpu", **_ACCELERATE}, gpu=True),
    "fp8": _Needs(_ACCELERATE),
    "fp_quant": _Needs({"fp-quant": "fp_quant"}, gpu=True),
    "gptq": _Needs({"gptqmodel": "gptqmodel", "optimum": "optimum"}),
    "higgs": _Needs({"flute-kernel": "flute", **_ACCELERATE}, gpu=True),
    "hqq": _Needs({"hqq": "hqq"}),
    "mxfp4": _Needs(_ACCELERATE),
    "quanto": _Needs({"optimum-quanto": "optimum.quanto", **_ACCELERATE}),
    "quark": _Needs({"amd-quark": "quark"}),
    "spqr": _Needs({"spqr_quant[gpu]": "spqr_quant", **_ACCELERATE}, gpu=True),
    "torchao": _Needs({"torchao": "torchao"}, extra=True),
    "vptq": _Needs({"vptq": "vptq", **_ACCELERATE}, gpu=True),
}


def quantizations(config: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all quantization settings in a config, at any depth, each with its place.

    Args:
        config: the content of config.json, or of a part of it.
        place: the name of the part; "" for the whole.
    """
    for name, value in config.items():
        if name == _KEY and value:
            yield place, value
        elif isinstance(value, Mapping):
            yield from quantizations(value, name)


def check_quantization(config: Mapping[str, Any], file: str) -> None:
    """Refuse quantization settings that transformers would ignore: unknown or misplaced ones.

    Args:
        config: the content of config.json.
        file: its path, for the message.

    Raises:
        UsageError: transformers cannot read the quantization, or a package that it needs is missing.
    """
    if _OLD_KEY in config:
        raise UsageError(f'{file}: "{_OLD_KEY}" is not read; accepted: "{_KEY}" in its place.')
    for place, said in quantizations(config):
        if not isinstance(said, Mapping):
            raise UsageError(f'{file}: "{_KEY}" is {said!r}; it has to be an object with a quant_method.')
        if place not in _READ_IN:
            raise UsageError(f'{file}: "{_KEY}" in "{place}" is not read; it belongs at the top.')
        _check_packages(said, file)
        try:
            AutoQuantizationConfig.from_dict(dict(said))
        except Exception as error:  # transformers raises errors of any kind if keys are missing or wrong
            first = (str(error).splitlines() or [""])[0]
            raise UsageError(
                f'{file}: "{_KEY}" with quant_method {said.get("quant_method")!r} cannot be read. {first}'
            ) from error


def check_device(config: Mapping[str, Any], file: str, device: str) -> None:
    """Refuse a device for which a way of quantizing has no kernels.

    Args:
        config: the content of config.json.
        file: its path, for the message.
        device: a torch device, or "auto".

    Raises:
        UsageError: its kernels run on a GPU alone, and another device is named or there is none.
    """
    for _, said in quantizations(config):
        method = _method(said)
        on_gpu = torch.cuda.is_available() if device == "auto" else device.startswith("cuda")
        if _NEEDS.get(method, _Needs()).gpu and not on_gpu:
            raise UsageError(
                f"{file}: its weights are quantized by {method}, whose kernels run on a GPU alone:"
                f" {argument('device', 'cuda')} on a machine that has one; on this device, name the weights that are"
                " not quantized."
            )


def check_dtype(network: PreTrainedModel, config: Mapping[str, Any], file: str, dtype: str) -> None:
    """Refuse a dtype in whose place a way of quantizing has put another.

    Args:
        network: the loaded network.
        config: the content of config.json.
        file: the path of its config, for the message.
        dtype: the dtype that was asked for, e.g. "float32".

    Raises:
        UsageError: the weights that are not quantized have another dtype.
    """
    runs = str(network.dtype).removeprefix("torch.")
    if any(quantizations(config)) and runs != dtype:
        raise UsageError(
            f"{file}: its weights are quantized so that all others are {runs}, and {dtype} is asked for:"
            f" {argument('dtype', runs)}."
        )


def decompress(network: PreTrainedModel) -> None:
    """Give the layers of a compressed network the weights that they compute with.

    compressed-tensors does so at the first call of the whole network; vlcheck calls its parts, which have none before.
    """
    quantizer: Any = getattr(network, "hf_quantizer", None)
    if hasattr(network, "ct_decompress_hook"):
        with redirect_stderr(StringIO()):  # a progress bar
            quantizer.compressor.decompress_model(network)


def described(network: PreTrainedModel, config: Mapping[str, Any]) -> str:
    """Describe how weights are quantized.

    Args:
        network: the loaded network.
        config: the content of config.json.

    Returns:
        The method, its settings, and whether it is undone as the weights are loaded; "" if they are not quantized.
    """
    (_, said), *_ = [*quantizations(config), ("", {})]
    if not said:
        return ""
    undone = "" if getattr(network, "is_quantized", False) else ", undone as the weights are loaded"
    return f"{' '.join([_method(said), *_settings(said)])}{undone}"


def _settings(said: Mapping[str, Any]) -> list[str]:
    """Return the settings of a quantization that a reader knows it by, as texts; the outermost of each name."""
    found: dict[str, Any] = {}
    for place, key, value in _flat(said):
        if key in _SHOWN:
            found.setdefault(f"{place}{key.replace('_', ' ')}", value)
    return [printable(f"{name} {value}", 60) for name, value in found.items()]


def _flat(said: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield all plain settings: "activations " for those of activations and "" for others, the key, the value."""
    for key, value in sorted(said.items(), key=lambda item: (isinstance(item[1], Mapping), "activations" in item[0])):
        within = "activations " if "activations" in key else place
        if isinstance(value, Mapping):
            yield from _flat(value, within)
        elif isinstance(value, int | str) and value is not False:
            yield place, key.removeprefix("_"), value


def _method(said: Mapping[str, Any]) -> str:
    """Return the name of a way of quantizing; older files of bitsandbytes say only load_in_4bit or load_in_8bit."""
    if said.get("load_in_4bit") or said.get("load_in_8bit"):
        return "bitsandbytes"
    return str(said.get("quant_method"))


def _check_packages(said: Mapping[str, Any], file: str) -> None:
    method = _method(said)
    needs = _NEEDS.get(method, _Needs())
    missing = [name for name, module in needs.packages.items() if not is_there(module)]
    if missing:
        install = f'"vlcheck[{EXTRA}]"' if needs.extra else " ".join(missing)
        raise UsageError(
            f"{file}: its weights are quantized by {method}, which needs {' and '.join(missing)}: python -m pip install"
            f" {install}."
        )
