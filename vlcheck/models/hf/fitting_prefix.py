"""A trial of kept prefixes: a network keeps them only if its scores stay as they are without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from vlcheck._util.memory import lacks_memory
from vlcheck.models.adapters.base import log_softmax
from vlcheck.models.hf.capabilities import picks_tokens
from vlcheck.models.hf.prefixes import KeptPrefix, UnkeptPrefix
from vlcheck.models.loading.released import released_of

if TYPE_CHECKING:
    from vlcheck.models.hf.generative import Generative

_NOISE = np.random.default_rng(0)  # no two parts of a picture are alike
_PICTURES = [Image.fromarray(_NOISE.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in ((224, 224), (96, 320))]
_TEXTS = ("a dog", "a red bus on the street, and a dog beside it")
# Difference of log-probabilities that rounding makes. A network in float64 computes linear attention in float32.
_ROUNDING = 1e-5
_HALF = (torch.float16, torch.bfloat16)
_QUANTIZED = 10  # times the difference that padding makes: weights that cannot be read in float32


def fitting_reading(model: Generative) -> type[KeptPrefix | UnkeptPrefix]:
    """Return the way to read pictures that is exact and fastest: with kept prefixes if the scores are the same.

    Pictures and two questions of different lengths are read with a kept prefix, and as whole conversations, each alone
    and padded. All have to agree within rounding. In half precision a wrong prefix may differ by less than rounding, so
    a network in half precision is tried in float32. A network that picks the tokens it attends to may agree on one
    picture and not on the next, so it is not tried.

    Args:
        model: the model.

    Raises:
        Exception: the network does not read a whole conversation.
    """
    if picks_tokens(model.network):
        return UnkeptPrefix
    quantized = bool(released_of(model.network).quantization)
    with nullcontext() if quantized else _in_float32(model.network):
        agree = all(_agrees(model, picture, most=_QUANTIZED if quantized else 0) for picture in _PICTURES)
    return KeptPrefix if agree else UnkeptPrefix


@torch.inference_mode()
def _agrees(model: Generative, picture: Image.Image, *, most: float) -> bool:
    """Return True if a kept prefix changes no score of two questions about a picture.

    Args:
        model: the model.
        picture: the picture.
        most: the largest difference, as a multiple of the one that padding makes, that counts as rounding; it is
            _ROUNDING at least.
    """
    begun = model.begin(picture)
    asked = [torch.tensor(model.after(begun, text, model.chat.asked(text))) for text in _TEXTS]
    ids = pad_sequence(asked, batch_first=True).to(model.network.device)
    ends = ids.new_tensor([len(one) - 1 for one in asked])
    whole = UnkeptPrefix.read(model.forward, begun)
    rows = zip(ids, ends, strict=True)
    alone = torch.cat([whole.logits(model.forward, row[None, : end + 1], end[None]) for row, end in rows])[:, 0]
    padding = _difference(_each(whole.logits(model.forward, ids, ends)), alone)
    allowed = max(_ROUNDING, most * padding)
    if padding > allowed:  # padding alone changes a score
        return False
    try:
        kept = _each(KeptPrefix.read(model.forward, begun).logits(model.forward, ids, ends))
    except Exception as error:
        if lacks_memory(error):  # says nothing about the states
            raise
        return False
    return _difference(kept, alone) <= allowed


@contextmanager
def _in_float32(network: PreTrainedModel) -> Iterator[None]:
    """Have a network's weights of half precision in float32, which holds them exactly, and give them back as before."""
    halves = {
        name: (tensor, tensor.dtype)
        for name, tensor in chain(network.named_parameters(), network.named_buffers())
        if tensor.dtype in _HALF
    }
    try:
        for tensor, _ in halves.values():
            tensor.data = tensor.data.float()
        yield
    finally:
        for tensor, dtype in halves.values():
            tensor.data = tensor.data.to(dtype)


def _each(logits: Tensor) -> Tensor:
    """Return the logits of text i at the kept position i, (n, vocab_size), of those of n texts at n positions."""
    return logits.diagonal().T


def _difference(one: Tensor, other: Tensor) -> float:
    """Return the root of the mean squared difference of log-probabilities, given logits, (n, vocab_size)."""
    return float((log_softmax(one.double()) - log_softmax(other.double())).square().mean().sqrt())
