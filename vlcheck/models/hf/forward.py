"""The forward pass of networks that write text about pictures, called in the same way for all of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import Cache, PreTrainedModel

_AXES = 3  # time, height and width: Qwen2-VL, arXiv:2409.12191, section 2.1


@dataclass(frozen=True, eq=False)
class Forward:
    """A network's forward pass. The parameters that it takes are found in its signature.

    Attributes:
        network: the network.
        named: the names of the parameters.
    """

    network: Any  # transformers leaves the parts of a network untyped
    named: frozenset[str]

    @classmethod
    def of(cls, network: PreTrainedModel) -> Self:
        return cls(network, frozenset(inspect.signature(network.forward).parameters))

    def __call__(self, ids: Tensor, keep: Tensor, cache: Cache | None = None, **inputs: object) -> Tensor:
        """Return the logits of the next token at some positions, (n, kept, vocab_size).

        Args:
            ids: token ids of n texts, (n, tokens).
            keep: the positions, (kept,), in range(tokens).
            cache: states of earlier tokens, to which those of the texts are added; None to keep no states.
            inputs: further inputs of the network.
        """
        # transformers 5 renamed the parameter of the cache in one of its releases
        cached = {} if cache is None else {"cache" if "cache" in self.named else "past_key_values": cache}
        kept = {"logits_to_keep": keep} if "logits_to_keep" in self.named else {}
        logits: Tensor = self.network(
            input_ids=ids, use_cache=cache is not None, return_dict=True, **cached, **kept, **inputs
        ).logits
        return logits if logits.shape[1] == len(keep) else logits[:, keep]

    def places(self, first: int, ids: Tensor, *, spatial: bool) -> Mapping[str, Tensor]:
        """Return the positions of texts as an input of the network; none for a network that counts by itself.

        Args:
            first: the position of the first token.
            ids: token ids of n texts, (n, tokens).
            spatial: True if a position has several parts, which are equal in a text.
        """
        if "position_ids" not in self.named:
            return {}
        places = first + torch.arange(ids.shape[1], device=ids.device)
        return {"position_ids": places.expand(*([self._axes] if spatial else []), *ids.shape)}

    @property
    def shift(self) -> int | None:
        """The position of the token after the prefix that was read last, less the number of its tokens.

        It is None for a network whose positions have one part.
        """
        deltas = getattr(self._spatial, "rope_deltas", None)
        return None if deltas is None else int(deltas)

    @cached_property
    def _spatial(self) -> nn.Module | None:
        """The module that places the parts of a picture in space; None if there is none."""
        return next((module for module in self.network.modules() if hasattr(module, "rope_deltas")), None)

    @property
    def _axes(self) -> int:
        stated = getattr(self.network.config.get_text_config(), "rope_parameters", None) or {}
        return len(stated.get("mrope_section") or ()) or _AXES
