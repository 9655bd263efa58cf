"""The line to a served model: prompts go out by a pool of threads, and checked answers come back as futures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from vlcheck.errors import UsageError
from vlcheck.models.served.client import Client
from vlcheck.models.served.pictures import SentPicture
from vlcheck.models.served.pool import RequestPool
from vlcheck.models.served.prompts import Prompts
from vlcheck.models.served.replies import Origin, TokenList, first_token, origin, prompt_tokens

CHAT = "/chat/completions"


@dataclass(frozen=True, eq=False)
class Line:
    """Sends questions to one model.

    Attributes:
        client: its endpoint.
        prompts: writes the questions.
        pool: the threads that send them.
        origins: the models that the answers to the probe named; answers that name another one are refused. Empty
            before the probe was asked.
    """

    client: Client
    prompts: Prompts
    pool: RequestPool
    origins: frozenset[Origin] = frozenset()

    @property
    def listed(self) -> int:
        """The number of likeliest tokens that the endpoint lists; 0 if it gives no log-probabilities."""
        return self.prompts.dialect.listed

    def match(self, picture: SentPicture, text: str) -> Future[TokenList]:
        """Ask whether a picture shows a text.

        Args:
            picture: the picture.
            text: the text.
        """
        return self._send(lambda: self.prompts.match(picture.url, text), first_token)

    def choice(self, picture: SentPicture, text: str, words: tuple[str, ...]) -> Future[TokenList]:
        """Ask which of some words belongs at the mask of a text.

        Args:
            picture: the picture.
            text: the text, with "[MASK]" once.
            words: the words, in the order in which they are offered.
        """
        return self._send(lambda: self.prompts.choice(picture.url, text, words), first_token)

    def answered(self, picture: SentPicture, text: str) -> Future[tuple[tuple[str, float], ...]]:
        """Ask for the log-probabilities of the prompt in which a text describes a picture.

        Args:
            picture: the picture.
            text: the text.
        """
        return self._send(lambda: self.prompts.answered(picture.url, text), prompt_tokens)

    def origin(self, picture: SentPicture, text: str) -> Future[Origin]:
        """Ask whether a picture shows a text, and return the model that the answer names.

        Args:
            picture: the picture.
            text: the text.
        """
        return self._send(lambda: self.prompts.match(picture.url, text), origin)

    def _send(self, request: Callable[[], dict[str, Any]], read: Callable[[Any], Any]) -> Future[Any]:
        return self.pool.submit(partial(self._ask, request, read))

    def _ask(self, request: Callable[[], dict[str, Any]], read: Callable[[Any], Any]) -> Any:
        body = self.client.post(CHAT, request()).body
        found = read(body)
        self._demand_same(origin(body))
        return found

    def _demand_same(self, its: Origin) -> None:
        """Raise UsageError if an answer is of another model than those to the probe."""
        if not self.origins or its in self.origins:
            return
        models = sorted({one.model for one in self.origins})
        if its.model not in models:
            raise UsageError(
                f"{self.client.address.url} answers as {its.model!r}; at the start of the run it was"
                f" {', '.join(models)}"
            )
        if len(self.origins) == 1:  # several systems at the start are a fleet, of which not all were seen
            raise UsageError(
                f"{self.client.address.url} has become another system, {its.system!r}; at the start of the run it was"
                f" {next(iter(self.origins)).system!r}"
            )
