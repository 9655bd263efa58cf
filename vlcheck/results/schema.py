"""Conversion of lines of a results file, parsed as JSON, to records; the file's JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec import NODEFAULT, MsgspecError

from vlcheck.results.records import SCHEMA, EvidenceRecord, ImageRecord, Record, RunRecord, VerdictRecord

RECORDS: Mapping[str, type[Record]] = MappingProxyType(
    {"run": RunRecord, "image": ImageRecord, "evidence": EvidenceRecord, "verdict": VerdictRecord}
)
_DECODER = msgspec.json.Decoder(EvidenceRecord)
_WRONG = (MsgspecError, UnicodeEncodeError)  # the latter for half of a surrogate pair in place of a number


class Key(NamedTuple):
    """A key of a line.

    Attributes:
        type: the type of its value, for `msgspec.convert`.
        accepted: the values that it accepts, in words.
        optional: whether a line may lack it.
        empty: whether null stands for an empty list or object.
    """

    type: Any
    accepted: str
    optional: bool
    empty: bool


@cache
def keys_of(kind: str) -> Mapping[str, Key]:
    """Return the keys of a kind of line, by name."""
    fields, hints = msgspec.structs.fields(RECORDS[kind]), get_type_hints(RECORDS[kind], include_extras=True)
    return {
        field.name: Key(
            type=hints[field.name],
            accepted=hints[field.name].__metadata__[0].description,
            optional=not field.required,
            empty=field.default_factory is not NODEFAULT,
        )
        for field in fields
    }


def fault_in_line(line: object) -> str:
    """Return the reason why a value is not a valid line of a results file; "" if it is one."""
    try:
        record_of(line)
    except ValueError as error:
        return str(error)
    return ""


def record_of(line: object) -> Record:
    """Return the record of a line.

    Args:
        line: a value of JSON.

    Raises:
        ValueError: it is no valid line of a results file; the message names the key, and the values that it accepts.
    """
    kind = line.get("kind") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(kind, str) or kind not in RECORDS:
        raise ValueError("no line of a results file; each names its kind")
    if kind == "run" and line.get("schema") != SCHEMA:
        raise ValueError(f"schema {line.get('schema')!r}; this vlcheck reads schema {SCHEMA}")
    given = _given(kind, line)
    try:
        return msgspec.convert(given, RECORDS[kind])
    except _WRONG as error:
        key = next(name for name in keys_of(kind) if not _fits(kind, name, given))
        raise ValueError(f"{kind} line without {key!r}, which has to be {keys_of(kind)[key].accepted}") from error


def evidence_of(text: str) -> EvidenceRecord:
    """Return the record of a valid line of evidence, given as JSON."""
    try:
        return _DECODER.decode(text)
    except MsgspecError:  # null for an empty list, or half of a surrogate pair, which Python's own parser accepts
        record: EvidenceRecord = msgspec.convert(_given("evidence", json.loads(text)), EvidenceRecord)
        return record


def line_of(record: Record) -> dict[str, Any]:
    """Return the line of a record, its kind first."""
    line: dict[str, Any] = msgspec.to_builtins(record)
    return line


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a line of a results file."""
    return msgspec.json.schema(RunRecord | ImageRecord | EvidenceRecord | VerdictRecord)


def _given(kind: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known keys of a line with their values; null for an empty list or object is left out."""
    return {
        name: line[name]
        for name, key in keys_of(kind).items()
        if name in line and not (key.empty and line[name] is None)
    }


def _fits(kind: str, name: str, given: Mapping[str, Any]) -> bool:
    """Return True if a key has a value that it accepts, or may be missing."""
    key = keys_of(kind)[name]
    if name not in given:
        return key.optional
    try:
        msgspec.convert(given[name], key.type)
    except _WRONG:
        return False
    return True


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=1))
