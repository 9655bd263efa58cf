"""A served model: it keeps the protocol of models, and its questions are answered over HTTP, many at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from copy import copy
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from PIL import Image

from vlcheck.cases.case import MASK, filled
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.itm import YesNo
from vlcheck.metrics.kinds import ANY
from vlcheck.metrics.query import Query
from vlcheck.models.adapters.wording import QUESTION, WORDINGS, demand_wording
from vlcheck.models.protocol import Encoded
from vlcheck.models.served.identity import Identity
from vlcheck.models.served.line import Line
from vlcheck.models.served.pictures import SentPicture, SentPictures
from vlcheck.models.served.prompts import BLANK, CHOICE, LETTERS, rotations
from vlcheck.models.served.replies import TokenList, first_ids, likelihoods
from vlcheck.models.setup import Setup

_CLEAR = 0.01  # an answer that is not listed may move a share by this much
_ONE_WORD = "the model only compares words, and no other is known to be false"
_TOO_MANY = f"more than {len(LETTERS)} words, and as many letters, are compared"
Weighed = tuple[tuple[float, ...], float]  # the shares of some words, and the probability that one of them is said


class Served:
    """A model behind an endpoint of OpenAI's protocol.

    P(match) = P("yes") / (P("yes") + P("no")) among the listed first tokens of the answer to QUESTION. Words are
    compared by the likelihood of the texts that they complete, where the endpoint gives the log-probabilities of
    prompts (kind "candidates"); else by the letter under which a word is offered, averaged over all rotations of the
    words (kind "choice").

    Args:
        line: sends questions.
        identity: the facts by which the model is known.
        words: the kind of its mlm, "candidates" or "choice".

    Attributes:
        name: the id by which the endpoint knows the model.
        fingerprint: digest of the endpoint, the model, its version, its answers to the probe, and the wordings.
        at_once: number of requests at a time.
        noise: largest difference of a probability among repeats of a question, in [0, 1].
        wordings: the wordings of the question, the usual one first.
    """

    wordings: Sequence[str] = WORDINGS
    kinds: Mapping[str, str] = MappingProxyType({"itm": "yes-no", "mlm": "candidates"})  # of an endpoint such as vLLM's
    mask = MASK
    cased = True

    def __init__(self, line: Line, identity: Identity, words: str) -> None:
        self.line, self.identity = line, identity
        self._worded = line  # asks in another wording; the probe is always asked in the usual one
        self.name = line.prompts.model
        self.kinds = {"itm": "yes-no", "mlm": words}
        self.metrics = frozenset(self.kinds)
        self.at_once = line.pool.size
        self.noise = identity.probed.noise
        self.fingerprint = identity.fingerprint(QUESTION, CHOICE, BLANK, words, line.prompts.dialect.said)

    def setup(self) -> Setup:
        """Return what a run says of the endpoint."""
        return Setup(
            pictures=self.identity.pictures,
            texts=f"the endpoint's template; {self._worded.prompts.wording}; {self.line.prompts.dialect.said}",
            server=self.identity.said,
        )

    def changed(self) -> str:
        """Return how the endpoint differs from what it was at the start of the run; "" if it does not."""
        return self.identity.changed(self.line)

    def in_wording(self, wording: str) -> Self:
        """Return the model with another wording of its question; it reads pictures that this model has encoded.

        Args:
            wording: one of `wordings`.

        Raises:
            UsageError: there is no such wording.
        """
        demand_wording(wording, self)
        other = copy(self)
        other._worded = replace(self.line, prompts=replace(self.line.prompts, wording=wording))
        return other

    def requests(self, query: Query) -> int:
        """Return the number of requests that a query takes: words that are compared take one each."""
        return 1 if query.metric == "itm" else len(query.words)

    def encode(self, images: Sequence[Image.Image]) -> SentPictures:
        """Keep images to be sent, as PNG.

        Args:
            images: n images of any size and mode.
        """
        return SentPictures(self.line, tuple(map(SentPicture, images)))

    def begin(self, metric: str, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> None:
        """Send questions whose answers will be asked for later; see `vlcheck.models.protocol.AsksAhead`.

        Args:
            metric: the metric.
            encoded: n images, encoded by this model.
            texts: n texts.
            words: n lists of words.
        """
        if not self.line.listed:
            return
        pictures = self._own(encoded, texts)
        for picture, text, asked in zip(pictures, texts, words, strict=True):
            if metric == "itm":
                self._match(picture, text)
            elif _refusal(asked) == "":
                self._compare(picture, text, tuple(dict.fromkeys(asked)))

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return P("yes") / (P("yes") + P("no")) for each image and text.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            foils: not used.

        Raises:
            NotApplicable: neither "yes" nor "no" is among the listed tokens, or the text is too long.
            UsageError: the endpoint gives no log-probabilities, or no answer.
        """
        return self.answers(encoded, texts).share

    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """Return P("yes") and P("no") of the answer to the question whether picture i shows text i; see `itm`.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
        """
        self._demand_listed()
        sent = [self._match(*one) for one in zip(self._own(encoded, texts), texts, strict=True)]
        found = [_yes_no(future.result()) for future in sent]
        return YesNo(*np.array(found, dtype=np.float64).reshape(-1, 2).T)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return each word's share among the words that are asked at the mask of each text.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts, each with "[MASK]" exactly once.
            words: n lists of at least two different words.

        Raises:
            NotApplicable: a text is asked with a single word, with more words than there are letters, or is too long.
            UsageError: the endpoint gives no log-probabilities, or no answer.
        """
        self._demand_listed()
        sets = [tuple(dict.fromkeys(asked)) for asked in words]
        for choices in sets:
            if why := _refusal(choices):
                raise NotApplicable(why)
        pictures = self._own(encoded, texts)
        sent = [self._compare(*one) for one in zip(pictures, texts, sets, strict=True)]
        found = [
            dict(zip(choices, self._weigh(futures)[0], strict=True))
            for choices, futures in zip(sets, sent, strict=True)
        ]
        for picture, text, choices in zip(pictures, texts, sets, strict=True):
            picture.compared[text] = choices
        return [np.array([shares[word] for word in asked]) for shares, asked in zip(found, words, strict=True)]

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the probability that one of the words is said that were compared last; see `NamesWords`.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            k: not used; there is one entry at most.
        """
        pictures = self._own(encoded, texts)
        known = [(picture, text, picture.compared.get(text)) for picture, text in zip(pictures, texts, strict=True)]
        return [
            [(ANY, self._weigh(self._compare(picture, text, choices))[1])] if choices else []
            for picture, text, choices in known
        ]

    def _match(self, picture: SentPicture, text: str) -> Future[TokenList]:
        asked = ("itm", self._worded.prompts.wording, text)
        return picture.once(asked, partial(self._worded.match, picture, text))

    def _compare(self, picture: SentPicture, text: str, words: tuple[str, ...]) -> list[Future[Any]]:
        """Return the futures of all answers that compare some words at the mask of a text."""
        if self.kinds["mlm"] == "candidates":
            said = [filled(text, word) for word in words]
            return [picture.once(("said", one), partial(self.line.answered, picture, one)) for one in said]
        turned = rotations(words)
        return [picture.once(("choice", text, one), partial(self.line.choice, picture, text, one)) for one in turned]

    def _weigh(self, sent: Sequence[Future[Any]]) -> Weighed:
        answers = [future.result() for future in sent]
        return _by_likelihood(answers) if self.kinds["mlm"] == "candidates" else _by_letters(answers)

    def _own(self, encoded: Encoded, texts: Sequence[str]) -> tuple[SentPicture, ...]:
        """Return the pictures; raise TypeError or ValueError if they are another model's, or not one for each text."""
        if not isinstance(encoded, SentPictures) or encoded.line is not self.line:
            raise TypeError(f"{self.name} needs images that it encoded itself, not {type(encoded).__name__}")
        if len(encoded) != len(texts):
            raise ValueError(f"{len(texts)} texts for {len(encoded)} images")
        return encoded.pictures

    def _demand_listed(self) -> None:
        if not self.line.listed:
            raise UsageError(
                f"{self.line.client.address.url} gives no log-probabilities of {self.name}, so that no score can be"
                " read from its answers"
            )


