"""VisualBERT (Li et al. 2019, arXiv:1908.03557): a BERT that reads regions after the words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, VisualBertForPreTraining

from vlcheck.metrics.registry import DEFAULT_KINDS
from vlcheck.models.adapters.huggingface import match_probability
from vlcheck.models.adapters.regions import HostedReader, all_seen
from vlcheck.models.hf.differentiable_regions import DifferentiableVisualBert
from vlcheck.models.regions.regions import Regions


class VisualBert(HostedReader):
    """Adapter of a pre-training checkpoint. The network does not read the positions of regions.

    Its match head was trained on pairs of captions, the second of which may belong to another image. Here it is asked
    about a single caption, which it never saw in training.
    """

    kinds = DEFAULT_KINDS
    known = ("uclanlp/visualbert-vqa-coco-pre",)
    width = "visual_embedding_dim"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return VisualBertForPreTraining

    def differentiable(self) -> DifferentiableVisualBert:
        return DifferentiableVisualBert(self)

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return regions.features, all_seen(regions)

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.read(images, tokens).prediction_logits[:, : where.shape[1]]  # regions come after words
        return logits[where]

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        # The first of the two logits is that of a match.
        return match_probability(self.read(images, tokens).seq_relationship_logits.flip(-1))

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """Return the network's output.

        Args:
            images: features and mask of regions, each (n, regions, ...).
            tokens: n texts.
        """
        features, seen = images
        return self.network(**tokens, visual_embeds=features, visual_attention_mask=seen)
