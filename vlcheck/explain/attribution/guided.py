"""Guided backpropagation, extended to smooth rectifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.gradients import InputGradients, input_gradients
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.models.differentiable import Differentiable, PairInputs

_FUNCTIONS = frozenset({functional.gelu, functional.relu, functional.silu, torch.relu, Tensor.relu})


class GuidedBackpropagation(Saliency):
    """Gradient saliency that passes only positive gradients back through rectifiers.

    The paper defines it for ReLU. Here negative gradients are set to 0 at the output of every GELU, quick GELU, SiLU
    and ReLU, the usual extension; tanh, sigmoid and softmax pass gradients as they are.

    Source:
        Springenberg et al. 2014, arXiv:1412.6806, figure 1.
    """

    name = "guided"
    title = "Guided backpropagation (extended to GELU)"
    source = "Springenberg et al. 2014, arXiv:1412.6806; extended to smooth rectifiers"
    meaning = (
        "Gradient saliency without the negative gradients at the outputs of activations (GELU, SiLU, ReLU), an"
        " extension of a method for ReLU; it shows edges and may hardly depend on what the model has learned."
    )

    def gradients(self, model: Differentiable, inputs: PairInputs) -> InputGradients:
        with positive_gradients(model.network) as rectified:
            found = input_gradients(model, inputs)
        if not rectified:
            raise NotApplicable(f"guided backpropagation needs GELU, SiLU or ReLU, and {model.name} uses none")
        return found


@contextmanager
def positive_gradients(network: nn.Module) -> Iterator[list[Tensor]]:
    """Pass only positive gradients through the outputs of rectifiers that are computed in the context.

    Args:
        network: the network.

    Yields:
        A list to which each such output is added.
    """
    rectified: list[Tensor] = []

    def mend(output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient.clamp(min=0))  # type: ignore[no-untyped-call]
            rectified.append(output)

    with ExitStack() as handles:
        for module in network.modules():
            if isinstance(module, _written_otherwise()):
                handles.callback(module.register_forward_hook(lambda _, __, output: mend(output)).remove)
        with _Rectifiers(mend):
            yield rectified


@cache
def _written_otherwise() -> tuple[type[nn.Module], ...]:
    """Return the classes of rectifiers that are written with other functions."""
    from transformers import activations  # takes three seconds

    return (
        activations.AccurateGELUActivation,
        activations.FastGELUActivation,
        activations.GELUActivation,
        activations.GELUTanh,
        activations.NewGELUActivation,
        activations.QuickGELUActivation,
        activations.ReLUSquaredActivation,
    )


class _Rectifiers(TorchFunctionMode):
    """Calls a function with the output of each rectifier that torch offers as a function."""

    def __init__(self, mend: Any) -> None:
        super().__init__()
        self.mend = mend

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if func in _FUNCTIONS:
            self.mend(output)
        return output
