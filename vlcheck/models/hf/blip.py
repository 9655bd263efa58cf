"""BLIP (Li et al. 2022, arXiv:2201.12086): adapters of its retrieval and its captioning checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import BatchEncoding, BlipForConditionalGeneration, BlipForImageTextRetrieval, PreTrainedModel

from vlcheck.models.adapters.autoregressive import Autoregressive, check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.stepwise import DifferentiableSteps, Stepwise
from vlcheck.models.adapters.text_encoding import EmbedsTexts
from vlcheck.models.adapters.tokenizing import check_plain, tokens_within
from vlcheck.models.hf.differentiable_writers import DifferentiableCaptioner

PROMPT = "a picture of "  # the captioning checkpoints were trained with this before every caption


class _Blip(Stepwise):
    """The base of BLIP's two adapters: each image is encoded once for all its texts."""

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        states: Tensor = self.network.vision_model(pictures["pixel_values"])[0]
        return states


class DifferentiableBlip(DifferentiableSteps):
    """The network of a retrieval checkpoint: a text encoder that cross-attends to the image in every layer."""

    attentions = MappingProxyType(
        {
            r"vision_model\.encoder\.layers\.\d+\.self_attn": "image",
            r"text_encoder\.encoder\.layer\.\d+\.attention\.self": "text",
            r"text_encoder\.encoder\.layer\.\d+\.crossattention\.self": "cross",
        }
    )

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.network.vision_model.encoder.layers]


class BlipMatch(EmbedsTexts, _Blip):
    """Adapter of a retrieval checkpoint: P(match) from its match head."""

    known = ("Salesforce/blip-itm-base-coco",)
    unread = ("text_decoder.",)
    kinds = MappingProxyType({"itm": "match-head"})
    lacks = MappingProxyType({"mlm": "BLIP predicts words in its captioning checkpoint: itm=DIR,mlm=DIR names both"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return BlipForImageTextRetrieval

    def differentiable(self) -> DifferentiableBlip:
        return DifferentiableBlip(self)

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        embedded: Tensor = self.network.text_encoder.embeddings(tokens["input_ids"])
        return embedded

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        hidden = self.network.text_encoder(
            encoder_embeds=texts,
            attention_mask=attention,
            encoder_hidden_states=images,
            encoder_attention_mask=images.new_ones(images.shape[:2], dtype=torch.long),
        )[0]
        logits: Tensor = self.network.itm_head(hidden[:, 0])
        return logits

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

    def differentiable(self) -> DifferentiableCaptioner:
        return DifferentiableCaptioner(self)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self.spelled(text)

    def spelled(self, text: str) -> list[int]:
        """Return the tokens of the prompt and a text.

        Raises:
            NotApplicable: the text is too long for the model, or holds a special token.
        """
        check_plain(text, self.texts.signs)
        ids = self.texts.tokenizer(PROMPT + text, add_special_tokens=False)["input_ids"]
        check_length(len(ids) + 1, self.texts.limit)
        return [self.network.config.text_config.bos_token_id, *ids]

    def within(self, text: str, part: slice) -> list[bool]:
        """Return for each token of `spelled` whether it belongs to a part of the text.

        Args:
            text: the text.
            part: the characters of the part.
        """
        shifted = slice(len(PROMPT) + part.start, len(PROMPT) + part.stop)
        return [False, *tokens_within(self.texts.tokenizer, PROMPT + text, shifted)]

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        embeds = features.tensors[0][image].expand(len(ids), -1, -1)
        logits: Tensor = self.network.text_decoder(ids, encoder_hidden_states=embeds).logits[:, keep]
        return logits
