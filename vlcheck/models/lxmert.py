"""LXMERT (Tan & Bansal 2019, arXiv:1908.07490): a stream of words and one of regions, and layers across."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, LxmertForPreTraining, PreTrainedModel

from vlcheck.models.hosted import match_probability
from vlcheck.models.protocol import DEFAULT_KINDS
from vlcheck.models.region_readers import HostedReader, all_seen, relative
from vlcheck.models.regions import Regions


class Lxmert(HostedReader):
    """A pre-training checkpoint: both heads."""

    kinds = DEFAULT_KINDS
    known = ("unc-nlp/lxmert-base-uncased",)
    width = "visual_feat_dim"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return LxmertForPreTraining

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return regions.features, relative(regions.boxes, size), all_seen(regions)

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.read(images, tokens).prediction_logits[where]
        return logits

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        return match_probability(self.read(images, tokens).cross_relationship_score)

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """What the network says of texts over as many images."""
        features, boxes, seen = images
        return self.network(**tokens, visual_feats=features, visual_pos=boxes, visual_attention_mask=seen)
