"""BLIP-2 (Li et al. 2023, arXiv:2301.12597): P(match) from the match head of its Q-Former."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, Blip2ForImageTextRetrieval, PreTrainedModel

from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted, match_probability
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.loading.pretrained import Pretrained


class Blip2Match(Hosted):
    """Adapter of a retrieval checkpoint: its vision model runs once for all texts of an image."""

    known = ("Salesforce/blip2-itm-vit-g",)
    unread = ("language_model.", "language_projection.")
    kinds = MappingProxyType({"itm": "match-head"})
    lacks = MappingProxyType({"mlm": "BLIP-2's Q-Former predicts no word at a mask"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return Blip2ForImageTextRetrieval

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        # The texts are read by the Q-Former, not by the language model.
        return Texts(checkpoint.tokenizer(), limit=network.config.qformer_config.max_position_embeddings)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the vision model's last states, (n, image tokens, width)."""
        return Features.of(self.network.vision_model(self.pixels(images)["pixel_values"])[0])

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        (embeds,), net = images, self.network
        queries = net.query_tokens.expand(len(embeds), -1, -1)
        attention = tokens["attention_mask"]
        hidden = net.qformer(
            query_embeds=net.embeddings(input_ids=tokens["input_ids"], query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=torch.cat([attention.new_ones(queries.shape[:2]), attention], dim=1),
            encoder_hidden_states=embeds,
            encoder_attention_mask=attention.new_ones(embeds.shape[:2]),
        )[0]
        each = net.itm_head(hidden[:, : queries.shape[1]].to(net.itm_head.weight.dtype))
        return match_probability(each.mean(1))  # over the queries
