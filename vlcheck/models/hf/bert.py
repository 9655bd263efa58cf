"""BERT alone: it predicts words of a caption without the picture, as a control beside a model that sees it.

Source: Devlin et al. 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BertForMaskedLM, PreTrainedModel

from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.loading.pretrained import Pretrained


class Bert(Hosted):
    """A text encoder for masked words, which is given pictures and ignores them."""

    sees = False
    kinds = MappingProxyType({"mlm": "masked-lm"})
    lacks = MappingProxyType({"itm": "it reads words alone, and no picture"})
    known = ("google-bert/bert-base-uncased",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        """Return the class of transformers that reads the checkpoints."""
        return BertForMaskedLM

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> None:
        """Return None: no picture is read."""

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return empty features for each image."""
        return Features.of(torch.zeros(len(images), 0))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Return the logits at the masks. See `Processed.word_logits`."""
        logits: Tensor = self.network(**tokens).logits[where]
        return logits
