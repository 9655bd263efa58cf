"""ViLBERT for explanations."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vlcheck.models.adapters.differentiable import log_probs_of_pieces
from vlcheck.models.adapters.regions_differentiable import DifferentiableRegions
from vlcheck.models.differentiable import AttentionKind, PairInputs
from vlcheck.models.original.vilbert.network import Streams, VilbertNetwork, keep_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from vlcheck.models.original.vilbert.adapter import Vilbert


class DifferentiableVilbert(DifferentiableRegions):
    """ViLBERT. See `vlcheck.models.differentiable.Differentiable`.

    The network reads one row more than there are regions: the first one stands for the whole image, with the mean
    features of the regions. It is no unit. It is computed from `pixels`, so that a region's share in it counts for the
    region; absent regions, whose features are zeros, are left out of the mean.

    Args:
        model: the adapter.
    """

    named = ("image_loc", "image_mask")
    attentions = MappingProxyType(
        {
            r"bert\.encoder\.layer\.\d+\.attention\.self": "text",
            r"bert\.encoder\.v_layer\.\d+\.attention\.self": "image",
            r"bert\.encoder\.c_layer\.\d+\.text_reads": "cross",
            r"bert\.encoder\.c_layer\.\d+\.image_reads": "back",
        }
    )
    network: VilbertNetwork

    def __init__(self, model: Vilbert) -> None:
        super().__init__(model, model.network, model.network.bert.embeddings.word_embeddings)
        encoder = model.network.bert.encoder
        # No token reads the regions after the last exchange; their states there reach no score.
        self.vision_blocks = encoder.v_layer[: encoder.config.v_biattention_id[-1]]

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        made = super().inputs(images, texts, words)
        return replace(made, pixels=made.pixels[:, 1:])

    def image_states(self, inputs: PairInputs) -> Tensor:
        present = (inputs.pixels != 0).any(-1).sum(1).clamp(min=1)
        shown = inputs.pixels * inputs.others["image_mask"][:, 1:, None]  # no gradient reaches the padding
        mean = shown.sum(1, keepdim=True) / present[:, None, None]
        embedded = self.network.bert.v_embeddings(torch.cat([mean, inputs.pixels], 1), inputs.others["image_loc"])
        return self.network.bert.encoder.image_alone(embedded, keep_mask(inputs.others["image_mask"]))

    def text_states(self, inputs: PairInputs) -> Tensor:
        embedded = self.network.bert.embeddings(inputs.ids, torch.zeros_like(inputs.ids))
        return self.network.bert.encoder.text_alone(embedded, keep_mask(inputs.attention))

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        # The first of the head's two logits is that of a match.
        return self.network.match(self._fused(inputs, image_states, text_states)).flip(-1)

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        text = self._fused(inputs, image_states, text_states).text
        return log_probs_of_pieces(self.network.predict(text[inputs.masks]), inputs)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden[:, 1:]  # all but the whole image

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention[..., 1:]  # all but the whole image

    def _fused(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Streams:
        keep = Streams(keep_mask(inputs.others["image_mask"]), keep_mask(inputs.attention))
        return self.network.bert.encoder.fuse(Streams(image_states, text_states), keep)
