"""Limits on sizes in the files of a checkpoint, so that no network is built that is too large for its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from vlcheck.errors import UsageError, printable

LARGEST_SIZE = 1 << 24  # the largest accepted whole number in a config
LARGEST_SIDE = 1 << 14  # pixels
_LARGEST_AREA = 1 << 26  # pixels
# Settings that are not sizes: whole numbers that may be large.
_NO_SIZE = re.compile(r"theta|base|pixels|length|seed|max_memory|quantization_config")
_SIDE = re.compile(r"height|width|(image_|crop_|pad_)?size")
_TIMES = 2  # a weight is counted when it is created, and again when it is filled
_SPARE = 1 << 26  # numbers of a network that no file contains: masks, positions
_SPARE_NAMES = 1_000
_MOST_NAMES = 1_000  # weights of an ALBEF, X-VLM, ViLT or ViLBERT; the published ones have some hundreds
_FUSED = 4  # a weight of the file may fill so many of the network, e.g. query, key and value


def check_sizes(said: object, path: Path) -> None:
    """Refuse a number in a config that is too large for a size: lists of this length may be made before any weight.

    Args:
        said: the config.
        path: its file, for the message.

    Raises:
        UsageError: a number is above LARGEST_SIZE.
    """
    for key, value in _numbers(said):
        if value > LARGEST_SIZE:
            raise _absurd(path, key, value, LARGEST_SIZE)


def check_sides(said: object, path: Path) -> None:
    """Refuse a picture size of an image processor that would fill the memory.

    A shortest and a longest edge together are areas, as Qwen2-VL's are. Sizes of videos are left out: none is read.

    Args:
        said: the config of an image processor, or of a processor that has one.
        path: its file, for the message.

    Raises:
        UsageError: a side or an area is too large.
    """
    if isinstance(said, Mapping):
        said = {key: value for key, value in said.items() if key != "video_processor"}
    for key, value in _numbers(said):
        if _SIDE.fullmatch(key) and value > LARGEST_SIDE:
            raise _absurd(path, key, value, LARGEST_SIDE)
        if key.endswith("_edge") and value > _LARGEST_AREA:
            raise _absurd(path, key, value, _LARGEST_AREA)
    for size in _objects(said):
        edge = size.get("shortest_edge")
        if type(edge) is int and "longest_edge" not in size and edge > LARGEST_SIDE:
            raise _absurd(path, "shortest_edge", edge, LARGEST_SIDE)


@contextmanager
def filled_by(numbers: int, names: int) -> Iterator[None]:
    """Stop building a network as soon as it has more numbers or weights than its checkpoint could fill.

    Args:
        numbers: the largest number of numbers that the checkpoint may contain.
        names: the number of weights in the checkpoint.

    Raises:
        UsageError: a size is too large; it is raised inside the context, where the network is built.
    """
    left = [_TIMES * numbers + _SPARE, _TIMES * _FUSED * names + _SPARE_NAMES]

    def count(_module: nn.Module, name: str, tensor: Tensor | None) -> None:
        if tensor is not None:
            left[0] -= tensor.numel()
            left[1] -= 1
        if min(left) < 0:
            raise UsageError(
                f"sizes for which the checkpoint is too small by far: the network would have more than {numbers}"
                f" numbers in {names} weights, and {name} is not the last. Its config belongs to other weights."
            )

    hooks = [register_module_parameter_registration_hook(count), register_module_buffer_registration_hook(count)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def filled_from(path: Path) -> AbstractContextManager[None]:
    """Stop building a network that is too large for its checkpoint file; see `filled_by`."""
    return filled_by(path.stat().st_size, _MOST_NAMES)


def shortened(value: object) -> str:
    """Return a value as a short text: a whole number may have thousands of digits."""
    return printable(repr(value), 40)


def _absurd(path: Path, key: str, value: int, most: int) -> UsageError:
    return UsageError(f'{path}: "{printable(key, 80)}" is {shortened(value)}; at most {most} is accepted.')


def _numbers(said: object) -> Iterator[tuple[str, int]]:
    """Yield the whole numbers in a config, alone or in lists, each with its key."""
    for part in _objects(said):
        for key, value in part.items():
            if not _NO_SIZE.search(key):
                yield from ((key, one) for one in (value if isinstance(value, list) else [value]) if type(one) is int)


def _objects(said: object) -> Iterator[Mapping[str, Any]]:
    """Yield all objects in a config, at any depth. The reader of files has limited the depth."""
    if isinstance(said, dict):
        yield said
        for value in said.values():
            yield from _objects(value)
    elif isinstance(said, list):
        for value in said:
            yield from _objects(value)
