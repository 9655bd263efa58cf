"""Memory of `vlcheck models check`: which models were checked, and which clauses of the contract each of them breaks.

Each model has a small file in the user's cache folder, named by the model's fingerprint and by the versions of
everything else that decides a score.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vlcheck._util.files import replacing
from vlcheck._util.foreign_files import read_json
from vlcheck._util.hashing import digest
from vlcheck._util.installed import versions, versions_key
from vlcheck.errors import UsageError


@dataclass(frozen=True)
class Tried:
    """The result of an earlier check of the contract.

    Attributes:
        tried: False if there is no result, or its file cannot be read.
        broken: the clauses that the model breaks.
    """

    tried: bool = False
    broken: tuple[str, ...] = ()


def keep(fingerprint: str, broken: Sequence[str]) -> None:
    """Write the result of a check; it replaces an earlier one.

    Args:
        fingerprint: the model's.
        broken: the clauses that the model breaks; empty for none.

    Raises:
        OSError: there is no cache folder to write to.
    """
    path = _place(fingerprint)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps({"broken": list(broken)}), encoding="utf-8")


def look_up(fingerprint: str) -> Tried:
    """Return the result of the latest check of a model."""
    with suppress(UsageError, OSError, KeyError, TypeError):  # no such file, no cache folder, or a foreign file
        kept = read_json(_place(fingerprint))
        return Tried(tried=True, broken=tuple(map(str, kept["broken"])))
    return Tried()


def _place(fingerprint: str) -> Path:
    """Return the path of a model's file. Raises OSError if the user has no home folder."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return cache / "vlcheck" / "contract" / f"{digest(fingerprint, versions_key(versions()))}.json"
