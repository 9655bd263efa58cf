"""The base class of the networks of ALBEF and X-VLM: an image encoder, and a BERT that fuses texts with its output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn
from torch.nn.functional import normalize

from vlcheck.models.original.fusion.bert import TextSizes
from vlcheck.models.original.fusion.text_encoder import TextEncoder


class FusionSizes(TextSizes, Protocol):
    """The sizes that the config of a network, a dataclass, has to state."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def image_size(self) -> int: ...


class FusionNetwork(nn.Module):
    """A network that encodes an image alone, and a text with cross-attention to the image.

    `image_embeds` is (n, 1 + image tokens, vision_width); the first token stands for the whole image.
    """

    config: FusionSizes
    text_encoder: TextEncoder
    vision_proj: nn.Linear
    text_proj: nn.Linear
    itm_head: nn.Module
    temp: nn.Parameter

    @property
    def has_mlm_head(self) -> bool:
        """True if the network can predict words; fine-tuned checkpoints have no head for it."""
        return self.text_encoder.cls is not None

    @property
    def grid(self) -> int:
        """The number of image tokens along a side of the input."""
        raise NotImplementedError

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        """The blocks of the image encoder whose states have as many tokens as its output."""
        raise NotImplementedError

    def image_embeds(self, pixels: Tensor, /) -> Tensor:
        """Encode normalised pixels (n, 3, image_size, image_size).

        Returns:
            Tokens, (n, 1 + image tokens, vision_width).
        """
        raise NotImplementedError

    def text_embeds(self, ids: Tensor, attention: Tensor, /) -> Tensor:
        """Return the hidden states of texts before the layers with cross-attention.

        Args:
            ids: token ids, (n, tokens).
            attention: (n, tokens): 1 = token, 0 = padding.

        Returns:
            States, (n, tokens, text_width).
        """
        raise NotImplementedError

    def fusion(self, image_embeds: Tensor, ids: Tensor, attention: Tensor, images: Tensor, /) -> Tensor:
        """Return the hidden states of texts after all layers, which cross-attend to images.

        Args:
            image_embeds: encoded images.
            ids: token ids, (n, tokens).
            attention: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).

        Returns:
            States, (n, tokens, text_width).
        """
        raise NotImplementedError

    def match(self, fused: Tensor) -> Tensor:
        """Return logits (n, 2) of no match and match, from the states that `fusion` returned."""
        logits: Tensor = self.itm_head(fused[:, 0])
        return logits

    def image_features(self, image_embeds: Tensor) -> Tensor:
        """Return unit vectors (n, embed_dim) of images or regions, for the contrastive similarity."""
        return normalize(self.vision_proj(image_embeds[:, 0]), dim=-1)

    def text_features(self, ids: Tensor, attention: Tensor) -> Tensor:
        """Return unit vectors of texts, for the contrastive similarity.

        Args:
            ids: token ids, (n, tokens).
            attention: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Unit vectors, (n, embed_dim).
        """
        return normalize(self.text_proj(self.text_embeds(ids, attention)[:, 0]), dim=-1)

    def itc_similarity(self, image_embeds: Tensor, ids: Tensor, attention: Tensor) -> Tensor:
        """Return the contrastive similarity of every image with every text: their cosine, divided by the temperature.

        Args:
            image_embeds: encoded images, (images, 1 + image tokens, vision_width).
            ids: token ids, (texts, tokens).
            attention: (texts, tokens): 1 = token, 0 = padding.

        Returns:
            Similarities, (images, texts).
        """
        return self.image_features(image_embeds) @ self.text_features(ids, attention).T / self.temp