def _refusal(words: Sequence[str]) -> str:
    """Return why words cannot be compared; "" if they can."""
    if len(set(words)) == 1:
        return _ONE_WORD
    return _TOO_MANY if len(set(words)) > len(LETTERS) else ""


def _yes_no(listed: TokenList) -> tuple[float, float]:
    """Return P("yes") and P("no"); a word that is not listed has 0, which is at most `listed.most_unlisted` too low.

    Raises:
        NotApplicable: neither is listed, or one is not and may be likely enough to move the share.
    """
    if not (listed.has("yes") or listed.has("no")):
        raise NotApplicable(_neither(len(listed.tokens)))
    if not (listed.has("yes") and listed.has("no")):
        _demand_clear(listed, listed.of("yes") + listed.of("no"), 1)
    return listed.of("yes"), listed.of("no")


def _demand_clear(listed: TokenList, found: float, missing: int) -> None:
    """Raise NotApplicable if answers that are not listed may move a share by more than `_CLEAR`.

    Args:
        listed: the listed tokens.
        found: the summed probability of the answers that are listed.
        missing: number of answers that are not.
    """
    most = min(missing * listed.most_unlisted, listed.rest)
    if most > _CLEAR * (found + most):
        raise NotApplicable(
            f"an answer is not among the {len(listed.tokens)} likeliest first tokens, and may have P up to"
            f" {listed.most_unlisted:.2g}: the share of the others is known to {_CLEAR:g} only if that is less"
        )


