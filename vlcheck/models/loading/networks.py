"""The networks of PyTorch that a model holds, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

_DEEPEST = 3  # a network within a model within a wrapper or pair


def networks_of(model: object) -> list[nn.Module]:
    """Return the networks that a model, or the models that it asks, has as attributes; each once.

    Args:
        model: the model; one of foreign code is known by its methods.
    """
    return list({id(one): one for one in _held(model)}.values())


def _held(held: object, depth: int = 0) -> Iterator[nn.Module]:
    if isinstance(held, nn.Module):
        yield held
    elif depth <= _DEEPEST:
        inner = held.values() if isinstance(held, Mapping) else getattr(held, "__dict__", {}).values()
        for one in inner:
            yield from _held(getattr(one, "__self__", one), depth + 1)
