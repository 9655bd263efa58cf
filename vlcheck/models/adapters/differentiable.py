"""The common parts of the differentiable networks of all families."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from vlcheck.models.adapters.base import check_masked, log_softmax
from vlcheck.models.differentiable import AttentionKind, PairInputs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Pieces = tuple[tuple[int, ...], ...]


def pieces_at_masks(
    texts: Sequence[str], words: Sequence[str] | None, spell: Callable[[str, str], Sequence[int]]
) -> Pieces:
    """Return the token ids of each text's word; () for each text if there are no words.

    Args:
        texts: n texts; each with "[MASK]" once if there are words.
        words: n words, or None.
        spell: returns the token ids of a word at the mask of a text.

    Raises:
        UsageError: a text has not exactly one mask, or the vocabulary cannot spell a word.
    """
    if words is None:
        return ((),) * len(texts)
    check_masked(texts)
    return tuple(tuple(spell(text, word)) for text, word in zip(texts, words, strict=True))


def log_probs_of_pieces(logits: Tensor, inputs: PairInputs) -> Tensor:
    """Return the log-probability of each pair's word: the sum over its pieces, (n,).

    Args:
        logits: logits of the vocabulary at all masks, (masks, vocab_size), pair by pair.
        inputs: n pairs that were made with words.
    """
    chosen = torch.tensor([piece for pieces in inputs.pieces for piece in pieces], device=logits.device)
    pairs = inputs.masks.nonzero()[:, 0]
    picked = log_softmax(logits).gather(1, chosen[:, None])[:, 0]
    return picked.new_zeros(len(inputs)).index_add(0, pairs, picked)


def kind_by_name(module: str, patterns: Mapping[str, AttentionKind]) -> AttentionKind | None:
    """Return the kind of attention that a module computes; None if it computes none.

    Args:
        module: the module's name in its network.
        patterns: pattern of module names -> kind of attention.
    """
    return next((kind for pattern, kind in patterns.items() if re.fullmatch(pattern, module)), None)


def entries_of(tokenizer: PreTrainedTokenizerBase, ids: Tensor, attention: Tensor) -> tuple[tuple[str, ...], ...]:
    """Return the vocabulary's entries of texts without their padding.

    Args:
        tokenizer: the tokenizer.
        ids: token ids, (n, tokens).
        attention: (n, tokens): 1 = token, 0 = padding.
    """
    lengths = attention.sum(1).tolist()
    rows = zip(ids.tolist(), lengths, strict=True)
    return tuple(tuple(tokenizer.convert_ids_to_tokens(row[:length])) for row, length in rows)


@contextmanager
def output_replaced(module: nn.Module, output: Tensor) -> Iterator[None]:
    """Replace the output of a module by a tensor as long as the context lasts.

    Args:
        module: the module.
        output: the tensor.
    """
    # A copy: some networks change the embeddings that they were given in place, which a leaf tensor does not allow.
    handle = module.register_forward_hook(lambda *_: output.clone())
    try:
        yield
    finally:
        handle.remove()
