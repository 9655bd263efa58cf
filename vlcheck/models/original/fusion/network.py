"""What the networks of ALBEF and X-VLM have in common: an image's encoder, and a BERT that fuses texts with it."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from torch import Tensor, nn
from torch.nn.functional import normalize

from vlcheck.models.original.fusion.text_encoder import TextEncoder, TextSizes


class FusionSizes(TextSizes, Protocol):
    """What a network's config, a dataclass, says of the network."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def image_size(self) -> int: ...


class FusionNetwork(nn.Module):
    """A network in which texts are read over encoded images.

    Its `image_embeds` are (n, 1 + image tokens, vision_width), first what stands for the whole image.
    """

    config: FusionSizes
    text_encoder: TextEncoder
    vision_proj: nn.Linear
    text_proj: nn.Linear
    itm_head: nn.Module
    temp: nn.Parameter

    @property
    def has_mlm_head(self) -> bool:
        """Return True if words can be predicted: fine-tuned checkpoints have no head for it."""
        return self.text_encoder.cls is not None

    def image_embeds(self, pixels: Tensor, /) -> Tensor:
        """Encode normalised pixels (n, 3, image_size, image_size)."""
        raise NotImplementedError

    def text_embeds(self, ids: Tensor, attention: Tensor, /) -> Tensor:
        """What the layers below the fusion make of texts alone, (n, tokens, text_width)."""
        raise NotImplementedError

    def fusion(self, image_embeds: Tensor, ids: Tensor, attention: Tensor, images: Tensor, /) -> Tensor:
        """What all layers make of texts that are read over images, (n, tokens, text_width)."""
        raise NotImplementedError

    def match(self, fused: Tensor) -> Tensor:
        """Logits (n, 2) of no match and match, from what `fusion` returned."""
        logits: Tensor = self.itm_head(fused[:, 0])
        return logits

    def image_features(self, image_embeds: Tensor) -> Tensor:
        """Unit vectors (n, embed_dim) that stand for images, or for regions."""
        return normalize(self.vision_proj(image_embeds[:, 0]), dim=-1)

    def text_features(self, ids: Tensor, attention: Tensor) -> Tensor:
        """Unit vectors (n, embed_dim) that stand for texts."""
        return normalize(self.text_proj(self.text_embeds(ids, attention)[:, 0]), dim=-1)

    def itc_similarity(self, image_embeds: Tensor, ids: Tensor, attention: Tensor) -> Tensor:
        """Cosine over temperature of every image with every text, (images, texts)."""
        return self.image_features(image_embeds) @ self.text_features(ids, attention).T / self.temp
