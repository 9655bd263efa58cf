"""Llama 4 (Meta, 2025): chunked and full attention in turn, and experts."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from vlcheck.models.adapters.chat import Chat
from vlcheck.models.hf.generative import Generative


class Llama4(Generative):
    """Adapter of a network that asks its language network for a result that this one does not name.

    The forward pass of transformers 5.24 ends in an error for that reason; with the result named, and empty, it ends.
    """

    known = MappingProxyType({"Llama4ForConditionalGeneration": ("meta-llama/Llama-4-Scout-17B-16E-Instruct",)})

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, chat: Chat) -> None:
        network.language_model.register_forward_hook(_name_picture)  # type: ignore[union-attr]
        super().__init__(name, fingerprint, network, chat)


def _name_picture(_: nn.Module, __: object, output: Any) -> None:
    """Name the states of the picture in the output of a language network that has none."""
    if not hasattr(output, "image_outputs"):
        output.image_outputs = None
