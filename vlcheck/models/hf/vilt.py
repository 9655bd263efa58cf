"""ViLT (Kim et al. 2021, arXiv:2102.03334) as transformers hosts it: image and text are read together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    BatchEncoding,
    PreTrainedModel,
    ViltForImageAndTextRetrieval,
    ViltForMaskedLM,
)

from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.relative import Relative


class _Vilt(Hosted):
    """What both checkpoints share: an image's pixels are all that can be kept of it."""

    side = None  # positions are drawn out over pictures of any shape

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        prepared = self.pixels(images)
        return Features.of(prepared["pixel_values"], prepared["pixel_mask"])

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """What the network says of texts over as many images."""
        pixels, mask = images
        with _one_order():
            return self.network(**tokens, pixel_values=pixels, pixel_mask=mask)


class ViltWords(_Vilt):
    """A checkpoint for masked words."""

    known = ("dandelin/vilt-b32-mlm",)
    unread = ("itm_score.",)
    kinds = MappingProxyType({"mlm": "masked-lm"})
    lacks = MappingProxyType({"itm": "it predicts words; name a retrieval checkpoint as well: itm=DIR,mlm=DIR"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return ViltForMaskedLM

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.read(images, tokens).logits[where]
        return logits


class ViltRetrieval(Relative, _Vilt):
    """A checkpoint for retrieval: one unbounded logit, which ranks texts."""

    known = ("dandelin/vilt-b32-finetuned-coco",)
    unread = ("mlm_score.", "itm_score.")
    kinds = MappingProxyType({"itm": "ranking"})
    lacks = MappingProxyType({"mlm": "it ranks texts; name one for masked words as well: itm=DIR,mlm=DIR"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return ViltForImageAndTextRetrieval

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        logits: Tensor = self.read(images, self.tokens(texts)).logits[:, 0]
        return logits


@contextmanager
def _one_order() -> Iterator[None]:
    """ViLT reads an image's patches in an order by lot, which moves the last digits: always the same one."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
