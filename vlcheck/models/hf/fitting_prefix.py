"""A trial of kept prefixes: a network keeps them only if its scores stay as they are without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlcheck.models.adapters.base import log_softmax
from vlcheck.models.adapters.tryout import PLAIN
from vlcheck.models.hf.capabilities import picks_tokens
from vlcheck.models.hf.prefixes import KeptPrefix, UnkeptPrefix

if TYPE_CHECKING:
    from vlcheck.models.hf.generative import Generative

_PICTURE = Image.linear_gradient("L").resize(PLAIN.size).convert("RGB")  # no two parts of it are alike
_TEXTS = ("a dog", "a red bus on the street, and a dog beside it")
# Differences of log-probabilities that rounding makes. A network in float64 computes linear attention in float32.
_EXACT = 1e-5
# In half precision also a wrong prefix may differ by less. A large network rounds up to _LARGE times more.
_ROUGH: Mapping[torch.dtype, float] = {torch.float16: 1e-2, torch.bfloat16: 5e-2}
_LARGE = 10


@torch.inference_mode()
def fitting_reading(model: Generative) -> type[KeptPrefix | UnkeptPrefix]:
    """Return the way to read pictures that is exact and fastest: with kept prefixes if the scores are the same.

    A picture and two questions of different lengths are read with a kept prefix, and as whole conversations, each
    alone and padded. All have to agree within rounding; in half precision, padding tells how much that is. A network
    that picks the tokens it attends to may agree on one picture and not on the next, so it is not tried.

    Args:
        model: the model.

    Raises:
        Exception: the network does not read a whole conversation.
    """
    if picks_tokens(model.network):
        return UnkeptPrefix
    begun = model.begin(_PICTURE)
    asked = [torch.tensor(model.after(begun, text, model.chat.asked(text))) for text in _TEXTS]
    ids = pad_sequence(asked, batch_first=True).to(model.network.device)
    ends = ids.new_tensor([len(one) - 1 for one in asked])
    whole = UnkeptPrefix.read(model.forward, begun)
    rows = zip(ids, ends, strict=True)
    alone = torch.cat([whole.logits(model.forward, row[None, : end + 1], end[None]) for row, end in rows])[:, 0]
    rounding = _difference(_each(whole.logits(model.forward, ids, ends)), alone)
    allowed = _allowed(alone.dtype, rounding)
    if rounding > allowed:  # padding alone changes a score
        return UnkeptPrefix
    try:
        kept = _each(KeptPrefix.read(model.forward, begun).logits(model.forward, ids, ends))
    except Exception:  # noqa: BLE001 - networks raise errors of many kinds where they keep no states, or other ones
        return UnkeptPrefix
    return KeptPrefix if _difference(kept, alone) <= allowed else UnkeptPrefix


def _allowed(dtype: torch.dtype, rounding: float) -> float:
    """Return the largest difference that counts as rounding.

    Args:
        dtype: the type of the logits.
        rounding: the difference that padding makes.
    """
    usual = _ROUGH.get(dtype)
    return _EXACT if usual is None else max(usual, _LARGE * min(rounding, usual))


def _each(logits: Tensor) -> Tensor:
    """Return the logits of text i at the kept position i, (n, vocab_size), of those of n texts at n positions."""
    return logits.diagonal().T


def _difference(one: Tensor, other: Tensor) -> float:
    """Return the root of the mean squared difference of log-probabilities, given logits, (n, vocab_size)."""
    return float((log_softmax(one.double()) - log_softmax(other.double())).square().mean().sqrt())
