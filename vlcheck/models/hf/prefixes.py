"""Pictures as prefixes of conversations: read once with their states kept, or read anew with each text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from vlcheck.models.adapters.chat import SEEN, ChatPrefix, extended
from vlcheck.models.hf.forward import Forward

_PLAIN = (DynamicLayer, DynamicSlidingWindowLayer)  # layers of keys and values alone, which are never changed in place


@dataclass(frozen=True, eq=False)
class Prefix:
    """A picture, with the tokens of every conversation about it that come before the texts.

    Attributes:
        said: a remark on the way of reading for the line of a run that tells the setup; "" for the usual way.
        head: token ids of the prefix, in which one token stands for the whole picture.
        length: number of tokens of the prefix.
    """

    said: ClassVar[str] = ""
    head: tuple[int, ...]
    length: int

    def logits(self, forward: Forward, ids: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token at some positions of texts about the picture, (n, kept, vocab_size).

        Args:
            forward: the network's forward pass.
            ids: token ids of n texts after the prefix, (n, tokens).
            keep: the positions, (kept,), in range(tokens).
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class KeptPrefix(Prefix):
    """A prefix whose states are kept, from which each text continues.

    The states are those that the network's config asks for: keys and values, of a window or of all tokens, or the
    states of recurrent and convolutional layers, and none for layers that share those of another.

    Attributes:
        cache: the states, with a batch of one.
        shift: position of the next token less `length`: tokens of the picture may share positions. None for a network
            whose positions have one part.
        seen: masks of the parts of the picture that each later token attends to, (1, 1, ...), by the name of the
            network's input; empty for networks without such inputs.
    """

    cache: DynamicCache
    shift: int | None
    seen: Mapping[str, Tensor]

    @classmethod
    def read(cls, forward: Forward, begun: ChatPrefix) -> Self:
        """Read the prefix of a picture.

        Args:
            forward: the network's forward pass.
            begun: the network's inputs for the prefix.
        """
        cache, ids = DynamicCache(config=forward.network.config), begun.inputs["input_ids"]
        others = {name: value for name, value in begun.inputs.items() if name != "input_ids"}
        forward(ids, torch.tensor([begun.length - 1], device=ids.device), cache, **others)
        seen = {name: begun.inputs[name][:, -1:] for name in SEEN if name in begun.inputs}
        return cls(begun.head, begun.length, cache, forward.shift, seen)

    def logits(self, forward: Forward, ids: Tensor, keep: Tensor) -> Tensor:
        return forward(ids, keep, self.restored(len(ids)), **self.placed(forward, ids))

    def placed(self, forward: Forward, ids: Tensor, after: int = 0) -> dict[str, Tensor]:
        """Return the inputs that say where texts stand, beside their token ids.

        Args:
            forward: the network's forward pass.
            ids: token ids of n texts, (n, tokens).
            after: number of tokens between the prefix and the texts.
        """
        first = self.length + (self.shift or 0) + after
        masks = {name: mask.expand(*ids.shape, *mask.shape[2:]) for name, mask in self.seen.items()}
        return {**forward.places(first, ids, spatial=self.shift is not None), **masks}

    def reader(self, forward: Forward) -> Callable[[Tensor], Tensor]:
        """Return a function that reads one text part by part: token ids, (1, n), to the next token's logits, (vocab,).

        Args:
            forward: the network's forward pass.
        """
        cache, had = self.restored(1), 0

        def read(ids: Tensor) -> Tensor:
            nonlocal had
            placed = self.placed(forward, ids, after=had)
            had += ids.shape[1]
            return forward(ids, ids.new_tensor([ids.shape[1] - 1]), cache, **placed)[0, -1]

        return read

    def restored(self, texts: int) -> DynamicCache:
        """Return a copy of the states for each of a number of texts; the network adds those of the texts to it."""
        cache = copy(self.cache)
        cache.layers = [_repeated(layer, texts) for layer in self.cache.layers]
        return cache


@dataclass(frozen=True, eq=False)
class UnkeptPrefix(Prefix):
    """A prefix whose states are not kept: each conversation is read whole and alone, as transformers reads it.

    Attributes:
        inputs: the network's inputs for the prefix, with a batch of one.
    """

    said: ClassVar[str] = "each text is read with its picture anew: a kept prefix would change scores"
    inputs: Mapping[str, Tensor]

    @classmethod
    def read(cls, forward: Forward, begun: ChatPrefix) -> Self:
        return cls(begun.head, begun.length, begun.inputs)

    def logits(self, forward: Forward, ids: Tensor, keep: Tensor) -> Tensor:
        length = self.length + ids.shape[1]
        others = {name: extended(name, value, length) for name, value in self.inputs.items() if name != "input_ids"}
        wholes = [torch.cat([self.inputs["input_ids"], row[None]], dim=1) for row in ids]
        return torch.cat([forward(whole, keep + self.length, **others) for whole in wholes])


def keeps_plain_states(config: PreTrainedConfig) -> bool:
    """Return True if each layer of a network keeps keys and values alone, of all tokens or of a window.

    Args:
        config: the network's config.
    """
    return all(type(layer) in _PLAIN for layer in DynamicCache(config=config).layers)


def _repeated(layer: Any, texts: int) -> Any:
    """Return a copy of the states of a layer for each of a number of texts."""
    copied = copy(layer)
    if type(layer) in _PLAIN and layer.is_initialized:
        copied.keys, copied.values = (states.expand(texts, -1, -1, -1) for states in (layer.keys, layer.values))
        return copied
    vars(copied).update({name: dict(value) for name, value in vars(layer).items() if isinstance(value, dict)})
    copied.reorder_cache(torch.zeros(texts, dtype=torch.long))
    return copied
