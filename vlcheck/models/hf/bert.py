"""BERT predicts the masked words of a caption without its picture: a control for models that see the picture.

Source: Devlin et al. 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BertForMaskedLM, PreTrainedModel

from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.loading.pretrained import Pretrained


class Bert(Hosted):
    """A text encoder that predicts masked words. It is given pictures and ignores them."""

    sees = False
    kinds = MappingProxyType({"mlm": "masked-lm"})
    lacks = MappingProxyType({"itm": "it reads only the text, not the picture"})
    known = ("google-bert/bert-base-uncased",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return BertForMaskedLM

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> None:
        return  # no picture is read

    def differentiable(self) -> Differentiable:
        raise NotApplicable(f"{self.name} gives no map of a picture: it reads only the text")

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return features of width 0 for each image."""
        return Features.of(torch.zeros(len(images), 0))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.network(**tokens).logits[where]
        return logits
