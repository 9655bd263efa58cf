"""The client libraries of experiment trackers: imported when they are needed, and their errors in plain words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from vlcheck.errors import UsageError

_PASSWORD = re.compile("://([^/@\\s]+)@")


def client_library(name: str) -> Any:
    """Import the library of a tracker.

    Args:
        name: the name of the library, which is also that of the extra.

    Raises:
        UsageError: it is not installed, or cannot be imported; the message names the extra.
    """
    install = f'python -m pip install "vlcheck[{name}]"'
    if find_spec(name) is None:
        raise UsageError(f"export {name}: needs the package {name}, of the extra {name}: {install}.")
    try:
        return import_module(name)
    except Exception as error:
        raise UsageError(
            f"export {name}: {name} is installed and cannot be imported ({_said(error)}): {install}."
        ) from error


@contextmanager
def plain_errors(tracker: str, place: str, kept: str, hint: str = "") -> Iterator[None]:
    """Turn any error of a tracker's library into one that says where it happened, and that nothing is lost.

    Args:
        tracker: the tracker's name.
        place: the address of the store; a password in it is not shown.
        kept: the results file, from which the command can be run again.
        hint: a sentence on what else can be done.

    Raises:
        UsageError: the library raised an error.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        secret = _PASSWORD.search(place)
        said = _said(error).replace(secret[1], "***") if secret else _said(error)
        raise UsageError(
            f"export {tracker}: the run could not be kept in {without_password(place)} ({said}). Nothing is lost:"
            f" {kept} is unchanged, and the same command tries again. {hint}".rstrip()
        ) from error


def without_password(place: str) -> str:
    """Return an address with stars in the place of its user and password.

    Example:
        >>> without_password("https://me:secret@example.org/runs")
        'https://***@example.org/runs'
    """
    return _PASSWORD.sub("://***@", place)


@contextmanager
def defaults(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that are not set, for as long as the context lasts.

    Args:
        variables: values by name.
    """
    fresh = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            os.environ.pop(name, None)


def _said(error: Exception) -> str:
    """Return the kind of an error and its first line."""
    told = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {told}"[:600]
