"""The questions that a served model is asked, as the JSON of OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from vlcheck.cases.case import MASK
from vlcheck.models.adapters.chat import REQUEST
from vlcheck.models.adapters.wording import QUESTION

CHOICE = (
    'Which of these words belongs in the place of "{blank}" in the text "{text}" about this figure?\n{options}\n'
    "Please answer with one letter."
)
BLANK = "____"
LETTERS = ascii_uppercase
MOST_LISTED = 20  # tokens that OpenAI and vLLM list at most


@dataclass(frozen=True)
class Dialect:
    """The part of the protocol that an endpoint accepts.

    Attributes:
        limit: the name of the limit on the answer's length.
        listed: number of likeliest tokens that it lists; 0 for an endpoint without log-probabilities.
        prompts: whether it gives the log-probabilities of prompts, as vLLM does.
        more: further entries of every request.
    """

    limit: str = "max_tokens"
    listed: int = MOST_LISTED
    prompts: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The part of it that may change an answer, in words."""
        more = f", with {json.dumps(self.more, sort_keys=True)}" if self.more else ""
        return f"{self.listed} tokens listed{more}"


@dataclass(frozen=True)
class Prompts:
    """Writes requests to one model.

    Attributes:
        model: its id.
        dialect: the part of the protocol that its endpoint accepts.
        wording: the wording of the question whether a picture shows a text.
    """

    model: str
    dialect: Dialect
    wording: str = QUESTION

    def match(self, url: str, text: str) -> dict[str, Any]:
        """Return the request that asks whether a picture shows a text; the answer's first token is read.

        Args:
            url: data URL of the picture.
            text: the text.
        """
        return self._first_token(url, self.wording.format(text=text))

    def choice(self, url: str, text: str, words: Sequence[str]) -> dict[str, Any]:
        """Return the request that asks which of some words belongs at the mask, each under a letter.

        Args:
            url: data URL of the picture.
            text: the text, with "[MASK]" once.
            words: the words in the order of the offer, at most as many as there are letters.
        """
        options = "\n".join(f"{letter}. {word}" for letter, word in zip(LETTERS, words, strict=False))
        return self._first_token(url, CHOICE.format(blank=BLANK, text=text.replace(MASK, BLANK), options=options))

    def answered(self, url: str, text: str) -> dict[str, Any]:
        """Return the request for the log-probabilities of a text as the answer to a request for a description.

        Args:
            url: data URL of the picture.
            text: the text.
        """
        said = [_about(url, REQUEST), {"role": "assistant", "content": text}]
        how = {"add_generation_prompt": False, "continue_final_message": True, "prompt_logprobs": 0}
        return self._request(said) | how

    def _first_token(self, url: str, question: str) -> dict[str, Any]:
        listed = self.dialect.listed
        wanted = {"logprobs": True, "top_logprobs": listed} if listed else {}
        return self._request([_about(url, question)]) | wanted

    def _request(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a request for one token, drawn from the model's own distribution, not from a sharper one."""
        how = {self.dialect.limit: 1, "temperature": 1, "top_p": 1, "stream": False}
        return {"model": self.model, "messages": messages, **how, **self.dialect.more}


def rotations(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all rotations of some words, so that each of them is once in each place.

    Example:
        >>> rotations(["red", "blue"])
        [('red', 'blue'), ('blue', 'red')]
    """
    return [(*words[start:], *words[:start]) for start in range(len(words))]


def _about(url: str, text: str) -> dict[str, Any]:
    return {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}],
    }
