"""Networks whose layers are compiled by torch.compile."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from PIL import Image
from torch import nn

from vlcheck._util.foreign_code import contained
from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, parameter
from vlcheck.models.loading.networks import networks_of
from vlcheck.models.protocol import NamesWords, VisionLanguageModel

# Not square, and of other numbers of pictures and texts: layers are compiled for any number here, not in the run.
_PICTURES = [Image.new("RGB", (224, 160), color) for color in ("gray", "white", "black")]
_TEXTS = ["a bus", "a bus on the street", "a"]


def compile_layers(model: VisionLanguageModel) -> VisionLanguageModel:
    """Compile the repeated layers of a model's networks, in place, and ask it a few questions.

    Layers of one class that follow one another are compiled once for all. Scores differ from those of the same layers
    that are not compiled in their last digits, so the fingerprint is another one, too.

    Args:
        model: the model.

    Returns:
        The model.

    Raises:
        UsageError: it has no such layers, or they cannot be compiled, e.g. for want of a C++ compiler.
    """
    layers = [layer for network in networks_of(model) for layer in _repeated(network)]
    if not layers:
        raise UsageError(
            f"{parameter('compile')}: {model.name} has no layers of PyTorch that are repeated. Leave it out."
        )
    for layer in layers:
        layer.compile(dynamic=True)
    try:
        with contained(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler raises many, about itself
            _ask(model)
    except (ForeignFault, NotApplicable, UsageError) as error:
        raise UsageError(f"{parameter('compile')}: {model.name} cannot be compiled. {error} Leave it out.") from error
    model.fingerprint = digest(model.fingerprint, "torch.compile", torch.__version__)
    return model


def _repeated(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of a network that stand in a list of several ones of one class, but for those within others."""
    for child in network.children():
        same = isinstance(child, nn.ModuleList | nn.Sequential) and len(child) > 1
        if same and len({type(layer) for layer in child.children()}) == 1:
            yield from child.children()
        else:
            yield from _repeated(child)


def _ask(model: VisionLanguageModel) -> None:
    """Ask a model as a run does: several pictures and one, several texts and one."""
    encoded = model.encode(_PICTURES)
    for chosen in (encoded, encoded[[1]]):
        texts = _TEXTS[: len(chosen)]
        if "itm" in model.metrics:
            model.itm(chosen, texts, [["a cat"]] * len(texts))
        if "mlm" in model.metrics:
            masked = [f"{text} {MASK}" for text in texts]
            if isinstance(model, NamesWords):  # they need no word, which its vocabulary might lack
                model.top(chosen, masked, 1)
            else:
                model.mlm(chosen, masked, [["a"]] * len(texts))
