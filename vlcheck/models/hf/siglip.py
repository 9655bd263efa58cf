"""SigLIP (Zhai et al. 2023, arXiv:2303.15343) and SigLIP 2 (Tschannen et al. 2025, arXiv:2502.14786)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from transformers import BatchEncoding, PreTrainedModel, Siglip2Model, SiglipModel

from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.two_encoders import MatchesVectors
from vlcheck.models.hf.clip import TwoEncoders
from vlcheck.models.hf.differentiable_encoders import DifferentiableSiglip, DifferentiableSiglip2
from vlcheck.models.loading.pretrained import Pretrained


class Siglip(MatchesVectors, TwoEncoders):
    """Adapter of a model whose score is the sigmoid of a scaled cosine: a probability for each pair of image and text.

    It was trained on texts in lower case, padded to the token limit, without an attention mask. Texts are given to it
    in the same form.
    """

    known = ("google/siglip-base-patch16-224",)
    cased = False

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return SiglipModel

    def differentiable(self) -> DifferentiableSiglip:
        return DifferentiableSiglip(self)

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        limit = network.config.text_config.max_position_embeddings
        return Texts(checkpoint.tokenizer(), limit=limit, padding="max_length")

    def texts_said(self) -> str:
        return f"{super().texts_said()}, in lower case"

    def scaled(self, cosines: Tensor) -> Tensor:
        return cosines * wide(self.network.logit_scale).exp() + wide(self.network.logit_bias)

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        # SigLIP 2's tokenizer, Gemma's, keeps capitals.
        return BatchEncoding({"input_ids": super().tokens([text.lower() for text in texts], masks)["input_ids"]})


class Siglip2(Siglip):
    """Adapter of SigLIP 2 for pictures of any shape."""

    known = ("google/siglip2-base-patch16-naflex",)
    side = None

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return Siglip2Model

    def differentiable(self) -> DifferentiableSiglip2:
        return DifferentiableSiglip2(self)
