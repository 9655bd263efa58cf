"""BLIP-2 (Li et al. 2023, arXiv:2301.12597): it matches with the Q-Former's match head."""

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
    """A retrieval checkpoint: its vision model runs once for all texts of an image."""

    known = ("Salesforce/blip2-itm-vit-g",)
    unread = ("language_model.", "language_projection.")
    kinds = MappingProxyType({"itm": "match-head"})
    lacks = MappingProxyType({"mlm": "BLIP-2's Q-Former predicts no word at a mask"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        """Return the class of transformers that reads the checkpoints."""
        return Blip2ForImageTextRetrieval

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        """Load the tokenizer, with the Q-Former's token limit. See `Hosted.reader`."""
        return Texts(checkpoint.tokenizer(), limit=network.config.qformer_config.max_position_embeddings)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Encode images with the vision model."""
        return Features.of(self.network.vision_model(self.pixels(images)["pixel_values"])[0])

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """Return P(match), from the match head's logits averaged over the queries. See `Processed.match`."""
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
        logits = net.itm_head(hidden[:, : queries.shape[1]].to(net.itm_head.weight.dtype)).mean(1)
        return match_probability(logits)
