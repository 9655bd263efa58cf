"""Reasons why the weights of a file do not fit a network, found by their names and number formats."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import torch

from vlcheck._util.numbers import verb
from vlcheck.errors import UsageError

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Ends of the names of indices that a network computes itself and that some files contain too.
_INDICES = ("position_ids", "token_type_ids", "relative_position_index", "num_batches_tracked", "queue_ptr", "inv_freq")
_ADAPTER = re.compile(
    r"(^|[._])(lora|lora_\w+|hada_w\d\w*|lokr_w\d\w*|oft_\w+|ia3_\w+|vera_lambda_\w+|base_layer|modules_to_save|adapters?)"
    r"(\.|$)"
)
_QUANTIZED = re.compile(
    r"(^|\.)(\w*weight_scale\w*|\w*scale_inv|_scale|\w*_scales|\w*_blocks|((in|out)put|activation|[kqv])_scale|qweight|qzeros|scales"
    r"|g_idx|SCB|weight_format|(nested_)?(absmax|quant_map)|quant_state\S*|weight_(packed|shape)|(\w*_)?zero_points?"
    r"|codebooks?|codes|W_q|_data|\w*qdata|_packed_params\S*)$"
)
# Prefix that a wrapper around the model adds to all names -> the wrapper.
_WRAPPERS = {
    "module.": "torch's DataParallel",
    "_orig_mod.": "torch.compile",
    "_forward_module.": "Lightning",
    "_fsdp_wrapped_module.": "torch's FSDP",
    "base_model.model.": "peft",
}
# Prefix of the names of a head for another task than scoring -> the task.
_TASKS = {
    "text_decoder.": "writing (answers or captions)",
    "cls_head.": "classifying pairs (NLVR2 or SNLI-VE)",
    "ta_head.": "classifying pairs (pre-training for NLVR2)",
    "vqa_classifier.": "answers (VQA)",
    "nlvr2_classifier.": "classifying pairs (NLVR2)",
    "vil_prediction": "answers (VQA and other tasks)",
}


def is_index(name: str) -> bool:
    """Return True if a tensor is named like the indices that a network computes itself."""
    return name.rpartition(".")[2] in _INDICES


def is_of_adapter(name: str) -> bool:
    """Return True if a tensor is named like a part of an adapter."""
    return _ADAPTER.search(name) is not None


def is_of_quantizer(name: str) -> bool:
    """Return True if a tensor is named like a part of quantized weights."""
    return _QUANTIZED.search(name) is not None


def scaled(names: Collection[str]) -> set[str]:
    """Return the names of quantized weights, and of their scales and zero points."""
    parts = {name: found for name in names if (found := _QUANTIZED.search(name))}
    modules = {name[: found.start()] for name, found in parts.items()}
    return {name for name in names if name in parts or name in modules or name.rpartition(".")[0] in modules}


def reason(names: Collection[str], missing: Collection[str], strangers: Collection[str]) -> str:
    """Return a sentence that says why weights do not fit a network; "" if their names do not show it.

    Args:
        names: names of all weights in the file.
        missing: names of weights of the network that the file lacks.
        strangers: names in the file that the network does not have.
    """
    if found := [name for name in strangers if is_of_adapter(name)]:
        return (
            f"{some(found)}: these belong to an adapter (LoRA or its kin). Merge it into its base (peft's"
            " merge_and_unload), and save the whole."
        )
    if found := [name for name in strangers if is_of_quantizer(name)]:
        return f"{some(found)}: these belong to quantized weights. {_QUANTIZED_CURE}"
    prefix = _prefix(names, missing)
    return _unwrap(prefix) if prefix else ""


_QUANTIZED_CURE = (
    f"Accepted: {', '.join(str(kind).removeprefix('torch.') for kind in _FLOATS)}, or a folder of transformers whose"
    ' config.json says under "quantization_config" how they are read.'
)


def check_names(names: Collection[str], anchor: str) -> None:
    """Refuse names that show that the weights cannot fit, before sizes are inferred from their shapes.

    Args:
        names: names of all weights.
        anchor: a name that every checkpoint of the family has.

    Raises:
        UsageError: the weights belong to an adapter, are quantized, have a prefix, or were fine-tuned for another task.
    """
    if why := reason(names, {anchor} - {*names}, names):
        raise UsageError(why)
    if task := next((task for head, task in _TASKS.items() if any(name.startswith(head) for name in names)), ""):
        raise UsageError(f"fine-tuned for {task}: name a checkpoint of pre-training, or of image-text retrieval.")


def check_formats(formats: Mapping[str, torch.dtype], whole: Collection[str] = ()) -> None:
    """Refuse weights that are not floats of 16 bits or more: they mean nothing without their scales.

    Args:
        formats: number format of each weight, by name.
        whole: ends of the names of the network's tensors of whole numbers, which are accepted.

    Raises:
        UsageError: a weight has another format.
    """
    odd = [
        name
        for name, kind in formats.items()
        if kind not in _FLOATS and not is_index(name) and name.rpartition(".")[2] not in whole
    ]
    if odd:
        kinds = sorted({str(formats[name]).removeprefix("torch.") for name in odd})
        raise UsageError(
            f"{some(odd)}: these are {', '.join(kinds)}, so quantized, and no scale is read. {_QUANTIZED_CURE}"
        )


def some(names: Collection[str]) -> str:
    """Return the names of weights as text: all names of a few weights, or the first names of many."""
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} weights ({shown}, ...)" if len(names) > 3 else shown


def _prefix(names: Collection[str], missing: Collection[str]) -> str:
    """Return the prefix of all names, or of each of the missing names; "" if there is none."""
    if not missing:
        return ""
    prefix = ""
    while head := next((head for head in _WRAPPERS if all(name.startswith(prefix + head) for name in names)), ""):
        prefix += head
    if prefix:
        return prefix
    known, first = {*names}, min(missing)
    heads = (name.removesuffix(first) for name in names if name.endswith(f".{first}"))
    return next((head for head in heads if all(head + name in known for name in missing)), "")


def _unwrap(prefix: str) -> str:
    """Return a sentence about the wrapper that added a prefix, and how to save the weights without it."""
    makers = [maker for head, maker in _WRAPPERS.items() if head in prefix]
    if "base_model." in prefix:
        cure = "merge the adapter (model.merge_and_unload()), and save what that returns"
    else:
        cure = f"save model.{prefix}state_dict()"
    by = " and ".join(makers) or "a module around the model (such as Lightning's)"
    put = verb(max(len(makers), 1), "puts", "put")
    return f"The names of its weights begin with {prefix!r}, which {by} {put} there: {cure}."
