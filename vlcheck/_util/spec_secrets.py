"""Keys and passwords have no place in a spec: it is shown in messages, results and pages."""

from __future__ import annotations

import os
import re

from vlcheck.errors import UsageError, parameter

_SCHEME = re.compile(r"openai:", re.IGNORECASE)
_ACCEPTED = (
    "Put the key into the environment variable OPENAI_API_KEY, or name another variable with ,key=NAME. The spec is"
    " not repeated here, since it would show the key."
)
_IN_URL = re.compile(r"^[^#]*[@?]|@[^#]*#")  # a password may have any character; a model's id may have @
_LIKE_KEY = re.compile(r",\s*(?!key=)\w*(?:key|token|secret|password)\w*\s*=", re.IGNORECASE)
_KEY = re.compile(r",\s*key=([^,]*)")


def refuse_secrets(spec: str, name: str = "model") -> None:
    """Refuse the spec of a served model that has a key or a password in it; the message does not repeat it.

    Args:
        spec: the spec, as it was written.
        name: the parameter that it is the value of.

    Raises:
        UsageError: its URL has a user, a password or a query, or `key=` names no environment variable that is set.
    """
    for served in _SCHEME.split(spec)[1:]:  # a pair has two
        _refuse_in(served, name)


def _refuse_in(served: str, name: str) -> None:
    if _IN_URL.search(served):
        raise UsageError(f"{parameter(name)}: the URL of an endpoint may have no user, password or query. {_ACCEPTED}")
    if _LIKE_KEY.search(served):
        raise UsageError(f"{parameter(name)}: a key has no place in a spec. {_ACCEPTED}")
    for found in _KEY.finditer(served):
        if not os.environ.get(found[1].strip(' "'), "").strip():
            raise UsageError(f"{parameter(name)}: key= names no environment variable that has a key. {_ACCEPTED}")
