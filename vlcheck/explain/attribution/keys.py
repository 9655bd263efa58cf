"""The places of the text among the keys of an attention over all tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from vlcheck.models.differentiable import Differentiable, PairInputs


def token_keys(model: Differentiable, attention: Tensor, inputs: PairInputs) -> Tensor:
    """Return the part of maps of a "joint" attention that lies on the tokens of the text, (n, ..., tokens).

    If the tokens hold places for patches, they are all keys, and these places get 0. Else the text is at the end of the
    keys that is not the image's.

    Args:
        model: the network.
        attention: maps over the keys of a "joint" attention, (n, ..., keys).
        inputs: the n pairs.
    """
    tokens, keys = inputs.ids.shape[1], attention.shape[-1]
    on_image = image_places(model, keys, inputs)
    if keys == tokens:
        return attention * ~on_image.reshape(len(inputs), *[1] * (attention.ndim - 2), keys)
    return attention[..., :tokens] if bool(on_image[0, -1]) else attention[..., -tokens:]


def image_places(model: Differentiable, keys: int, inputs: PairInputs) -> Tensor:
    """Return True at the keys of a "joint" attention that are visual units, (n, keys).

    Args:
        model: the network.
        keys: the number of keys.
        inputs: the n pairs.
    """
    probe = torch.ones(len(inputs), keys, device=inputs.ids.device, requires_grad=True)
    with torch.enable_grad():
        (taken,) = torch.autograd.grad(model.image_keys(probe, "joint", inputs).sum(), probe)
    return taken != 0
