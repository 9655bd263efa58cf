"""LXMERT (Tan & Bansal 2019, arXiv:1908.07490): one stream reads words, one regions; cross-attention joins them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, LxmertForPreTraining, PreTrainedModel

from vlcheck.metrics.registry import WITH_REGIONS
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import match_probability
from vlcheck.models.adapters.regions import HostedReader, all_seen, relative
from vlcheck.models.hf.differentiable_regions import DifferentiableLxmert
from vlcheck.models.regions.regions import Regions


class Lxmert(HostedReader):
    """Adapter of a pre-training checkpoint with heads for words, matching and classes of regions."""

    kinds = WITH_REGIONS
    known = ("unc-nlp/lxmert-base-uncased",)
    unread = ("answer_head.",)
    width = "visual_feat_dim"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return LxmertForPreTraining

    @property
    def n_classes(self) -> int:
        config = self.network.config
        return config.num_object_labels if config.task_obj_predict and config.visual_obj_loss else 0

    def differentiable(self) -> DifferentiableLxmert:
        return DifferentiableLxmert(self)

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return regions.features, relative(regions.boxes, size), all_seen(regions)

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.read(images, tokens).prediction_logits[where]
        return logits

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        return match_probability(self.read(images, tokens).cross_relationship_score)

    def region_logits(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        regions, boxes, seen = features.each(rows)
        read = self.network.lxmert(
            **self.tokens(texts), visual_feats=regions, visual_pos=boxes, visual_attention_mask=seen
        )
        # transformers applies this head in training alone.
        logits: Tensor = self.network.obj_predict_head(read.vision_output)["obj"]
        return logits

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """Return the network's output.

        Args:
            images: features, boxes and mask of regions, each (n, regions, ...).
            tokens: n texts.
        """
        features, boxes, seen = images
        return self.network(**tokens, visual_feats=features, visual_pos=boxes, visual_attention_mask=seen)
