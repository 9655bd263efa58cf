"""CLIP (Radford et al. 2021, arXiv:2103.00020) and similar models: the cosine of an image's and a text's vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from transformers import (
    AlignModel,
    AltCLIPModel,
    BatchEncoding,
    ChineseCLIPModel,
    CLIPModel,
    MetaClip2Model,
    PreTrainedModel,
)

from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.stepwise import Stepwise, beside_zero
from vlcheck.models.adapters.tokenizing import Texts, positions_of_roberta
from vlcheck.models.adapters.tryout import check_end, check_highest
from vlcheck.models.adapters.two_encoders import ComparesVectors, RanksVectors, unit
from vlcheck.models.hf.differentiable_encoders import (
    DifferentiableAlign,
    DifferentiableAltClip,
    DifferentiableClip,
    DifferentiableEncoders,
)
from vlcheck.models.loading.pretrained import Pretrained

_BY_HIGHEST = 2  # with this eos_token_id, transformers takes the token with the highest id as the end of a text


class TwoEncoders(ComparesVectors, Stepwise):
    """Base of adapters of models that encode an image and a text separately, each as a unit vector."""

    def differentiable(self) -> DifferentiableEncoders:
        return DifferentiableClip(self)

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        """Return the unit vectors of images, (n, width)."""
        return unit(self.network.get_image_features(**pictures).pooler_output)

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        """Return the unit vectors of texts, (n, width)."""
        return unit(self.network.get_text_features(**tokens).pooler_output)

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        return beside_zero(self.scaled((images * texts).sum(-1)))

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts, (n, width)."""
        return self.text_states(self.tokens(texts))


class _Contrastive(RanksVectors, TwoEncoders):
    """Base of adapters whose logit is a scaled cosine."""

    def scaled(self, cosines: Tensor) -> Tensor:
        return cosines * self.scale

    @property
    def scale(self) -> Tensor:
        """The factor by which a cosine is multiplied to give a logit."""
        return wide(self.network.logit_scale).exp()


class _AtTheEnd(_Contrastive):
    """Base of adapters of models that take a text's vector from its last token."""

    def try_out(self) -> None:
        super().try_out()
        self.check_end(self.network.config.text_config.eos_token_id)

    def check_end(self, number: int) -> None:
        """Check that the network finds the end of a text.

        Args:
            number: the end token's id in the network's config.

        Raises:
            UsageError: texts do not end with this token.
        """
        check_end(self.texts.tokenizer, number)


class Clip(_AtTheEnd):
    """Adapter of OpenAI's CLIP, and of other checkpoints of the same architecture."""

    known = ("openai/clip-vit-base-patch32",)

    def check_end(self, number: int) -> None:
        if number == _BY_HIGHEST:
            check_highest(self.texts.tokenizer)
        else:
            super().check_end(number)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return CLIPModel


class AltClip(_Contrastive):
    """Adapter of AltCLIP (Chen et al. 2022, arXiv:2211.06679)."""

    known = ("BAAI/AltCLIP",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return AltCLIPModel

    def differentiable(self) -> DifferentiableAltClip:
        return DifferentiableAltClip(self)

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        return Texts(checkpoint.tokenizer(), limit=positions_of_roberta(network.config.text_config))


class ChineseClip(_Contrastive):
    """Adapter of Chinese CLIP (Yang et al. 2022, arXiv:2211.01335)."""

    known = ("OFA-Sys/chinese-clip-vit-base-patch16",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return ChineseCLIPModel


class MetaClip2(_AtTheEnd):
    """Adapter of MetaCLIP 2 (Chuang et al. 2025, arXiv:2507.22062)."""

    known = ("facebook/metaclip-2-worldwide-huge-quickgelu",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return MetaClip2Model


class Align(_Contrastive):
    """Adapter of ALIGN (Jia et al. 2021, arXiv:2102.05918)."""

    known = ("kakaobrain/align-base",)
    side = None  # convolutions read any size, and published checkpoints use smaller pictures than their config states

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return AlignModel

    def differentiable(self) -> DifferentiableAlign:
        return DifferentiableAlign(self)

    @property
    def scale(self) -> Tensor:
        """The factor by which a cosine is multiplied to give a logit: 1 / temperature."""
        return 1 / wide(self.network.temperature)
