"""SigLIP (Zhai et al. 2023, arXiv:2303.15343) and SigLIP 2 (Tschannen et al. 2025): a probability for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, Siglip2Model, SiglipModel

from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.hf.clip import TwoEncoders
from vlcheck.models.loading.pretrained import Pretrained


class Siglip(TwoEncoders):
    """A model whose score is the sigmoid of the scaled cosine; texts are padded to full rows, as in training."""

    known = ("google/siglip-base-patch16-224",)
    kinds = MappingProxyType({"itm": "sigmoid"})
    cased = False

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        """Return the class of transformers that reads the checkpoints."""
        return SiglipModel

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        """Load the tokenizer, with padding to full rows. See `Hosted.reader`."""
        limit = network.config.text_config.max_position_embeddings
        return Texts(checkpoint.tokenizer(), limit=limit, padding="max_length")

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        scale, bias = wide(self.network.logit_scale).exp(), wide(self.network.logit_bias)
        return torch.sigmoid(self.cosines(features.each(rows), texts) * scale + bias)

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Return the ids of texts in lower case, without an attention mask. See `Processed.tokens`.

        SigLIP was trained so, and attends to the padding. SigLIP 2's tokenizer, Gemma's, does not lower texts itself.
        """
        lowered = [text.lower() for text in texts]
        return BatchEncoding({"input_ids": super().tokens(lowered, masks)["input_ids"]})


class Siglip2(Siglip):
    """SigLIP 2 for pictures of any shape."""

    known = ("google/siglip2-base-patch16-naflex",)
    side = None

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        """Return the class of transformers that reads the checkpoints."""
        return Siglip2Model
