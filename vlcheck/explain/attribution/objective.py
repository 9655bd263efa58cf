"""The score that is explained: the match logit, or the log-probability of a word at the mask."""

from __future__ import annotations

from contextlib import nullcontext

from torch import Tensor

from vlcheck.models.adapters.differentiable import output_replaced
from vlcheck.models.differentiable import Differentiable, PairInputs


def objective(model: Differentiable, inputs: PairInputs, embeddings: Tensor | None = None) -> Tensor:
    """Return the score of each pair, (n,): its word's log-probability at the mask, or else its match logit.

    Args:
        model: the network.
        inputs: n pairs, all with words or all without.
        embeddings: takes the place of the word embeddings, (n, tokens, width), e.g. to have gradients at the tokens.
    """
    with output_replaced(model.word_embeddings, embeddings) if embeddings is not None else nullcontext():
        return score_of_states(model, inputs, model.image_states(inputs), model.text_states(inputs))


def score_of_states(model: Differentiable, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
    """Return the score of each pair from the states of its picture and its text, (n,).

    Args:
        model: the network.
        inputs: n pairs, all with words or all without.
        image_states: states of the pictures, as the network returned them.
        text_states: states of the texts, as the network returned them.
    """
    if any(inputs.pieces):
        return model.word_log_probs(inputs, image_states, text_states)
    return model.match_logits(inputs, image_states, text_states)[:, 1]
