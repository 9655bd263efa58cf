"""BERT predicts the masked words of a caption without its picture: a control for models that see the picture.

Source: Devlin et al. 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BertForMaskedLM, PreTrainedModel

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.text_encoding import EmbedsTexts, mean_of_tokens
from vlcheck.models.adapters.tryout import PLAIN
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.loading.pretrained import Pretrained

_LEAST = np.finfo(np.float64).tiny  # in place of a probability that was rounded to 0


class Bert(EmbedsTexts, Hosted):
    """A text encoder that predicts masked words. It is given pictures and ignores them."""

    sees = False
    kinds = MappingProxyType({"mlm": "masked-lm"})
    lacks = MappingProxyType({"itm": "it reads only the text, not the picture"})
    known = ("google-bert/bert-base-uncased",)
    blank = MASK

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

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the means of the last states of all tokens, (n, width)."""
        tokens = self.tokens(texts)
        return mean_of_tokens(self.network.base_model(**tokens).last_hidden_state, tokens["attention_mask"])

    def gap_log_probs(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the mean log-probability of the pieces of words in the gap of each text.

        See `vlcheck.models.text_encoding.GapFilling`.

        Args:
            texts: n texts, each with "[MASK]" once.
            words: n lists of words.
        """
        probs = self.mlm(self.encode([PLAIN] * len(texts)), texts, words)
        pieces = ([len(self._pieces(text, word)) for word in asked] for text, asked in zip(texts, words, strict=True))
        return [np.log(np.maximum(each, _LEAST)) / lengths for each, lengths in zip(probs, pieces, strict=True)]
