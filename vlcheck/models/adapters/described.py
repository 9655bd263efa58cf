"""Descriptions of what is done to pictures and weights, read from the objects that do it, not from the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from vlcheck._util.hashing import digest
from vlcheck.models.loading.released import released_of
from vlcheck.models.setup import Setup

_PROBE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 72, 3), dtype=np.uint8))
_PER_VALUE = 1 / 255  # what most image processors multiply pixels with
# Settings of image processors of transformers that have a wording below, or that change no pixel.
_WORDED = {
    *("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize"),
    *("image_mean", "image_std"),
}
_NO_PIXELS = {
    *("do_convert_rgb", "default_to_square", "data_format", "input_data_format", "device", "return_tensors"),
    *("disable_grouping", "image_seq_length"),
}
_OF_TRAINING = ("return_", "codebook_", "mask_", "total_mask", "input_size_patches")  # FLAVA's masks and codebook
_SIDES = {  # the keys of a size -> its wording
    ("height", "width"): "{0}x{1}",
    ("shortest_edge",): "shorter side {0}",
    ("longest_edge",): "longer side {0}",
    ("longest_edge", "shortest_edge"): "shorter side {1}, longer side at most {0}",
    ("max_height", "max_width"): "at most {0}x{1}",
    ("max_pixels", "min_pixels"): "{1} to {0} pixels",
}
_STEPS = {  # class of a transform -> its wording
    "Resize": "",
    "ResizeKeepRatio": "",
    "CenterCrop": "centre crop",
    "CenterCropOrPad": "centre crop or padding to",
}
_LONGEST = 40  # characters of a setting
_DIGITS = 8  # of the digest of a longer one


def network_setup(network: Any) -> Setup:
    """Return how a network was released, and whether it was compiled.

    Args:
        network: a module; one of transformers has a config that names the last two.
    """
    config, released = getattr(network, "config", None), released_of(network)
    return Setup(
        precision=precision_of(network),
        attention=_config_says(config, "_attn_implementation"),
        activation=_config_says(config, "hidden_act"),
        compiled="layers, by torch.compile" if _is_compiled(network) else "",
        adapter=released.adapter,
        quantization=released.quantization,
    )


def _is_compiled(network: nn.Module) -> bool:
    return any(module._compiled_call_impl is not None for module in network.modules())


def precision_of(network: nn.Module) -> str:
    """Return the types of a network's floating-point weights, that of most numbers first, e.g. "float32"."""
    held: Counter[str] = Counter()
    for weight in network.parameters():
        if weight.is_floating_point():
            held[str(weight.dtype).removeprefix("torch.")] += weight.numel()
    return " and ".join(kind for kind, _ in held.most_common())


def joined(*parts: str) -> str:
    """Return the parts that are not empty as one text."""
    return ", ".join(part for part in parts if part)


def numbers_said(values: object) -> str:
    """Return a number, or one for each channel, as text: "0.5" if all are equal, "0.485 0.456 0.406" else.

    Seven digits are those of a number of 32 bits: pixels of 32 bits are others if the words are.
    """
    each = [*map(float, values)] if isinstance(values, Iterable) else [float(str(values))]
    return " ".join(f"{value:.7g}" for value in (each[:1] if len({*each}) == 1 else each))


def normalised_by(mean: object, std: object) -> str:
    """Return what pixels in [0, 1] are normalised by, as text.

    Args:
        mean: the mean of each channel, or of all.
        std: the standard deviation of each channel, or of all.
    """
    return f"mean {numbers_said(mean)}, std {numbers_said(std)}"


def size_said(size: Any) -> str:
    """Return a size as text, e.g. "224x224" or "shorter side 224"; "" for no size.

    Args:
        size: the side of a square, a height and a width, or an object or mapping of transformers with keys.
    """
    if isinstance(size, int):
        return f"{size}x{size}"
    if isinstance(size, list | tuple):
        return "x".join(map(str, size))
    held = {key: value for key, value in sorted(_items(size).items()) if value is not None}
    worded = _SIDES.get(tuple(held))
    return worded.format(*held.values()) if worded else " ".join(f"{key} {value}" for key, value in held.items())


def _items(size: Any) -> dict[str, Any]:
    if size is None or isinstance(size, Mapping):
        return dict(size or {})
    from transformers.image_utils import SizeDict  # slow, and imported already where there is such a size

    return dict(size) if isinstance(size, SizeDict) else {}


