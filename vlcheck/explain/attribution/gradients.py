"""Gradients of a score at a network's inputs and at what its parts return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import Differentiable, PairInputs


@dataclass(frozen=True, eq=False)
class InputGradients:
    """Gradients of the score of each of n pairs.

    Attributes:
        pixels: gradients at the pixels, in their shape.
        embeddings: gradients at the word embeddings, (n, tokens, width).
    """

    pixels: Tensor
    embeddings: Tensor


def input_gradients(model: Differentiable, inputs: PairInputs) -> InputGradients:
    """Return the gradients of each pair's score at its pixels and word embeddings.

    Args:
        model: the network.
        inputs: n pairs.
    """
    pixels = inputs.pixels.detach().requires_grad_()
    embeddings = model.word_embeddings(inputs.ids).detach().requires_grad_()
    scores = objective(model, replace(inputs, pixels=pixels), embeddings)
    return InputGradients(*gradients(scores, (pixels, embeddings)))


def gradients(scores: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient of each pair's score at tensors; 0 where the score does not depend on them.

    Args:
        scores: (n,), each of which depends on its own row of the tensors alone.
        tensors: tensors of n rows.
    """
    return torch.autograd.grad(scores.sum(), tensors, materialize_grads=True)


def with_gradient(tensor: Tensor) -> Tensor:
    """Return the tensor; if it depends on nothing that needs a gradient, it begins to need one itself."""
    return tensor if tensor.requires_grad else tensor.requires_grad_()


@contextmanager
def outputs_of(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what modules return as long as the context lasts, in the order of their calls, with gradients.

    Args:
        modules: modules that return a tensor, or a tuple that begins with one.

    Yields:
        A list that grows with each call.
    """
    found: list[Tensor] = []

    def keep(module: nn.Module, arguments: object, output: Tensor | tuple[Tensor, ...]) -> None:
        found.append(with_gradient(output if isinstance(output, Tensor) else output[0]))

    with ExitStack() as handles:
        for module in modules:
            handles.callback(module.register_forward_hook(keep).remove)
        yield found
