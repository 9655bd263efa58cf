"""The base class of adapters whose texts and pictures go through a tokenizer and an image processor of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from torch import Tensor, nn
from transformers import BatchEncoding, BatchFeature

from vlcheck.cases.rgb import to_rgb
from vlcheck.models.adapters.base import Adapter, Reading, log_softmax
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.adapters.tokenizing import Texts


class Processed(Adapter):
    """A network that is fed by a tokenizer and an image processor of transformers.

    Args:
        name: the model's name in reports.
        fingerprint: content hash of its files, dtype and device type.
        network: the network, in its dtype, on its device.
        images: an image processor, which makes pixels of pictures; or a detector of regions in its place.
        texts: the tokenizer, which makes ids of texts.
    """

    def __init__(self, name: str, fingerprint: str, network: nn.Module, images: Any, texts: Texts) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network: Any = network  # transformers' types know little of a network's parts
        self.images, self.texts = images, texts

    def lose(self, metric: str, why: str) -> None:
        """Withdraw a metric.

        Args:
            metric: "mlm", "itm" or "mrc".
            why: the reason, which is shown to who asks for it.
        """
        self.kinds = {name: kind for name, kind in self.kinds.items() if name != metric}
        self.lacks = {**self.lacks, metric: why}

    def lose_head(self, metric: str, head: str) -> None:
        """Withdraw a metric, since the checkpoint lacks the weights of its head.

        Args:
            metric: "mlm", "itm" or "mrc".
            head: prefix of the names of the missing weights.
        """
        self.lose(metric, f"its checkpoint has no weights of {head.rstrip('.')}")

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """Return pictures as the image processor makes them, on the network's device and in its dtype.

        Raises:
            NotApplicable: the processor refuses one of them.
        """
        return self.prepared(images).to(self.network.device, self.network.dtype)

    def prepared(self, images: Sequence[Image.Image]) -> BatchFeature:
        """Return pictures as the image processor makes them, on the CPU.

        Raises:
            NotApplicable: the processor refuses one of them.
        """
        rgb = [to_rgb(image) for image in images]
        with errors_as_refusals():
            made: BatchFeature = self.images(rgb, return_tensors="pt")
        return made

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Return texts as ids and attention masks on the network's device.

        Args:
            texts: n texts.
            masks: for each text, the number of mask tokens that its "[MASK]" becomes; 1 if None.

        Raises:
            NotApplicable: a text is too long, or holds a special token.
        """
        return self.texts.batch(texts, masks).to(self.network.device)

    def _predict(self, features: Features, texts: Sequence[str], readings: Sequence[Reading]) -> Tensor:
        rows = [reading.row for reading in readings]
        tokens = self.tokens([texts[row] for row in rows], [reading.masks for reading in readings])
        where = tokens["input_ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.word_logits(features.each(rows), tokens, where))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Return the logits at the masks of texts, one text for each image.

        Args:
            images: encoded images, each (n, ...).
            tokens: n texts.
            where: True at the masks, (n, tokens).

        Returns:
            Logits, (masks, vocab_size).
        """
        raise NotImplementedError

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        return self.match(features.each(rows), self.tokens(texts))

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """Return P(match) of each text with its image.

        Args:
            images: encoded images, each (n, ...).
            tokens: n texts.

        Returns:
            Probabilities, (n,).
        """
        raise NotImplementedError

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.texts.pieces(text, word)

    def _entry(self, number: int) -> str:
        return self.texts.entry(number)
