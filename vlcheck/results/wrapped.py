"""The wrappers and the setup of a run's model, in words."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck._util.hashing import brief_digest
from vlcheck.results.records import RunRecord


def wrapper_lines(run: RunRecord) -> Iterator[str]:
    """Yield a sentence for each wrapper: its name, the model that it wraps, and what it does."""
    for one in run.wrappers:
        yield f"{one.wrapper} wraps {one.model} (fingerprint {brief_digest(one.fingerprint)}): {one.says}."


def setup_line(run: RunRecord) -> str:
    """Return what was done to pictures, texts and weights, as one line; "" if the file does not say it."""
    return "; ".join(f"{name} {said}" for name, said in run.setup.items())
