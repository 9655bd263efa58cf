"""The form in which weights were released, with an adapter or quantized; it is said beside the network's scores."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

_MARK = "vlcheck_released"


@dataclass(frozen=True)
class Released:
    """The form in which the weights of a network were released.

    Attributes:
        adapter: the kind of the adapter, its name and base; "" without an adapter.
        quantization: the method and its settings; "" for weights that are not quantized.
    """

    adapter: str = ""
    quantization: str = ""


def mark(network: nn.Module, released: Released) -> None:
    """Keep with a network the form in which its weights were released.

    Args:
        network: the network.
        released: the form.
    """
    setattr(network, _MARK, released)


def released_of(network: object) -> Released:
    """Return the form in which the weights of a network were released; an empty one if nothing is known."""
    return getattr(network, _MARK, Released())
