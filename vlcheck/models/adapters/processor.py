"""The base class of adapters with a tokenizer and an image processor of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from torch import Tensor, nn
from transformers import BatchEncoding, BatchFeature

from vlcheck.cases.rgb import to_rgb
from vlcheck.models.adapters.base import Adapter, MaskedPass, log_softmax
from vlcheck.models.adapters.described import pixels_said
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.transfer import moved

_OF_TOKENS = ("word_embeddings", "token_embedding", "embed_tokens")  # names of token embeddings in transformers


class Processed(Adapter):
    """A network with the tokenizer and the image processor that prepare its inputs.

    Args:
        name: the model's name in reports.
        fingerprint: content hash of its files, dtype and device type.
        network: the network, in its dtype, on its device.
        images: the image processor; for a network that reads regions, their extractor.
        texts: the tokenizer.
    """

    def __init__(self, name: str, fingerprint: str, network: nn.Module, images: Any, texts: Texts) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network: Any = network  # Any: transformers leaves the parts of a network untyped
        self.images, self.texts = images, texts

    def lose(self, metric: str, why: str) -> None:
        """Withdraw a metric.

        Args:
            metric: "mlm", "itm" or "mrc".
            why: the reason, for the message that the metric is not offered.
        """
        self.kinds = {name: kind for name, kind in self.kinds.items() if name != metric}
        self.lacks = {**self.lacks, metric: why}

    def lose_head(self, metric: str, head: str) -> None:
        """Withdraw a metric because the checkpoint lacks the weights of its head.

        Args:
            metric: "mlm", "itm" or "mrc".
            head: prefix of the names of the missing weights.
        """
        self.lose(metric, f"its checkpoint has no weights of {head.rstrip('.')}")

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """Prepare pictures with the image processor, on the network's device and in its dtype.

        Args:
            images: n RGB images of any size.

        Returns:
            The inputs that the processor makes, e.g. pixel_values, (n, 3, height, width).

        Raises:
            NotApplicable: the processor refuses a picture.
        """
        made, device = self.prepared(images), self.network.device
        made.update({name: moved(one, device) for name, one in made.items() if isinstance(one, Tensor)})
        return made.to(device, self.network.dtype)

    def pictures_said(self) -> str:
        return pixels_said(self.images) if self.images is not None else "no picture is read"

    def texts_said(self) -> str:
        return self.texts.said()

    def can_spell(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""
        return self.texts.spells(text)

    def prepared(self, images: Sequence[Image.Image]) -> BatchFeature:
        """Prepare pictures with the image processor, on the CPU. See `pixels`.

        Raises:
            NotApplicable: the processor refuses a picture.
        """
        rgb = [to_rgb(image) for image in images]
        with errors_as_refusals():
            made: BatchFeature = self.images(rgb, return_tensors="pt")
        return made

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Return the token ids and attention masks of texts, (n, tokens) each, on the network's device.

        Args:
            texts: n texts.
            masks: for each text, the number of mask tokens that its "[MASK]" becomes; 1 if None.

        Raises:
            NotApplicable: a text is too long, or holds a special token.
        """
        return self.texts.batch(texts, masks).to(self.network.device)

    def _predict(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        rows = [each.row for each in passes]
        tokens = self.tokens([texts[row] for row in rows], [each.masks for each in passes])
        where = tokens["input_ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.word_logits(features.each(rows), tokens, where))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Return the logits of the vocabulary at the masks of texts, one text for each image.

        Args:
            images: encoded images, each (n, ...).
            tokens: n texts.
            where: True at the mask tokens, (n, tokens).

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


def token_embeddings(network: nn.Module) -> nn.Module | None:
    """Return the module that embeds the tokens of texts; None if it has an unknown name."""
    return next((part for name, part in network.named_modules() if name.endswith(_OF_TOKENS)), None)
