"""Probes that were seen before: noise must not make a new model of one that is known.

The answers of an endpoint differ a little from time to time, and so would a digest of them. The first answers of each
model are kept in the user's cache folder; later ones that differ by no more than the noise have their identity.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from vlcheck._util.files import replacing
from vlcheck._util.foreign_files import read_json
from vlcheck.errors import UsageError
from vlcheck.models.served.probe import Probed
from vlcheck.models.served.replies import TokenList

_PATIENCE = 10.0  # seconds that another process may hold the file


def known_as(name: str, probed: Probed) -> str:
    """Return the identity of a probe: that of the nearest one that was the same, else its own, which is kept.

    Args:
        name: digest of all else that identifies the model.
        probed: its answers now.
    """
    try:
        path = _place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_PATIENCE):
            return _known_in(path, probed)
    except (OSError, RuntimeError):  # no folder that can be written, no home folder, or a lock that is not freed
        return probed.key


def _known_in(path: Path, probed: Probed) -> str:
    kept = _read(path)
    same = {key: probed.distance(other) for key, other in kept.items() if probed.same(other)}
    if same:
        return min(same, key=same.__getitem__)
    kept[probed.key] = probed
    with replacing(path) as draft:
        draft.write_text(json.dumps({key: _written(one) for key, one in kept.items()}), encoding="utf-8")
    return probed.key


def _read(path: Path) -> dict[str, Probed]:
    with suppress(UsageError, OSError, KeyError, TypeError, ValueError, AttributeError):  # none yet, or a foreign file
        return {str(key): _probed(one) for key, one in read_json(path).items()}
    return {}


def _written(probed: Probed) -> dict[str, Any]:
    return {"noise": probed.noise, "answers": [one.tokens for one in probed.answers]}


def _probed(kept: Any) -> Probed:
    answers = tuple(TokenList(tuple((str(token), float(prob)) for token, prob in tokens)) for tokens in kept["answers"])
    return Probed(answers, float(kept["noise"]))


def _place(name: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "vlcheck" / "served" / f"{name}.json"