def pixels_said(processor: Any) -> str:
    """Describe what an image processor of transformers does to a picture.

    Its settings are read from the loaded object. A centre crop is tried out: some classes accept the setting, and
    never look at it.

    Args:
        processor: the image processor, or a processor that has one.
    """
    own = getattr(processor, "image_processor", processor)
    backend = str(getattr(own, "backend", "")).replace("pil", "PIL")
    named = f"{type(own).__name__} ({backend})" if backend else type(own).__name__
    return joined(*_resizing(own), _cropping(own), *_scaling(own), *_further(own), named)


def steps_said(transform: Any) -> str:
    """Describe a chain of transforms of torchvision, as timm and open_clip make them for pictures.

    Args:
        transform: an object with `transforms`.
    """
    return joined(*(part for step in transform.transforms for part in _step(step)))


def _step(step: Any) -> Iterator[str]:
    """Yield the parts of the description of one transform."""
    name, size = type(step).__name__, getattr(step, "size", None)
    if name == "Normalize":
        yield normalised_by(step.mean, step.std)
    elif size is not None:
        sized = f"shorter side {size}" if isinstance(size, int) else size_said(tuple(size))
        filled = f" with {numbers_said(step.fill)}" if name == "CenterCropOrPad" else ""
        yield f"{_STEPS.get(name, name)} {sized}{filled}".strip()
    if (longest := getattr(step, "longest", 0)) > 0:
        yield "keeping the aspect by the longer side" if longest == 1 else f"longest {longest:.4g}"
    if interpolation := getattr(step, "interpolation", ""):
        yield str(getattr(interpolation, "value", interpolation))


def _resizing(own: Any) -> Iterator[str]:
    if not getattr(own, "do_resize", True):
        yield "not resized"
        return
    yield size_said(getattr(own, "size", None))
    if (resample := getattr(own, "resample", None)) is not None:
        yield Image.Resampling(resample).name.lower()


def _cropping(own: Any) -> str:
    if not getattr(own, "do_center_crop", False):
        return ""
    wanted = size_said(getattr(own, "crop_size", None))
    return f"centre crop {wanted}" if _crops(own, wanted) else f"its crop_size {wanted} has no effect"


def _scaling(own: Any) -> Iterator[str]:
    factor = getattr(own, "rescale_factor", _PER_VALUE)
    if not getattr(own, "do_rescale", True):
        yield "not rescaled"
    elif factor is not None and factor != _PER_VALUE:
        yield f"times {factor:.6g}"
    if not getattr(own, "do_normalize", True):
        yield "not normalised"
    elif getattr(own, "image_mean", None) is not None:
        yield normalised_by(own.image_mean, own.image_std)


def _further(own: Any) -> Iterator[str]:
    """Yield the settings of a class of its own, e.g. into how many parts a picture is cut."""
    named = getattr(getattr(own, "valid_kwargs", None), "__annotations__", {})
    for name in sorted(named.keys() - _WORDED - _NO_PIXELS):
        value = getattr(own, name, None)
        if value is None or value is False or name.startswith(_OF_TRAINING):
            continue
        words = name.removeprefix("do_").replace("_", " ")
        yield words if value is True else f"{words} {_shortened(value)}"


def _shortened(value: object) -> str:
    said = str(value) if isinstance(value, int | float | str | list | tuple) else size_said(value) or str(value)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}... (digest {digest(said)[:_DIGITS]})"


def _crops(processor: Any, wanted: str) -> bool:
    """Return True if an image processor crops: its pictures have that size, or are others without the setting."""
    made = _pixels(processor)
    if size_said(tuple(made.shape[-2:])) == wanted:
        return True
    try:
        without = _pixels(processor, do_center_crop=False)
    except Exception:  # noqa: BLE001 - a processor that fails without the setting reads it
        return True
    return made.shape != without.shape or not torch.equal(made, without)


def _pixels(processor: Any, **settings: object) -> Tensor:
    made: Tensor = processor([_PROBE], return_tensors="pt", **settings)["pixel_values"]
    return made


def _config_says(config: Any, name: str) -> str:
    """Return what a config, or the configs of a network's parts, say under a name; each answer once."""
    parts = [getattr(config, part, None) for part in getattr(config, "sub_configs", {})]
    found = [getattr(part, name, None) for part in [*filter(None, parts)] or [config]]
    return " and ".join(dict.fromkeys(value for value in found if isinstance(value, str)))
