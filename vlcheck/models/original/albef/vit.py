"""The image encoder of ALBEF: a ViT (Dosovitskiy et al. 2020, arXiv:2010.11929) with the names of weights of timm.

It computes what timm's VisionTransformer computes, to the last digit. Importing timm takes two seconds, a third of all
imports of a run of the embedded model.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from vlcheck.models.original.albef.config import AlbefConfig

_EPS = 1e-6  # of all layer norms
_WIDER = 4  # features between the projections of a block, per feature of a token


class VisionTransformer(nn.Module):
    """A ViT without a head.

    Args:
        config: the sizes.
    """

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        width = config.vision_width
        patches = ConvStem if config.stem_width else PatchEmbedding
        self.patch_embed: nn.Module = patches(config)
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + config.grid**2, width))
        self.blocks = nn.Sequential(*(VisionBlock(width, config.vision_heads) for _ in range(config.vision_depth)))
        self.norm = nn.LayerNorm(width, eps=_EPS)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the tokens of pixels (n, 3, side, side), that of the whole image first: (n, 1 + patches, width)."""
        patches = self.patch_embed(pixels)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.pos_embed
        encoded: Tensor = self.norm(self.blocks(tokens))
        return encoded


class PatchEmbedding(nn.Module):
    """A linear projection of square patches.

    Args:
        config: the sizes.
    """

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.vision_width, config.patch_size, stride=config.patch_size)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the image tokens of pixels (n, 3, side, side): (n, patches, width)."""
        tokens: Tensor = self.proj(pixels).flatten(2).transpose(1, 2)
        return tokens


class ConvStem(nn.Module):
    """Strided convolutions that replace the patch projection; each halves the sides and doubles the features.

    Args:
        config: the sizes.
    """

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        halvings = config.patch_size.bit_length() - 1
        widths = [3, *(config.stem_width * 2**power for power in range(halvings - 1)), config.vision_width]
        steps: list[nn.Module] = []
        for before, after in pairwise(widths):
            steps += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
        self.stem = nn.Sequential(*steps[:-1])

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the image tokens of pixels (n, 3, side, side): (n, patches, width)."""
        tokens: Tensor = self.stem(pixels).flatten(2).transpose(1, 2)
        return tokens


class VisionBlock(nn.Module):
    """A block of the ViT; both of its parts are normalised before, and added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=_EPS)
        self.attn = VisionAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=_EPS)
        self.mlp = Perceptron(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after the block, (n, tokens, width)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        after: Tensor = tokens + self.mlp(self.norm2(tokens))
        return after


class VisionAttention(nn.Module):
    """Attention of image tokens to each other; query, key and value are one projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what each token attends to, projected: (n, tokens, width)."""
        query, key, value = self._split(self.qkv(tokens))
        seen = scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return projected

    def _split(self, projected: Tensor) -> Sequence[Tensor]:
        """Return query, key and value, (n, heads, tokens, width / heads) each."""
        n, tokens, _ = projected.shape
        return projected.view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)


class Perceptron(nn.Module):
    """The feed-forward part of a block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _WIDER * width)
        self.fc2 = nn.Linear(_WIDER * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return features (n, tokens, width) of tokens (n, tokens, width)."""
        features: Tensor = self.fc2(gelu(self.fc1(tokens)))
        return features
