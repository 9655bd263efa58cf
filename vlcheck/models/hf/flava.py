"""FLAVA (Singh et al. 2022, arXiv:2112.04482): a multimodal encoder reads the last states of two encoders."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize
from transformers import BatchEncoding, FlavaForPreTraining, PreTrainedModel

from vlcheck.cases.case import MASK
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted, match_probability
from vlcheck.models.adapters.text_encoding import EmbedsTexts


class Flava(EmbedsTexts, Hosted):
    """Adapter of a pre-training checkpoint with both heads. Its image encoder runs once for all texts of an image."""

    known = ("facebook/flava-full",)
    kinds = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})
    unread = ("image_codebook.",)
    settings = MappingProxyType({"init_codebook": False})  # the codebook is used in training alone
    blank = MASK

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return FlavaForPreTraining

    @property
    def side(self) -> Any:
        """The height and width in pixels of the pictures that the image encoder reads."""
        return self.network.config.image_config.image_size

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the image encoder's last states, projected for the multimodal encoder: (n, image tokens, width)."""
        flava = self.network.flava
        states = flava.image_model(self.pixels(images)["pixel_values"], output_hidden_states=True).hidden_states
        return Features.of(flava.image_to_mm_projection(states[-1]))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        hidden = self.read(images, tokens)[:, -where.shape[1] :]
        logits: Tensor = self.network.mmm_text_head(hidden[where])
        return logits

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts that the contrastive loss compares with those of pictures, (n, width)."""
        flava = self.network.flava
        return normalize(flava.text_projection(flava.text_model(**self.tokens(texts))[0][:, 0]), dim=-1)

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        return match_probability(self.network.itm_head(self.read(images, tokens)))

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """Return the last states of the multimodal encoder.

        Args:
            images: encoded images, (n, image tokens, width).
            tokens: n texts.

        Returns:
            States, (n, tokens, width), in the order class token, image tokens, text tokens.
        """
        flava, (image,) = self.network.flava, images
        states = flava.text_model(**tokens, output_hidden_states=True).hidden_states
        both = torch.cat([image, flava.text_to_mm_projection(states[-1])], dim=1)
        attention = tokens["attention_mask"]
        seen = attention.new_ones(len(attention), image.shape[1] + flava.multimodal_model.use_cls_token)
        hidden: Tensor = flava.multimodal_model(both, attention_mask=torch.cat([seen, attention], dim=1))[0]
        return hidden
