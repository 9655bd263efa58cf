"""Keys and passwords have no place in a spec: it is shown in messages, results and pages."""

from __future__ import annotations

import os
import re

from vlcheck.errors import UsageError, parameter

_ACCEPTED = (
    "Put the key into the environment variable OPENAI_API_KEY, or name another variable with ,key=NAME. The spec is"
    " not repeated here, since it would show the key."
)
# Each served model of a spec, up to the other model of a pair.
_SERVED = re.compile(r"openai:(.*?)(?=,\s*(?:itm|mlm)\s*=|$)", re.IGNORECASE | re.DOTALL)
_OPTIONS = frozenset({"key", "concurrency", "timeout", "tries"})  # other names may stand before a key
_OPTION = re.compile(r",\s*([^,=]*)=")
_KEY = re.compile(r",\s*key=([^,]*)")


def refuse_secrets(spec: str, name: str = "model") -> None:
    """Refuse the spec of a served model that has a key or a password in it; the message does not repeat it.

    Args:
        spec: the spec, as it was written.
        name: the parameter that it is the value of.

    Raises:
        UsageError: it has a user, a password, a query or an unknown option, or `key=` names no environment variable
            that is set.
    """
    for served in _SERVED.findall(spec):
        _refuse_in(served, name)


def _refuse_in(served: str, name: str) -> None:
    if "@" in served or "?" in served:
        raise UsageError(f"{parameter(name)}: the URL of an endpoint may have no user, password or query. {_ACCEPTED}")
    if not {found.strip() for found in _OPTION.findall(served)} <= _OPTIONS:
        raise UsageError(
            f"{parameter(name)}: an endpoint has the options {', '.join(sorted(_OPTIONS))}, and no other. {_ACCEPTED}"
        )
    for found in _KEY.finditer(served):
        if not os.environ.get(found[1].strip(' "'), "").strip():
            raise UsageError(f"{parameter(name)}: key= names no environment variable that has a key. {_ACCEPTED}")
