"""BLIP (Li et al. 2022, arXiv:2201.12086): adapters of its retrieval and its captioning checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize
from transformers import BatchEncoding, BlipForConditionalGeneration, BlipForImageTextRetrieval, PreTrainedModel

from vlcheck.models.adapters.autoregressive import Autoregressive, check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted, match_probability
from vlcheck.models.adapters.text_encoding import EmbedsTexts
from vlcheck.models.adapters.tokenizing import check_plain

PROMPT = "a picture of "  # the captioning checkpoints were trained with this before every caption


class _Blip(Hosted):
    """The base of BLIP's two adapters: each image is encoded once for all its texts."""

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features.of(self.network.vision_model(self.pixels(images)["pixel_values"])[0])


class BlipMatch(EmbedsTexts, _Blip):
    """Adapter of a retrieval checkpoint: P(match) from its match head."""

    known = ("Salesforce/blip-itm-base-coco",)
    unread = ("text_decoder.",)
    kinds = MappingProxyType({"itm": "match-head"})
    lacks = MappingProxyType({"mlm": "BLIP predicts words in its captioning checkpoint: itm=DIR,mlm=DIR names both"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return BlipForImageTextRetrieval

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        (embeds,) = images
        hidden = self.network.text_encoder(
            tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            encoder_hidden_states=embeds,
            encoder_attention_mask=embeds.new_ones(embeds.shape[:2], dtype=torch.long),
        )[0]
        return match_probability(self.network.itm_head(hidden[:, 0]))

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts that BLIP compares with those of pictures, (n, width)."""
        tokens = self.tokens(texts)
        hidden = self.network.text_encoder(tokens["input_ids"], attention_mask=tokens["attention_mask"])[0]
        return normalize(self.network.text_proj(hidden[:, 0]), dim=-1)


class BlipCaption(Autoregressive, _Blip):
    """Adapter of a captioning checkpoint: words are compared by the likelihood of the captions that they complete.

    Every caption follows the prompt that the checkpoints were trained with.
    """

    kinds = MappingProxyType({"mlm": "candidates"})
    prompts = (PROMPT,)
    known = ("Salesforce/blip-image-captioning-base",)
    unread = ("text_encoder.", "vision_proj.", "text_proj.", "itm_head.")
    lacks = MappingProxyType({"itm": "BLIP matches in its retrieval checkpoint: itm=DIR,mlm=DIR names both"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return BlipForConditionalGeneration

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        ids = self.texts.tokenizer(PROMPT + text, add_special_tokens=False)["input_ids"]
        check_length(len(ids) + 1, self.texts.limit)
        return [self.network.config.text_config.bos_token_id, *ids]

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        embeds = features.tensors[0][image].expand(len(ids), -1, -1)
        logits: Tensor = self.network.text_decoder(ids, encoder_hidden_states=embeds).logits[:, keep]
        return logits
