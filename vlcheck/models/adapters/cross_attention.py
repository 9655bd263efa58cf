"""Attention between two streams of a network, as a module without weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class CrossAttention(nn.Module):
    """Multi-head attention of one stream to another, on projected features.

    Each direction between two streams has a module of its own, so that the module's name tells the direction of an
    attention map, even if both directions share their projections.

    Args:
        heads: number of heads.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Return the values that the queries read, (n, queries, width).

        Args:
            query: (n, queries, width).
            key: (n, keys, width).
            value: (n, keys, width).
            mask: True at the keys to attend to, or numbers to add to the scores, (n, 1, 1, keys).
        """
        queries, keys, values = (
            features.view(*features.shape[:2], self.heads, -1).transpose(1, 2) for features in (query, key, value)
        )
        return scaled_dot_product_attention(queries, keys, values, attn_mask=mask).transpose(1, 2).flatten(2)
