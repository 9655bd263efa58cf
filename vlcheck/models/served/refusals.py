"""The meaning of a refusal of an endpoint, in words: its status, its message, and what would be accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable

from vlcheck.errors import NotApplicable, UsageError, nearest, printable
from vlcheck.models.served.address import FORM, Address
from vlcheck.models.served.key import ApiKey

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # statuses of a fault that may pass
_TOO_LONG = ("context length", "context_length", "context window", "too long", "max_model_len", "maximum model length")
_LONGEST = 200  # characters of an endpoint's message


class Unreached(UsageError):
    """An endpoint that gave no answer, after all tries."""


class RefusedRequest(UsageError):
    """A request that an endpoint refuses.

    Args:
        message: the message for the user.
        status: the HTTP status.
        said: the endpoint's own message.
    """

    def __init__(self, message: str, status: int = 0, said: str = "") -> None:
        super().__init__(message)
        self.status, self.said = status, said


class NotThere(UsageError):
    """A path that an endpoint does not have."""


def refusal(status: int, text: str, address: Address, key: ApiKey) -> UsageError | NotApplicable:
    """Return the error for a status that is no success.

    Args:
        status: the HTTP status.
        text: the body of the answer.
        address: the endpoint.
        key: the place of its key.
    """
    said = key.scrubbed(said_in(text))
    shown = f" It says: {printable(said, _LONGEST)}" if said else ""
    if status in (401, 403):
        cure = f"refuses the key in {key.variable}" if key.is_set else f"needs a key: {key.lack}"
        return RefusedRequest(
            f"{address.url} {cure} (status {status}). Put the key into this environment variable, or name another"
            f" variable with ,key=NAME.{shown}",
            status,
            said,
        )
    if status in (400, 413, 422) and any(words in said.lower() for words in _TOO_LONG):
        return NotApplicable("the text and its picture are too long for the served model")
    if 300 <= status < 400:
        return RefusedRequest(
            f"{address.url} sends requests elsewhere (status {status}). Name the URL itself.", status, said
        )
    if status == 404 and "model" not in said.lower():
        why = f"it answers with status 404{f' ({printable(said, _LONGEST)})' if said else ''}"
        return NotThere(not_the_protocol(address, why))
    return RefusedRequest(f"{address.url} refuses a request (status {status}).{shown}", status, said)


def said_in(text: str) -> str:
    """Return the message in the body of an error, as OpenAI and other servers write it; "" if there is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.lstrip().startswith("<") else text.strip()
    if not isinstance(body, dict):
        return text.strip()
    error = body.get("error") or body
    said = (error.get("message") or error.get("detail") or "") if isinstance(error, dict) else error or ""
    return said if isinstance(said, str) else json.dumps(said)


def not_the_protocol(address: Address, why: str) -> str:
    """Return the message about an endpoint that does not speak OpenAI's protocol.

    Args:
        address: the endpoint.
        why: the reason, as a clause.
    """
    hint = "" if address.url.endswith("/v1") else " Does the URL lack /v1?"
    return f"{address.url} is no endpoint of OpenAI's protocol: {why}.{hint} Say {FORM}."


def another_model(address: Address, served: Iterable[str]) -> UsageError:
    """Return the error for a model that an endpoint does not serve.

    Args:
        address: the endpoint, and the model that was asked for.
        served: the ids of those that it serves.
    """
    names = [printable(name) for name in served]
    if not address.model:
        return UsageError(f"no model is named. {address.url} serves {', '.join(names)}. Say {FORM}.")
    return UsageError(f"{address.url} serves no {printable(address.model)!r}. {nearest(address.model, names)}")
