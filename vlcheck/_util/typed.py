"""Foreign values to typed records: msgspec validates, and a fault names the key, its value and what is accepted.

The type of a key describes the values that it accepts (`msgspec.Meta`); a choice (`typing.Literal`) and a table need
no description. A rule on several keys is the `__post_init__` of their record, which raises ValueError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from inspect import cleandoc
from typing import Annotated, Any, Literal, NamedTuple, TypeGuard, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import MsgspecError, Struct

T = TypeVar("T")
Keys = tuple[str | int, ...]

_REFUSALS = (MsgspecError, UnicodeEncodeError)  # the latter of halves of characters, where no text is accepted


class Key(NamedTuple):
    """A key of a record.

    Attributes:
        type: the type of its value, as `msgspec.convert` takes it.
        accepted: the accepted values, in words; "" without a description.
        required: whether a record needs it.
    """

    type: Any
    accepted: str
    required: bool


class Fault(ValueError):
    """A value that its type does not accept.

    Attributes:
        path: the keys, and indices from 0, that lead to it.
    """

    def __init__(self, path: Keys) -> None:
        super().__init__(".".join(map(str, path)))
        self.path = path


class UnknownKey(Fault):
    """A key that a record does not have.

    Attributes:
        known: the keys that it has.
    """

    def __init__(self, path: Keys, known: tuple[str, ...]) -> None:
        super().__init__(path)
        self.known = known


class MissingKey(Fault):
    """A key that a record lacks.

    Attributes:
        accepted: the accepted values, in words.
        unknown: the first unknown key of the record, which may be a misspelling; "" if there is none.
    """

    def __init__(self, path: Keys, accepted: str, unknown: str) -> None:
        super().__init__(path)
        self.accepted, self.unknown = accepted, unknown


class WrongValue(Fault):
    """A value that a key does not accept.

    Attributes:
        value: the value.
        accepted: the accepted values, in words; "" without a description.
        choices: the accepted values, if they are a few texts.
    """

    def __init__(self, path: Keys, value: object, accepted: str, choices: tuple[str, ...]) -> None:
        super().__init__(path)
        self.value, self.accepted, self.choices = value, accepted, choices


class BrokenRule(Fault):
    """A record whose values do not fit together.

    Attributes:
        rule: the message of its `__post_init__`.
    """

    def __init__(self, path: Keys, rule: str) -> None:
        super().__init__(path)
        self.rule = rule


def convert(value: object, kind: type[T]) -> T:
    """Return a parsed value of JSON or TOML as a typed one.

    Args:
        value: the parsed value.
        kind: a record (`msgspec.Struct`), or a mapping or list of records.

    Raises:
        Fault: If the type does not accept the value; it is about the innermost value that has a description.
    """
    try:
        return msgspec.convert(value, kind)
    except _REFUSALS as error:
        raise _fault((), value, kind, error) from error


@cache
def keys_of(record: type[Struct]) -> Mapping[str, Key]:
    """Return the keys of a record, by name."""
    return {
        field.encode_name: Key(field.type, _described(field.type), field.required)
        for field in msgspec.structs.fields(record)
    }


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a type of records, with their docstrings as descriptions.

    Args:
        kind: a record, or a union of records.
    """
    return cast("dict[str, Any]", _cleaned(msgspec.json.schema(kind)))


def _cleaned(schema: Any) -> Any:
    """Return a JSON schema without tuples, and without the indentation of docstrings, which some releases keep."""
    if isinstance(schema, list | tuple):
        return [_cleaned(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    said = {"description": cleandoc(schema["description"])} if isinstance(schema.get("description"), str) else {}
    return {key: _cleaned(part) for key, part in schema.items()} | said


def _fault(path: Keys, value: object, kind: Any, error: Exception) -> Fault:
    """Return the fault of a value that `msgspec.convert` refuses with an error."""
    bare, accepted = _without_description(kind), _described(kind)
    for key, part, inner in _parts(value, bare):
        if refusal := _refusal(part, inner):
            fault = _fault((*path, key), part, inner, refusal)
            return WrongValue(path, value, accepted, ()) if accepted and _wordless(fault) else fault
    if _is_record(bare) and isinstance(value, dict):
        keys = keys_of(bare)
        unknown = next((key for key in value if key not in keys), "")
        for name, its in keys.items():
            if its.required and name not in value:
                return MissingKey((*path, name), its.accepted, unknown)
        if unknown and bare.__struct_config__.forbid_unknown_fields:
            return UnknownKey((*path, unknown), tuple(keys))
    if isinstance(error.__cause__, ValueError):
        return BrokenRule(path, str(error.__cause__))
    return WrongValue(path, value, accepted, get_args(bare) if get_origin(bare) is Literal else ())


def _parts(value: object, kind: Any) -> Iterator[tuple[str | int, object, Any]]:
    """Yield the keys of a record or mapping, or the indices of a list, each with its value and its type."""
    if isinstance(value, dict) and _is_record(kind):
        yield from ((name, value[name], key.type) for name, key in keys_of(kind).items() if name in value)
    elif isinstance(value, dict) and _is_mapping(kind):
        yield from ((name, part, get_args(kind)[1]) for name, part in value.items())
    elif isinstance(value, list) and get_origin(kind) is list:
        yield from ((at, part, get_args(kind)[0]) for at, part in enumerate(value))


def _refusal(value: object, kind: Any) -> Exception | None:
    try:
        msgspec.convert(value, kind)
    except _REFUSALS as error:
        return error
    return None


def _wordless(fault: Fault) -> bool:
    return isinstance(fault, WrongValue) and not (fault.accepted or fault.choices)


def _is_record(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) in (dict, Mapping)


def _without_description(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _described(kind: Any) -> str:
    """Return the description of a type; "" if it has none."""
    said = (note.description for note in getattr(kind, "__metadata__", ()) if note.description)
    bare = _without_description(kind)
    return next(said, "a table" if _is_record(bare) or _is_mapping(bare) else "")
