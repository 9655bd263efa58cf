"""VisualBERT (Li et al. 2019, arXiv:1908.03557): a BERT that reads regions after the words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, VisualBertForPreTraining

from vlcheck.metrics.registry import DEFAULT_KINDS
from vlcheck.models.adapters.huggingface import match_probability
from vlcheck.models.adapters.regions import HostedReader, all_seen
from vlcheck.models.regions.regions import Regions


class VisualBert(HostedReader):
    """A pre-training checkpoint. It does not know where in the image a region is.

    Its match head was trained on two captions of which the second may be of another image; one alone, as it is asked
    about here, it has not seen.
    """

    kinds = DEFAULT_KINDS
    known = ("uclanlp/visualbert-vqa-coco-pre",)
    width = "visual_embedding_dim"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return VisualBertForPreTraining

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return regions.features, all_seen(regions)

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        logits: Tensor = self.read(images, tokens).prediction_logits[:, : where.shape[1]]  # the regions' come after
        return logits[where]

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """Of its two logits the first is a match."""
        return match_probability(self.read(images, tokens).seq_relationship_logits.flip(-1))

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Any:
        """What the network says of texts over as many images."""
        features, seen = images
        return self.network(**tokens, visual_embeds=features, visual_attention_mask=seen)
