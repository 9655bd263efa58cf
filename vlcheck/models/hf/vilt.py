"""ViLT (Kim et al. 2021, arXiv:2102.03334) in transformers: one encoder reads image and text together."""

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
from vlcheck.models.adapters.stepwise import beside_zero
from vlcheck.models.adapters.vilt import DifferentiableVilt


class _Vilt(Hosted):
    """The base of ViLT's two adapters: only the pixels of an image can be kept for all its texts."""

    side = None  # positions are interpolated for pictures of any shape

    def differentiable(self) -> DifferentiableVilt:
        return DifferentiableVilt(self)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        prepared = self.pixels(images)
        return Features.of(prepared["pixel_values"], prepared["pixel_mask"])

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """Return the network's output.

        Args:
            images: pixels, (n, 3, height, width), and their mask, (n, height, width).
            tokens: n texts.
        """
        pixels, mask = images
        with _fixed_order():
            return self.network(**tokens, pixel_values=pixels, pixel_mask=mask)


class ViltWords(_Vilt):
    """Adapter of a checkpoint for masked words."""

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


class DifferentiableViltRetrieval(DifferentiableVilt):
    """The network of a checkpoint for retrieval, which has one logit."""

    def match(self, pooled: Tensor) -> Tensor:
        return beside_zero(self.network.rank_output(pooled)[:, 0])


class ViltRetrieval(Relative, _Vilt):
    """Adapter of a checkpoint for retrieval. Its one logit is no probability: it only ranks texts."""

    known = ("dandelin/vilt-b32-finetuned-coco",)
    unread = ("mlm_score.", "itm_score.")
    kinds = MappingProxyType({"itm": "ranking"})
    lacks = MappingProxyType({"mlm": "it ranks texts; name one for masked words as well: itm=DIR,mlm=DIR"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return ViltForImageAndTextRetrieval

    def differentiable(self) -> DifferentiableViltRetrieval:
        return DifferentiableViltRetrieval(self)

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        logits: Tensor = self.read(images, self.tokens(texts)).logits[:, 0]
        return logits


@contextmanager
def _fixed_order() -> Iterator[None]:
    """Fix the random order in which ViLT reads the patches of an image, since it changes the last digits of scores."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
