"""BLIP (Li et al. 2022, arXiv:2201.12086): matching by its match head."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BlipForImageTextRetrieval

from vlcheck.models.features import Features
from vlcheck.models.hosted import Hosted, match_probability


class BlipMatch(Hosted):
    """A retrieval checkpoint: an image is encoded once for all its texts."""

    known = ("Salesforce/blip-itm-base-coco",)
    kinds = MappingProxyType({"itm": "match-head"})
    lacks = MappingProxyType({"mlm": "BLIP predicts words in its captioning checkpoint: itm=DIR,mlm=DIR names both"})

    @classmethod
    def network_class(cls) -> type[BlipForImageTextRetrieval]:
        return BlipForImageTextRetrieval

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features.of(self.network.vision_model(self.pixels(images)["pixel_values"])[0])

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        (embeds,) = images
        hidden = self.network.text_encoder(
            tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            encoder_hidden_states=embeds,
            encoder_attention_mask=embeds.new_ones(embeds.shape[:2], dtype=torch.long),
        )[0]
        return match_probability(self.network.itm_head(hidden[:, 0]))
