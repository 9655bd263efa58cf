"""Greedy thoughts: a model that thinks before it answers writes its thought token by token, and then it is asked."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from vlcheck.errors import UsageError
from vlcheck.models.adapters.chat import Chat

# A function that reads further token ids of one text, (1, n), and returns the logits of the next token, (vocab_size,).
Read = Callable[[Tensor], Tensor]
AFTER_A_THOUGHT = "yes-no-thought"  # the kind of score
MOST = 32_768  # tokens of a thought, at most
_TAIL = 24  # last tokens of a thought in which the sign that ends it is looked for; several may spell it


class ThoughtThrough(NamedTuple):
    """A question with the thought about it.

    Attributes:
        ids: token ids of the question, of the thought and of its end, up to the place of the answer.
        cut: True if the thought did not end itself: it reached the limit, or the model ended its turn.
    """

    ids: Sequence[int]
    cut: bool


@dataclass(frozen=True)
class Thinker:
    """Writes the thoughts of a model, each greedily: the likeliest token is always the next one.

    Questions are thought through one at a time: beside others, a token that is as likely as another one could come out
    differently, and the thought with it. A thought of n tokens takes n passes of the network, and one more reads it.

    Attributes:
        chat: the conversations of the model, which has a thought before each answer.
        ends: ids of the tokens with which the model ends its turn.
    """

    chat: Chat
    ends: Container[int]

    @property
    def limit(self) -> int:
        """The largest number of tokens of a thought."""
        return self.chat.thought.limit if self.chat.thought else 0

    def think(self, read: Read, asked: Sequence[int], device: torch.device) -> ThoughtThrough:
        """Return a question with the thought about it.

        Args:
            read: reads the text of one conversation about a picture, part by part.
            asked: token ids of the question, up to the place of the thought.
            device: the network's device.
        """
        around, thought, new = self.chat.thought, list[int](), asked
        if around is None:
            raise TypeError("the model answers without a thought")
        while len(thought) < around.limit:
            new = [int(read(torch.tensor([new], device=device)).argmax())]
            if new[0] in self.ends:
                break
            thought += new
            if around.end in (said := self._said(thought)):
                return ThoughtThrough([*asked, *thought, *self.chat.closing(said)], cut=False)
        return ThoughtThrough([*asked, *thought, *self.chat.closing("")], cut=True)

    def _said(self, thought: Sequence[int]) -> str:
        """Return the end of a thought as text, with its signs."""
        said: str = self.chat.tokenizer.decode(thought[-_TAIL:], skip_special_tokens=False)
        return said


def thought_limit(said: str | None) -> int | None:
    """Return the largest number of tokens of a thought, as the option `thought` of a spec says; None without it.

    Raises:
        UsageError: it says something else than a whole number from 0 to MOST.
    """
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or int(said) > MOST:
        raise UsageError(
            f"thought={said}: has to be a whole number of tokens from 0 to {MOST:,}, the longest thought before an"
            " answer; 0 has the model answer at once."
        )
    return int(said)


def turn_ends(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the ids of the tokens that end a turn.

    Args:
        network: the network, whose generation config may say some.
        tokenizer: its tokenizer.
    """
    said = getattr(network.generation_config, "eos_token_id", None)
    stated = said if isinstance(said, Sequence) else [said]
    return frozenset(number for number in (*stated, tokenizer.eos_token_id) if number is not None)
