"""The adapter that ALBEF and X-VLM share: an image is encoded alone, then cleaned captions are read with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar, Self

import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.registry import DEFAULT_KINDS
from vlcheck.models.adapters.base import MaskedPass, log_softmax
from vlcheck.models.adapters.described import joined, normalised_by, size_said
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.text_encoding import EmbedsTexts
from vlcheck.models.adapters.transfer import moved
from vlcheck.models.adapters.tryout import PLAIN, ask_everything, trying
from vlcheck.models.loading.layout import fingerprint
from vlcheck.models.original.fusion.captions import MASK, MAX_WORDS, CaptionTokenizer, count_words
from vlcheck.models.original.fusion.differentiable import DifferentiableFusion
from vlcheck.models.original.fusion.network import FusionNetwork
from vlcheck.models.original.fusion.pixels import MEAN, STD, preprocess
from vlcheck.models.original.wordpiece import check_entries, vocabulary_of

_NO_MLM = "a fine-tuned checkpoint without MLM head: it offers itm alone; for mlm take a pre-training checkpoint"


class Fusing(EmbedsTexts):
    """The adapter of a network that fuses captions with encoded images.

    Args:
        network: the network, in its dtype, on its device.
        tokenizer: a tokenizer with the network's vocabulary.
        name: the model's name in reports.
        max_pairs: the most texts in one forward pass, which bounds memory.

    Attributes:
        family: the family's name in messages.
        max_tokens: the most tokens that the original code keeps of a text; None if it limits words only.
    """

    kinds = DEFAULT_KINDS
    cased = False
    blank = MASK
    family: ClassVar[str]
    max_tokens: ClassVar[int | None] = None

    def __init__(self, network: FusionNetwork, tokenizer: CaptionTokenizer, *, name: str, max_pairs: int = 64) -> None:
        check_entries(tokenizer.vocabulary, network.config.vocab_size)
        self.network = network.eval().requires_grad_(requires_grad=False)
        self.tokenizer = tokenizer
        self.name = name
        self.max_pairs = max_pairs
        self.lacks = {} if network.has_mlm_head else {"mlm": _NO_MLM}
        self.kinds = {metric: kind for metric, kind in DEFAULT_KINDS.items() if metric not in self.lacks}
        self.fingerprint = fingerprint(network, asdict(network.config), MEAN, STD, MAX_WORDS, tokenizer.vocabulary)

    @classmethod
    def from_folder(cls, folder: Path, network: FusionNetwork, *, name: str, device: str, dtype: str) -> Self:
        """Make an adapter with the vocabulary in the folder of the network's checkpoint, and try it out.

        Args:
            folder: the checkpoint's folder.
            network: the network.
            name: the model's name in reports.
            device: a torch device.
            dtype: a torch dtype.

        Raises:
            UsageError: there is no vocabulary, or the parts do not fit one another.
        """
        with vocabulary_of(folder) as vocabulary:
            model = cls(network.to(device, getattr(torch, dtype)), CaptionTokenizer(vocabulary), name=name)
        with trying(folder, "the configs, the checkpoint and vocab.txt"):
            ask_everything(model, model.encode([PLAIN]))
        return model

    def differentiable(self) -> DifferentiableFusion:
        return DifferentiableFusion(self)

    def pictures_said(self) -> str:
        return joined(size_said(self.network.config.image_size), "bicubic", normalised_by(MEAN, STD))

    def texts_said(self) -> str:
        tokens = f", {self.max_tokens} tokens" if self.max_tokens is not None else ""
        return f"captions in lower case without punctuation, at most {MAX_WORDS} words{tokens}"

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Encode all images at once; features stay on the device."""
        size = self.network.config.image_size
        pixels = moved(torch.stack([preprocess(image, size) for image in images]), self.network.temp.device)
        return Features.of(self.network.image_embeds(pixels.to(self.network.temp)))

    def can_spell(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""
        return self.tokenizer.unknown not in self.tokenizer.encode(text)

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts that the contrastive loss compares with those of pictures, (n, width)."""
        return self.network.text_features(*self.padded(texts, [1] * len(texts)))

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Return P(match) by softmax over the two logits of the matching head; the second one is that of a match."""
        logits = self.network.match(self.network.fusion(*self._inputs(features, rows, texts)))
        return log_softmax(logits)[:, 1].exp()

    def _predict(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        rows = [each.row for each in passes]
        asked = [texts[row] for row in rows]
        embeds, ids, *others = self._inputs(features, rows, asked, [each.masks for each in passes])
        fused = self.network.fusion(embeds, ids, *others)
        return log_softmax(self.network.text_encoder.predict(fused[ids == self.tokenizer.mask]))

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.tokenizer.pieces(word)

    def _entry(self, number: int) -> str:
        return self.tokenizer.vocabulary[number]

    def _inputs(
        self, features: Features, rows: Sequence[int], texts: Sequence[str], masks: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return image tokens, padded ids, the attention mask, and the index of each text's image."""
        ids, attention = self.padded(texts, masks or [1] * len(texts))
        (embeds,), images = features.distinct(rows)
        return embeds, ids, attention, images

    def padded(self, texts: Sequence[str], masks: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the token ids of texts, padded, and their attention mask, (n, tokens) each, on the network's device.

        Args:
            texts: n texts.
            masks: for each text, the number of mask tokens that its "[MASK]" becomes.

        Raises:
            NotApplicable: a text is too long for the model.
        """
        for text in texts:
            self._check_words(text)
        sentences = [self.tokenizer.encode(text, n) for text, n in zip(texts, masks, strict=True)]
        for text, sentence in zip(texts, sentences, strict=True):
            self._check_tokens(text, len(sentence))
        width = max(map(len, sentences))
        ids = torch.tensor([sentence + [self.tokenizer.pad] * (width - len(sentence)) for sentence in sentences])
        attention = torch.tensor([[1] * len(sentence) + [0] * (width - len(sentence)) for sentence in sentences])
        device = self.network.temp.device
        return ids.to(device), attention.to(device)

    def _check_words(self, text: str) -> None:
        if count_words(text) > MAX_WORDS:
            raise NotApplicable(f"the text has more than the {MAX_WORDS} words that {self.family} reads")

    def _check_tokens(self, text: str, length: int) -> None:
        if self.max_tokens is not None and length > self.max_tokens:
            raise NotApplicable(f"the text has more than the {self.max_tokens} tokens that {self.family} reads")
        if length > (limit := self.network.config.max_positions):
            raise UsageError(f"{text!r} has {length} tokens; the model reads {limit} at most.")
