"""The parts of a BERT (Devlin et al. 2019, arXiv:1810.04805), with the names of weights that its checkpoints have.

They compute what those of transformers compute, to the last digit. Importing transformers' takes three seconds, which
is as long as all other imports of a run of the embedded model.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

_EPS = 1e-12  # of all layer norms
_DROPOUT = 0.1  # in training alone
_TYPES = 2  # kinds of token, of which texts here have the first alone


class TextSizes(Protocol):
    """The sizes of the BERT, which the config of a network has to state."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def text_width(self) -> int: ...
    @property
    def text_depth(self) -> int: ...
    @property
    def text_heads(self) -> int: ...
    @property
    def intermediate_size(self) -> int: ...
    @property
    def max_positions(self) -> int: ...


class WordEmbeddings(nn.Module):
    """The sum of the embeddings of words, their positions and the first type, normalised."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(sizes.vocab_size, sizes.text_width, padding_idx=0)
        self.position_embeddings = nn.Embedding(sizes.max_positions, sizes.text_width)
        self.token_type_embeddings = nn.Embedding(_TYPES, sizes.text_width)
        self.LayerNorm = nn.LayerNorm(sizes.text_width, eps=_EPS)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the states of texts, (n, tokens, width), from their token ids, (n, tokens)."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        typed = self.word_embeddings(input_ids) + self.token_type_embeddings(torch.zeros_like(input_ids))
        states: Tensor = self.dropout(self.LayerNorm(typed + self.position_embeddings(positions)))
        return states


class SelfAttention(nn.Module):
    """Bidirectional attention of tokens to each other, with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(_DROPOUT)

    def split(self, states: Tensor) -> Tensor:
        """Divide states (n, tokens, width) among the heads: (n, heads, tokens, width / heads)."""
        return states.view(*states.shape[:-1], self.heads, -1).transpose(1, 2)

    def forward(self, hidden: Tensor, keep: Tensor) -> Tensor:
        """Return what each token attends to, (n, tokens, width).

        Args:
            hidden: states of texts, (n, tokens, width).
            keep: True at keys that are not padding, (n, 1, 1, tokens).
        """
        query, key, value = (self.split(part(hidden)) for part in (self.query, self.key, self.value))
        dropout = self.dropout.p if self.training else 0.0
        scale = query.shape[-1] ** -0.5
        seen = scaled_dot_product_attention(query, key, value, keep, dropout_p=dropout, scale=scale)
        return seen.transpose(1, 2).flatten(2)


class Residual(nn.Module):
    """A projection whose result is added to a state, and normalised."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(before, width)
        self.LayerNorm = nn.LayerNorm(width, eps=_EPS)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, changed: Tensor, hidden: Tensor) -> Tensor:
        """Return the states after a change, (n, tokens, width).

        Args:
            changed: states to project, (n, tokens, before).
            hidden: the state before, (n, tokens, width).
        """
        after: Tensor = self.LayerNorm(self.dropout(self.dense(changed)) + hidden)
        return after


class AttentionBlock(nn.Module):
    """Attention, the result of which is added to the state."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.self = SelfAttention(sizes.text_width, sizes.text_heads)
        self.output = Residual(sizes.text_width, sizes.text_width)

    def forward(self, hidden: Tensor, keep: Tensor) -> Tensor:
        """Return the states after self-attention, (n, tokens, width).

        Args:
            hidden: states of texts, (n, tokens, width).
            keep: True at keys that are not padding, (n, 1, 1, tokens).
        """
        attended: Tensor = self.output(self.self(hidden, keep), hidden)
        return attended


class Widening(nn.Module):
    """The first projection of the feed-forward part, with its GELU."""

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        self.dense = nn.Linear(sizes.text_width, sizes.intermediate_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return features (n, tokens, intermediate_size) of states (n, tokens, width)."""
        return nn.functional.gelu(self.dense(hidden))


class HeadTransform(nn.Module):
    """The layer before the decoder of the head for masked words."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps=_EPS)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return features (..., width) of states (..., width)."""
        features: Tensor = self.LayerNorm(nn.functional.gelu(self.dense(hidden)))
        return features


class MaskedWordHead(nn.Module):
    """The head for masked words; its decoder shares the word embeddings.

    Args:
        sizes: the sizes of the BERT.
        words: the word embeddings, vocab_size of them.
    """

    def __init__(self, sizes: TextSizes, words: nn.Embedding) -> None:
        super().__init__()
        self.transform = HeadTransform(sizes.text_width)
        self.decoder = nn.Linear(sizes.text_width, sizes.vocab_size)
        self.bias = nn.Parameter(torch.zeros(sizes.vocab_size))
        self.decoder.weight, self.decoder.bias = words.weight, self.bias

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of states (..., width)."""
        logits: Tensor = self.decoder(self.transform(hidden))
        return logits
