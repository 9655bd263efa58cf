"""The score that is explained: the match logit, or the log-probability of a word at the mask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from torch import Tensor, nn

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
        image_states: what `image_states` of the network returned.
        text_states: what `text_states` of the network returned.
    """
    if any(inputs.pieces):
        return model.word_log_probs(inputs, image_states, text_states)
    return model.match_logits(inputs, image_states, text_states)[:, 1]


@contextmanager
def output_replaced(module: nn.Module, output: Tensor) -> Iterator[None]:
    """Replace the output of a module by a tensor as long as the context lasts.

    Args:
        module: the module.
        output: what it returns in place of its own output.
    """
    handle = module.register_forward_hook(lambda *_: output)
    try:
        yield
    finally:
        handle.remove()
