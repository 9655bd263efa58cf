"""The bases of differentiable networks that write text: the tokens of a text within its prompt, and its score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.autoregressive import Autoregressive
from vlcheck.models.adapters.base import check_masked, log_softmax, wide
from vlcheck.models.adapters.differentiable import entries_of
from vlcheck.models.adapters.yes_no import Answering
from vlcheck.models.differentiable import ImageLayout, PairInputs

TARGETS, SCORED = "targets", "scored"


class Written(NamedTuple):
    """A prompt with a text in it, as a network reads it.

    Attributes:
        ids: its token ids.
        of_text: for each token, True if it belongs to the text, False if it belongs to the prompt.
        of_word: for each token, True if it belongs to the word that is asked about.
    """

    ids: Sequence[int]
    of_text: Sequence[bool]
    of_word: Sequence[bool]


class DifferentiableWriter(ABC):
    """The base of networks that write text. See `vlcheck.models.differentiable.Differentiable`.

    A word is read in its place, not behind a mask. Its score is the log-probability of the word and of all tokens of
    the text after it, given the picture and the tokens before: log P(word, rest | picture, beginning), with teacher
    forcing. Over several words in the same place, a softmax of these scores is what `mlm` returns: the tokens before
    the word are the same for all, so that their probabilities cancel. `absent_token` is the padding token, or else
    that of a space.

    Args:
        model: the adapter.
        tokenizer: its tokenizer.
        word_embeddings: the network's word embeddings.
    """

    relative = False
    stackable = False
    vision_blocks: Sequence[nn.Module] = ()

    def __init__(self, model: Autoregressive, tokenizer: PreTrainedTokenizerBase, word_embeddings: nn.Module) -> None:
        self.model, self.network, self.name = model, model.network, model.name
        self.tokenizer, self.word_embeddings = tokenizer, word_embeddings
        self.absent_token: int = _filler(tokenizer)

    def pairs(
        self, pixels: Tensor, layouts: Sequence[ImageLayout], written: Sequence[Written], others: Mapping[str, Tensor]
    ) -> PairInputs:
        """Return pairs of pictures and texts, padded on the right.

        Args:
            pixels: the pictures, (n, ...).
            layouts: the places of the visual units of each picture.
            written: the prompts with the texts.
            others: further inputs of the network, each (n, ...).
        """
        ids, of_text, of_word = (
            pad_sequence([torch.tensor([*row]) for row in rows], batch_first=True).to(pixels.device)
            for rows in zip(*written, strict=True)
        )
        lengths = torch.tensor([len(one.ids) for one in written], device=ids.device)
        attention = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        return PairInputs(
            pixels=pixels,
            ids=ids,
            attention=attention.long(),
            special=~of_text,
            tokens=entries_of(self.tokenizer, ids, attention),
            layouts=tuple(layouts),
            masks=of_word,
            pieces=tuple(tuple(row[own].tolist()) for row, own in zip(ids, of_word, strict=True)),
            # The tokens that are scored stay the same if others are put in their place to be read.
            others={**others, TARGETS: ids, SCORED: (of_word.cumsum(1) > 0) & attention},
        )

    def text_states(self, inputs: PairInputs) -> Tensor:
        embedded: Tensor = self.word_embeddings(inputs.ids)
        return embedded

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        raise self.no_match()

    def no_match(self) -> NotApplicable:
        """Return the error that the network has no match logit."""
        return NotApplicable(f"{self.name} has no itm: {self.model.lacks.get('itm', 'it answers no questions')}")

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        scored = inputs.others[SCORED]
        places = torch.arange(int(scored.any(0).nonzero()[0]), scored.shape[1], device=scored.device)
        log_probs = log_softmax(self.logits(inputs, image_states, text_states, places - 1))
        each = log_probs.gather(-1, inputs.others[TARGETS][:, places, None])[..., 0]
        return each.double().where(scored[:, places], 0).sum(-1)  # a long text has a large sum of small parts

    @abstractmethod
    def image_states(self, inputs: PairInputs) -> Tensor:
        """Return what the network computes from the pictures alone, (n, ...)."""

    @abstractmethod
    def logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token, (n, kept, vocab_size).

        Args:
            inputs: n pairs.
            image_states: the output of `image_states` for them.
            text_states: the output of `text_states` for them.
            keep: the places among the tokens, (kept,).
        """


class DifferentiableAnswerer(DifferentiableWriter):
    """The base of networks whose match logits are those of "no" and "yes", as the answer to a question about the text.

    P of an answer is summed over all tokens that read as it; its logit is the logarithm of the summed exponentials of
    their logits. Thus a softmax of both is P("yes") / (P("yes") + P("no")), as `itm` returns it.
    """

    model: Answering

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        keep, place = torch.unique(inputs.attention.sum(1) - 1, return_inverse=True)
        logits = wide(self.logits(inputs, image_states, text_states, keep))
        last = logits[torch.arange(len(inputs), device=logits.device), place]
        answers = (self.model.no, self.model.yes)
        return torch.stack([last[:, [*numbers]].logsumexp(-1) for numbers in answers], dim=-1)


def text_with_word(text: str, word: str) -> tuple[str, slice]:
    """Return a text with a word in the place of its mask, and the characters of the word in it.

    Args:
        text: a text with "[MASK]" exactly once.
        word: the word.

    Raises:
        UsageError: the text has not exactly one mask.
    """
    check_masked([text])
    start = text.index(MASK)
    return text.replace(MASK, word), slice(start, start + len(word))


def _filler(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the padding token; of a tokenizer without one, that of a space."""
    if tokenizer.pad_token_id is not None:
        return int(tokenizer.pad_token_id)
    return int(tokenizer(" ", add_special_tokens=False)["input_ids"][0])
