"""Memory of `vlcheck models check`: on which models the contract was tried, and what of it they break.

A small file for each model in the user's cache, where torch and the model hub keep theirs, too. It is named by the
model's fingerprint and by the versions of all else that decides a score.
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
from vlcheck._util.installed import key_of, versions
from vlcheck.errors import UsageError


@dataclass(frozen=True)
class Tried:
    """What came of the contract.

    Attributes:
        tried: False where nothing was found or the file cannot be read.
        broken: clauses that the model breaks.
    """

    tried: bool = False
    broken: tuple[str, ...] = ()


def keep(fingerprint: str, broken: Sequence[str]) -> None:
    """Keep what came of the contract; a later trial replaces it. Raises OSError where there is no cache to write to."""
    path = _place(fingerprint)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps({"broken": list(broken)}), encoding="utf-8")


def look_up(fingerprint: str) -> Tried:
    """Return what came of the contract when it was last tried."""
    with suppress(UsageError, OSError, KeyError, TypeError):  # no such file, no place for one, or a foreign one
        kept = read_json(_place(fingerprint))
        return Tried(tried=True, broken=tuple(map(str, kept["broken"])))
    return Tried()


def _place(fingerprint: str) -> Path:
    """Raises OSError where the user has no home."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return cache / "vlcheck" / "contract" / f"{digest(fingerprint, key_of(versions()))}.json"
