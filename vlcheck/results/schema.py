"""Conversion of lines of a results file to records, and back; the file's JSON schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import NODEFAULT, MsgspecError

from vlcheck._util.typed import BrokenRule, Fault, convert, json_schema, keys_of
from vlcheck.results.records import (
    SCHEMA,
    EvidenceRecord,
    ExplanationRecord,
    FaultRecord,
    IdentityRecord,
    ImageRecord,
    LaterRecord,
    PrecisionRecord,
    Record,
    RunRecord,
    VerdictRecord,
    WordsLine,
)

RECORDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "run": RunRecord,
        "image": ImageRecord,
        "evidence": EvidenceRecord,
        "verdict": VerdictRecord,
        "explanation": ExplanationRecord,
        "fault": FaultRecord,
        "identity": IdentityRecord,
        "precision": PrecisionRecord,
        "words": WordsLine,
    }
)
Line = (
    RunRecord
    | ImageRecord
    | EvidenceRecord
    | VerdictRecord
    | ExplanationRecord
    | FaultRecord
    | IdentityRecord
    | PrecisionRecord
    | WordsLine
)
_KIND = re.compile("[a-z][a-z-]{0,40}")  # the kinds of all versions
_DECODER = msgspec.json.Decoder(EvidenceRecord)


def record_of(line: object) -> Record:
    """Return the record of a line; a `LaterRecord` if its kind is unknown.

    Args:
        line: a value of JSON.

    Raises:
        ValueError: it is no valid line of a results file; the message names the key, and the values that it accepts.
    """
    kind = line.get("kind") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ValueError("no line of a results file; each names its kind")
    if kind not in RECORDS:
        return LaterRecord()
    if kind == "run" and line.get("schema") != SCHEMA:
        raise ValueError(f"schema {line.get('schema')!r}; this vlcheck reads schema {SCHEMA}")
    record = RECORDS[kind]
    try:
        return convert(_given(record, line), record)
    except BrokenRule as error:
        where = f" under {error.path[0]!r}" if error.path else ""
        raise ValueError(f"{kind} line with {error.rule}{where}") from error
    except Fault as error:
        key = str(error.path[0])
        raise ValueError(f"{kind} line without {key!r}, which has to be {keys_of(record)[key].accepted}") from error


def evidence_of(text: str) -> EvidenceRecord:
    """Return the record of a valid line of evidence, given as JSON."""
    try:
        return _DECODER.decode(text)
    except MsgspecError:  # null for an empty list, or half a character: Python's own parser takes it
        return convert(_given(EvidenceRecord, json.loads(text)), EvidenceRecord)


def line_of(record: Record) -> dict[str, Any]:
    """Return the line that a record is, its kind first."""
    line: dict[str, Any] = msgspec.to_builtins(record, enc_hook=_plain)
    return line


def _plain(value: object) -> object:
    """Return a number or text of another library's type, such as `numpy.float64`, as Python's own.

    Raises:
        TypeError: If JSON has no such value.
    """
    for kind in (float, int, str):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{type(value).__name__} cannot be kept in a results file")


def _given(record: type[Record], line: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line says under known keys; null for an empty list or object is left out."""
    empty = _empty_where_null(record)
    return {key: line[key] for key in keys_of(record) if key in line and not (key in empty and line[key] is None)}


@cache
def _empty_where_null(record: type[Record]) -> frozenset[str]:
    """Return the keys under which null stands for an empty list or object."""
    return frozenset(field.name for field in msgspec.structs.fields(record) if field.default_factory is not NODEFAULT)


def encoded(record: Record) -> str:
    """Return a line as JSON: in ASCII, since Unicode has further line separators, and with null in place of NaN."""
    said = line_of(record)
    try:
        return json.dumps(said, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(said))


def beginning(kind: str) -> str:
    """Return how the lines of a kind begin."""
    return f'{{"kind": "{kind}"'


def _finite(value: Any) -> Any:
    """Return the value with None in place of each number that is not finite, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    print(json.dumps(json_schema(Line), indent=1))
