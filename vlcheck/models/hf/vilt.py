"""ViLT (Kim et al. 2021, arXiv:2102.03334) in transformers: image and text are read together."""

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
    """The base class of both checkpoints: nothing but an image's pixels can be kept for all its texts."""

    side = None  # positions are interpolated for pictures of any shape

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        prepared = self.pixels(images)
        return Features.of(prepared["pixel_values"], prepared["pixel_mask"])

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """Return the network's output for texts, one text for each image."""
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
        """Return the class of transformers that reads the checkpoints."""
        return ViltForMaskedLM

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Return the logits at the masks. See `Processed.word_logits`."""
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
        """Return the class of transformers that reads the checkpoints."""
        return ViltForImageAndTextRetrieval

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        """Return one logit for each pair of image and text. See `Relative.rank`."""
        logits: Tensor = self.read(images, self.tokens(texts)).logits[:, 0]
        return logits


@contextmanager
def _one_order() -> Iterator[None]:
    """Fix the random order in which ViLT reads an image's patches: another order changes the last digits."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
