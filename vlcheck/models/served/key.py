"""The key of an endpoint. It is read from the environment whenever a request is sent, and kept nowhere."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from vlcheck.errors import UsageError
from vlcheck.models.served.http import httpx

VARIABLE = "OPENAI_API_KEY"  # where OpenAI's own client looks for the key
_SHORTEST = 4  # characters; shorter ones, such as the "x" that stands for no key, occur in every text


@dataclass(frozen=True)
class ApiKey:
    """An environment variable that has the key of an endpoint, or has none for an endpoint that needs no key.

    Attributes:
        variable: its name.
        sent: whether the key may be sent to the endpoint.
    """

    variable: str = VARIABLE
    sent: bool = True

    @property
    def is_set(self) -> bool:
        """True if the variable has a key that may be sent."""
        return self.sent and bool(os.environ.get(self.variable, "").strip())

    @property
    def lack(self) -> str:
        """The reason why no key is sent."""
        if self.sent:
            return f"{self.variable} has none"
        return f"{self.variable} is not sent to this endpoint unless ,key={self.variable} names it"

    def demand_sendable(self) -> None:
        """Raise UsageError if the key has characters that no HTTP header can have."""
        key = os.environ.get(self.variable, "").strip()
        fit, key = key.isascii() and key.isprintable(), ""
        if not fit:
            raise UsageError(f"the key in {self.variable} has characters that no HTTP header can have.")

    def scrubbed(self, text: str) -> str:
        """Return a text of the endpoint with `[key]` in the place of the key: some servers repeat it, or encode it."""
        if self._is_long:
            for written in _spellings(os.environ[self.variable].strip()):
                text = text.replace(written, "[key]")
        return text

    @property
    def _is_long(self) -> bool:
        return len(os.environ.get(self.variable, "").strip()) >= _SHORTEST


def _spellings(key: str) -> Iterator[str]:
    """Yield a key as it is, percent-encoded, and in base64, wherever it begins in a text that is encoded as a whole."""
    yield key
    yield quote(key, safe="")
    for before in range(3):  # three bytes become four characters
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b" " * before + key.encode()).decode().rstrip("=")
            inside = whole[(before * 8 + 5) // 6 : (before + len(key.encode())) * 8 // 6]
            if len(inside) >= _SHORTEST:
                yield inside


@dataclass(frozen=True)
class WithoutKey(logging.Filter):
    """Leaves out lines of a log that contain the key.

    Attributes:
        key: the place of the key.
    """

    key: ApiKey

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a line with the key."""
        said = record.getMessage()
        return self.key.scrubbed(said) == said


class Bearer(httpx.Auth):
    """Adds the key to each request.

    Args:
        key: the place of the key.
    """

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with the key, if there is one."""
        if self._key.is_set:
            request.headers["Authorization"] = f"Bearer {os.environ[self._key.variable].strip()}"
        yield request
