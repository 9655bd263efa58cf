"""Answers as rows of a store, and the checks of rows that may be damaged."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS

_JPEG = (b"\xff\xd8", b"\xff\xd9")  # the first and last bytes of a JPEG file


def pack(answer: Answer) -> tuple[bytes, str, str, str]:
    """Return the columns scores, top, unasked and error of an answer."""
    # As bytes, since SQLite turns the number NaN into NULL.
    scores = struct.pack(f"<{len(answer.values)}d", *answer.values)
    return scores, json.dumps(answer.top), storable(answer.unasked), storable(answer.error)


def storable(text: str) -> str:
    """Return a text that SQLite accepts: a message may name a path with bytes that are no valid text."""
    return text.encode(errors="backslashreplace").decode()


def unpack(kept: Sequence[Any]) -> Answer | None:
    """Return the answer in a row's columns scores, top, unasked and error; None if the row is damaged."""
    scores, top, unasked, error = kept
    values = unpack_scores(scores)
    if values is None or not all(isinstance(one, str) for one in kept[1:]):
        return None
    try:
        "".join((top, unasked, error)).encode()  # fails on surrogates, which stand for bytes that are no text
        words = () if top == "[]" else tuple((str(word), float(score)) for word, score in json.loads(top))
    except (ValueError, TypeError, RecursionError):
        return None
    return Answer(values, words, unasked, error)


def unpack_scores(scores: object) -> tuple[float, ...] | None:
    """Return the values in a column of scores; None if it is damaged."""
    if not isinstance(scores, bytes) or len(scores) % 8:
        return None
    values = struct.unpack(f"<{len(scores) // 8}d", scores)
    return None if any(math.isfinite(value) and not 0 <= value <= 1 for value in values) else values


def is_sound(scores: object) -> bool:
    """Return True if a column of scores can be read, and has finite numbers alone."""
    values = unpack_scores(scores)
    return values is not None and all(map(math.isfinite, values))


def has_answer(answer: Answer, query: Query) -> bool:
    """Return True if an answer has as many values as the query asks for, or says why it has none.

    Args:
        answer: the answer.
        query: the query.
    """
    if answer.unasked or answer.error:
        return True
    return len(answer.values) == METRICS[query.metric].n_values(query)


def is_jpeg(content: bytes) -> bool:
    """Return True if some bytes begin and end as a JPEG file does."""
    return content.startswith(_JPEG[0]) and content.endswith(_JPEG[1])


def versions_in(kept: object) -> Mapping[str, str]:
    """Return the versions in a row; an empty mapping if it is damaged."""
    try:
        found = json.loads(kept) if isinstance(kept, str) else {}
    except ValueError:
        found = {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}
