"""FLAVA (Singh et al. 2022, arXiv:2112.04482): a multimodal encoder reads the last states of two encoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import BatchEncoding, FlavaForPreTraining, PreTrainedModel

from vlcheck.cases.case import MASK
from vlcheck.models.adapters.stepwise import DifferentiableSteps, Stepwise
from vlcheck.models.adapters.text_encoding import EmbedsTexts
from vlcheck.models.differentiable import AttentionKind, PairInputs


class DifferentiableFlava(DifferentiableSteps):
    """The network with both heads."""

    attentions = MappingProxyType(
        {
            r"flava\.image_model\.encoder\.layer\.\d+\.attention\.attention": "image",
            r"flava\.text_model\.encoder\.layer\.\d+\.attention\.attention": "text",
            r"flava\.multimodal_model\.encoder\.layer\.\d+\.attention\.attention": "joint",
        }
    )

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [layer.output for layer in self.network.flava.image_model.encoder.layer]  # a layer returns a tuple

    @property
    def patch_size(self) -> int:
        return int(self.network.config.image_config.patch_size)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        # The keys of the image encoder are its class token and the patches. In the multimodal encoder a class token of
        # its own comes before these, and the text tokens after them.
        first = 1 + (kind == "joint" and self.network.flava.multimodal_model.use_cls_token)
        return attention[..., first : first + len(inputs.layouts[0].boxes)]


class Flava(EmbedsTexts, Stepwise):
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

    def differentiable(self) -> DifferentiableFlava:
        return DifferentiableFlava(self)

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        """Return the image encoder's last states, projected for the multimodal encoder: (n, image tokens, width)."""
        flava = self.network.flava
        states = flava.image_model(pictures["pixel_values"], output_hidden_states=True).hidden_states
        projected: Tensor = flava.image_to_mm_projection(states[-1])
        return projected

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        """Return the text encoder's last states, projected for the multimodal encoder: (n, tokens, width)."""
        flava = self.network.flava
        states = flava.text_model(**tokens, output_hidden_states=True).hidden_states
        projected: Tensor = flava.text_to_mm_projection(states[-1])
        return projected

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        logits: Tensor = self.network.itm_head(self.read(images, texts, attention))
        return logits

    def mask_logits(self, images: Tensor, texts: Tensor, attention: Tensor, where: Tensor) -> Tensor:
        hidden = self.read(images, texts, attention)[:, -where.shape[1] :]
        logits: Tensor = self.network.mmm_text_head(hidden[where])
        return logits

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts that the contrastive loss compares with those of pictures, (n, width)."""
        flava = self.network.flava
        return normalize(flava.text_projection(flava.text_model(**self.tokens(texts))[0][:, 0]), dim=-1)

    def read(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        """Return the last states of the multimodal encoder.

        Args:
            images: states of images, (n, image tokens, width).
            texts: states of texts, (n, tokens, width).
            attention: the attention mask of the texts, (n, tokens).

        Returns:
            States, (n, tokens, width), in the order class token, image tokens, text tokens.
        """
        multimodal = self.network.flava.multimodal_model
        seen = attention.new_ones(len(attention), images.shape[1] + multimodal.use_cls_token)
        keep = torch.cat([seen, attention], dim=1)
        hidden: Tensor = multimodal(torch.cat([images, texts], dim=1), attention_mask=keep)[0]
        return hidden
