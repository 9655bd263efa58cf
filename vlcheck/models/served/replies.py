"""Answers of an endpoint, checked: the likeliest first tokens, and the log-probabilities of a prompt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from vlcheck.errors import UsageError, printable

_ROUNDING = 1e-3  # log-probabilities of half-precision servers may lie above 0 by this much
_LEAST = 1e6  # of -log P: beyond it P is 0
_AROUND = " \u2581\u0120"  # marks of spaces, which may stand before a word in a token


class Garbage(UsageError):
    """An answer that is JSON, but not of the protocol's form."""


class NoLogProbs(UsageError):
    """An answer without log-probabilities."""


class Origin(NamedTuple):
    """The model that gave an answer, as the answer names it.

    Attributes:
        model: the id of the model.
        system: the fingerprint of its system; "" if there is none.
    """

    model: str
    system: str


@dataclass(frozen=True)
class TokenList:
    """The likeliest tokens at the place of the answer's first token.

    Attributes:
        tokens: each token with its probability, as the endpoint lists them.
    """

    tokens: tuple[tuple[str, float], ...]

    @property
    def rest(self) -> float:
        """The probability of all tokens that are not listed."""
        return max(0.0, 1.0 - sum(prob for _, prob in self.tokens))

    @property
    def most_unlisted(self) -> float:
        """The largest probability that a token which is not listed may have."""
        return min(self.rest, min((prob for _, prob in self.tokens), default=1.0))

    def of(self, word: str, *, fold: bool = True) -> float:
        """Return the summed probability of the listed tokens that read as a word.

        Args:
            word: the word.
            fold: whether capitals make no difference.
        """
        return sum(prob for token, prob in self.tokens if _reads_as(token, word, fold))

    def has(self, word: str, *, fold: bool = True) -> bool:
        """Return True if a listed token reads as a word.

        Args:
            word: the word.
            fold: whether capitals make no difference.
        """
        return any(_reads_as(token, word, fold) for token, _ in self.tokens)

    def distance(self, other: TokenList) -> float:
        """Return the largest difference of a token's probability in two lists.

        A token that one list lacks may have any probability up to `most_unlisted` there: the one nearest to the other
        list's is taken.
        """
        own, theirs = dict(self.tokens), dict(other.tokens)
        return max((_apart(token, (own, self), (theirs, other)) for token in {*own, *theirs}), default=0.0)


def first_token(body: Any) -> TokenList:
    """Return the likeliest first tokens in the answer to a chat.

    Args:
        body: the JSON of the answer.

    Raises:
        Garbage: it has another form.
        NoLogProbs: it has no log-probabilities.
    """
    choice = _choice(body)
    said = choice.get("logprobs")
    content = said.get("content") if isinstance(said, Mapping) else None
    if not content:
        raise NoLogProbs("the endpoint gives no log-probabilities: its answers have no logprobs.content")
    first = content[0] if isinstance(content, Sequence) and isinstance(content[0], Mapping) else {}
    listed = first.get("top_logprobs")
    if not isinstance(listed, Sequence) or not listed:
        raise NoLogProbs("the endpoint gives no log-probabilities of other tokens: top_logprobs is empty")
    return TokenList(tuple((_text(one), math.exp(_log_prob(one))) for one in listed))


def prompt_tokens(body: Any) -> tuple[tuple[str, float], ...]:
    """Return the log-probability of each token of a prompt, as vLLM gives it; () if there is none.

    Args:
        body: the JSON of the answer.

    Returns:
        Pairs of a token's id and its log-probability, from the second token on.

    Raises:
        Garbage: it has another form.
    """
    listed = _choice(body) and body.get("prompt_logprobs")
    if not listed:
        return ()
    if not isinstance(listed, Sequence) or not all(one is None or isinstance(one, Mapping) for one in listed):
        raise _garbage("prompt_logprobs is no list of objects", listed)
    return tuple(_asked_token(one) for one in listed if one)


def origin(body: Any) -> Origin:
    """Return what an answer says of the model that gave it."""
    said = body if isinstance(body, Mapping) else {}
    return Origin(*(printable(str(said.get(name) or "")) for name in ("model", "system_fingerprint")))


def _asked_token(listed: Mapping[str, Any]) -> tuple[str, float]:
    """Return the prompt's own token: the only one, or the first, since the likeliest ones follow it."""
    token, its = next(iter(listed.items()))
    return token, _log_prob(its)


def _choice(body: Any) -> Mapping[str, Any]:
    choices = body.get("choices") if isinstance(body, Mapping) else None
    if not isinstance(choices, Sequence) or not choices or not isinstance(choices[0], Mapping):
        raise _garbage("it has no choices", body)
    return choices[0]


def _text(one: Any) -> str:
    token = one.get("token") if isinstance(one, Mapping) else None
    if not isinstance(token, str):
        raise _garbage("a token has no text", one)
    return token


def _log_prob(one: Any) -> float:
    value = one.get("logprob") if isinstance(one, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value > _ROUNDING:
        raise _garbage("a log-probability is no number up to 0", one)
    return float(max(min(value, 0.0), -_LEAST))


def _garbage(why: str, found: object) -> Garbage:
    return Garbage(f"the endpoint's answer is not of OpenAI's protocol: {why}: {printable(repr(found), 80)}")


def _reads_as(token: str, word: str, fold: bool) -> bool:
    bare = token.strip(_AROUND)
    return bare.lower() == word.lower() if fold else bare == word


def _apart(
    token: str, one: tuple[Mapping[str, float], TokenList], other: tuple[Mapping[str, float], TokenList]
) -> float:
    (probs, listed), (others, their_list) = one, other
    if token in probs and token in others:
        return abs(probs[token] - others[token])
    known, hidden = (probs[token], their_list) if token in probs else (others[token], listed)
    return max(0.0, known - hidden.most_unlisted)


def likelihoods(prompts: Sequence[Sequence[tuple[str, float]]]) -> Iterator[tuple[float, float]]:
    """Yield the log-likelihood of each of some prompts that are compared, and that of its first token that differs.

    The tokens that all prompts begin with are left out, since they cancel.

    Args:
        prompts: pairs of a token's id and its log-probability, of each prompt.
    """
    start = _common(prompts)
    for prompt in prompts:
        logs = [log for _, log in prompt[start:]]
        yield sum(logs), logs[0] if logs else 0.0


def first_ids(prompts: Sequence[Sequence[tuple[str, float]]]) -> Iterable[str]:
    """Return the id of each prompt's first token that differs; "" for a prompt that has none."""
    start = _common(prompts)
    return [prompt[start][0] if len(prompt) > start else "" for prompt in prompts]


def _common(prompts: Sequence[Sequence[tuple[str, float]]]) -> int:
    columns = zip(*prompts, strict=False)
    start = 0
    for column in columns:
        if len({token for token, _ in column}) > 1:
            break
        start += 1
    return start
