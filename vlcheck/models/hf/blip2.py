"""BLIP-2 (Li et al. 2023, arXiv:2301.12597): P(match) from the match head of its Q-Former."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BatchEncoding, Blip2ForImageTextRetrieval, PreTrainedModel

from vlcheck.models.adapters.stepwise import DifferentiableSteps, Stepwise
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.loading.pretrained import Pretrained


class DifferentiableBlip2(DifferentiableSteps):
    """The network of a retrieval checkpoint: the queries of a Q-Former read the image, and the text.

    The attention among queries and text tokens has no kind: it has rows that are no tokens of the text.
    """

    attentions = MappingProxyType(
        {
            r"vision_model\.encoder\.layers\.\d+\.self_attn": "image",
            r"qformer\.encoder\.layer\.\d+\.crossattention\.attention": "query",
        }
    )

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.network.vision_model.encoder.layers]


class Blip2Match(Stepwise):
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

    def differentiable(self) -> DifferentiableBlip2:
        return DifferentiableBlip2(self)

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        """Return the vision model's last states, (n, image tokens, width)."""
        states: Tensor = self.network.vision_model(pictures["pixel_values"])[0]
        return states

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        """Return the queries, and the embedded tokens of texts after them, (n, queries + tokens, width)."""
        ids, net = tokens["input_ids"], self.network
        embedded: Tensor = net.embeddings(input_ids=ids, query_embeds=net.query_tokens.expand(len(ids), -1, -1))
        return embedded

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        net, queries = self.network, self.network.query_tokens.shape[1]
        hidden = net.qformer(
            query_embeds=texts,
            query_length=queries,
            attention_mask=torch.cat([attention.new_ones(len(attention), queries), attention], dim=1),
            encoder_hidden_states=images,
            encoder_attention_mask=attention.new_ones(images.shape[:2]),
        )[0]
        each: Tensor = net.itm_head(hidden[:, :queries].to(net.itm_head.weight.dtype))
        return each.mean(1)  # over the queries