def _neither(listed: int) -> str:
    bound = f"each of their tokens has P below {1 / (listed + 1):.2g}"
    return f"neither yes nor no is among the {listed} likeliest first tokens of the answer: {bound}"


def _by_letters(answers: Sequence[TokenList]) -> Weighed:
    """Return the shares of words from the answers to all rotations of them, and the mean probability of any letter.

    Raises:
        NotApplicable: no letter is listed, or those that are not may be likely enough to move a share.
    """
    count = len(answers)
    totals, mass = [0.0] * count, 0.0
    for start, listed in enumerate(answers):
        probs = [listed.of(letter, fold=False) for letter in LETTERS[:count]]
        whole, missing = sum(probs), sum(not listed.has(letter, fold=False) for letter in LETTERS[:count])
        if missing == count:
            raise NotApplicable(f"no letter is among the {len(listed.tokens)} likeliest first tokens of the answer")
        if missing:
            _demand_clear(listed, whole, missing)
        mass += whole / count
        for place, prob in enumerate(probs):
            totals[(start + place) % count] += prob / whole / count
    return tuple(totals), mass


def _by_likelihood(prompts: Sequence[Sequence[tuple[str, float]]]) -> Weighed:
    """Return the shares of words from the log-probabilities of texts, and the probability of any of their beginnings.

    Raises:
        UsageError: the endpoint gave no log-probabilities of a prompt.
    """
    if not all(prompts):
        raise UsageError("the endpoint gave no log-probabilities of the prompt (prompt_logprobs)")
    logs = [whole for whole, _ in likelihoods(prompts)]
    highest = max(logs)
    weights = [math.exp(log - highest) for log in logs]
    firsts = {token: log for token, (_, log) in zip(first_ids(prompts), likelihoods(prompts), strict=True) if token}
    mass = sum(map(math.exp, firsts.values())) if firsts else 1.0
    return tuple(weight / sum(weights) for weight in weights), min(mass, 1.0)
