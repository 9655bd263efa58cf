"""What adapters share whose texts and pictures go through a tokenizer and an image processor of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from torch import Tensor, nn
from transformers import BatchEncoding, BatchFeature

from vlcheck.cases.rgb import to_rgb
from vlcheck.models.adapters.base import Adapter, Reading, log_softmax
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.refusal import refusals
from vlcheck.models.adapters.tokenizing import Texts


class Processed(Adapter):
    """A network that is fed by a tokenizer and an image processor of transformers.

    Args:
        name: how reports call it.
        fingerprint: of its files, dtype and device type.
        network: in its dtype, on its device.
        images: makes pixels of pictures, or what the adapter looks at them with in its place.
        texts: makes ids of texts.
    """

    def __init__(self, name: str, fingerprint: str, network: nn.Module, images: Any, texts: Texts) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network: Any = network  # transformers' types know little of a network's parts
        self.images, self.texts = images, texts

    def lose(self, metric: str, why: str) -> None:
        """Offer a metric no more."""
        self.kinds = {name: kind for name, kind in self.kinds.items() if name != metric}
        self.lacks = {**self.lacks, metric: why}

    def lose_head(self, metric: str, head: str) -> None:
        """Offer a metric no more, for want of its head's weights, whose names begin so."""
        self.lose(metric, f"its checkpoint has no weights of {head.rstrip('.')}")

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """What the image processor makes of pictures, on the network's device, in its dtype.

        Raises:
            NotApplicable: it refuses one of them.
        """
        return self.prepared(images).to(self.network.device, self.network.dtype)

    def prepared(self, images: Sequence[Image.Image]) -> BatchFeature:
        """What the image processor makes of pictures. Raises NotApplicable as `pixels`."""
        rgb = [to_rgb(image) for image in images]
        with refusals():
            made: BatchFeature = self.images(rgb, return_tensors="pt")
        return made

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Texts as ids and masks on the network's device."""
        return self.texts.batch(texts, masks).to(self.network.device)

    def _predict(self, features: Features, texts: Sequence[str], readings: Sequence[Reading]) -> Tensor:
        rows = [reading.row for reading in readings]
        tokens = self.tokens([texts[row] for row in rows], [reading.masks for reading in readings])
        where = tokens["input_ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.word_logits(features.each(rows), tokens, where))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Logits (masks, vocab_size) where `where` (n, tokens) says, of texts over as many images."""
        raise NotImplementedError

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        return self.match(features.each(rows), self.tokens(texts))

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """P(match), (n,), of texts with as many images."""
        raise NotImplementedError

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.texts.pieces(text, word)

    def _entry(self, number: int) -> str:
        return self.texts.entry(number)
