"""The address of a served model: the endpoint's URL and the model's id, as in `openai:URL#MODEL`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from vlcheck.errors import UsageError, printable

_LOCAL = re.compile(r"127(\.[0-9]{1,3}){3}")
_OPENAI = ".api.openai.com"  # and those of regions
FORM = "openai:URL#MODEL, e.g. openai:http://localhost:8000/v1#org/name"


@dataclass(frozen=True)
class Address:
    """The place of a served model.

    Attributes:
        url: the URL under which the endpoint has `/models` and `/chat/completions`, without a slash at its end.
        model: the id by which the endpoint knows the model; "" if none is named.
    """

    url: str
    model: str

    @property
    def root(self) -> str:
        """The server's own URL, without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_openai(self) -> bool:
        """True if OpenAI's key is meant for it: OpenAI's own endpoint, encrypted, or a server on this machine."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        own = parts.scheme == "https" and f".{host}".endswith(_OPENAI)
        return own or host in ("localhost", "::1") or _LOCAL.fullmatch(host) is not None

    @classmethod
    def read(cls, text: str) -> Address:
        """Read an address.

        Args:
            text: `URL#MODEL`.

        Raises:
            UsageError: it is no URL of HTTP.

        Example:
            >>> Address.read("http://localhost:8000/v1/#org/name")
            Address(url='http://localhost:8000/v1', model='org/name')
        """
        if "@" in text or "?" in text:
            raise UsageError(f"the URL of an endpoint may have no user, password or query. Say {FORM}.")
        url, _, model = text.partition("#")
        try:
            parts = urlsplit(url)
            whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:  # a port that is no number, or a bracket that is not closed
            whole = False
        if not whole:
            raise UsageError(f"{printable(url)!r} is not the URL of an endpoint. Say {FORM}.")
        return cls(url.rstrip("/"), model)
