"""Adapters of networks that are asked in three steps: states of the picture, states of the text, a score from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding

from vlcheck.models.adapters.differentiable import log_probs_of_pieces
from vlcheck.models.adapters.differentiable_network import DifferentiableNetwork, tokens_of
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted, match_probability
from vlcheck.models.differentiable import PairInputs


class Stepwise(Hosted):
    """The base class of adapters that encode a picture, once for all its texts, before they read a text with it.

    The same three steps make scores and their gradients.
    """

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features.of(self.image_states(self.pixels(images)))

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        (states,) = images
        return match_probability(self.match_logits(states, self.text_states(tokens), tokens["attention_mask"]))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        (states,) = images
        return self.mask_logits(states, self.text_states(tokens), tokens["attention_mask"], where)

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        """Return what the network computes from pictures alone, (n, ...).

        Args:
            pictures: what the image processor made of n pictures.
        """
        raise NotImplementedError

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        """Return what the network computes from texts alone, (n, ...).

        Args:
            tokens: n texts.
        """
        raise NotImplementedError

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        """Return the logits of no match and match, (n, 2).

        Args:
            images: states of n pictures.
            texts: states of n texts.
            attention: the attention mask of the texts, (n, tokens).
        """
        raise NotImplementedError

    def mask_logits(self, images: Tensor, texts: Tensor, attention: Tensor, where: Tensor) -> Tensor:
        """Return the logits of the vocabulary at the masks of texts, (masks, vocab_size).

        Args:
            images: states of n pictures.
            texts: states of n texts.
            attention: the attention mask of the texts, (n, tokens).
            where: True at the mask tokens, (n, tokens).
        """
        raise NotImplementedError


class DifferentiableSteps(DifferentiableNetwork):
    """The network of an adapter that asks it in three steps.

    Args:
        model: the adapter.
    """

    model: Stepwise

    def image_states(self, inputs: PairInputs) -> Tensor:
        return self.model.image_states({"pixel_values": inputs.pixels, **inputs.others})

    def text_states(self, inputs: PairInputs) -> Tensor:
        return self.model.text_states(tokens_of(inputs))

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        return self.model.match_logits(image_states, text_states, inputs.attention)

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        logits = self.model.mask_logits(image_states, text_states, inputs.attention, inputs.masks)
        return log_probs_of_pieces(logits, inputs)


def beside_zero(logits: Tensor) -> Tensor:
    """Return the logits of no match, which are 0, and of match: (n, 2), given the single logit of each pair, (n,)."""
    return torch.stack([torch.zeros_like(logits), logits], dim=-1)
