"""Reading of lexicons: TOML files in fixtures/lexicons, each of which can be replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.hashing import digest
from vlcheck._util.paths import is_folder
from vlcheck._util.typed import BrokenRule, Fault, MissingKey, UnknownKey, WrongValue, convert
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.lexicons.tables import (
    Aloft,
    ColorWords,
    Held,
    Nouns,
    ObjectWords,
    Persons,
    Roles,
    Sides,
    Stops,
    Writing,
)
from vlcheck.errors import UsageError, argument, nearest

Lexicon = TypeVar("Lexicon")
Entry = TypeVar("Entry")

FILES = ("aloft", "colors", "held", "nouns", "objects", "persons", "roles", "sides", "stops", "writing")


def load_lexicons(shipped: Path, own: Path | None = None) -> Lexicons:
    """Read the lexicons.

    Args:
        shipped: the folder that has all of them.
        own: a folder with files that replace shipped ones.

    Raises:
        UsageError: If a key is unknown, missing or of the wrong kind; the message names the file and the key.
    """
    paths = _paths(shipped, own)
    lexicons = Lexicons(
        objects=_each(paths["objects"], ObjectWords),
        colors=_each(paths["colors"], ColorWords),
        nouns=_whole(paths["nouns"], Nouns).words,
        persons=_whole(paths["persons"], Persons),
        roles=_whole(paths["roles"], Roles),
        sides=_whole(paths["sides"], Sides),
        held=_each(paths["held"], Held),
        aloft={name: aloft.said for name, aloft in _each(paths["aloft"], Aloft).items()},
        stops=_whole(paths["stops"], Stops),
        writing=_whole(paths["writing"], Writing),
    )
    _check_names(paths["objects"], lexicons.objects)
    _check_names(paths["colors"], lexicons.colors)
    return lexicons


def lexicons_digest(shipped: Path, own: Path | None = None) -> str:
    """Return a digest of the words of the lexicons, whatever folder they are read from.

    Args:
        shipped: the folder that has all of them.
        own: a folder with files that replace shipped ones.

    Raises:
        UsageError: If a file cannot be read.
    """
    words = {name: _in_lower_case(read_toml(path)) for name, path in _paths(shipped, own).items()}
    return digest(json.dumps(words, sort_keys=True, default=str))  # default: dates, which no lexicon has


def _paths(shipped: Path, own: Path | None) -> dict[str, Path]:
    return {name: shipped / f"{name}.toml" for name in FILES} | (_own(own) if own else {})


def _whole(path: Path, lexicon: type[Lexicon]) -> Lexicon:
    return _typed(path, read_toml(path), lexicon)


def _each(path: Path, entry: type[Entry]) -> dict[str, Entry]:
    content = read_toml(path)
    for name, table in content.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: unknown key {name!r}; the file holds tables, one under each name.")
    return _typed(path, content, dict[str, entry])  # type: ignore[valid-type]


def _typed(path: Path, content: Mapping[str, Any], kind: type[Lexicon]) -> Lexicon:
    try:
        return convert(_in_lower_case(content), kind)
    except Fault as fault:
        raise UsageError(f"{path}{_told(fault)}") from fault


def _in_lower_case(value: Any) -> Any:
    """Return a TOML value with the words of its lists in lower case."""
    if isinstance(value, dict):
        return {key: _in_lower_case(one) for key, one in value.items()}
    if isinstance(value, list):
        return [one.lower() if isinstance(one, str) else one for one in value]
    return value


def _told(fault: Fault) -> str:
    """Return the table and key of a fault, and the accepted values."""
    *tables, key = fault.path
    match fault:
        case BrokenRule(rule=rule):
            tables, said = [*tables, key], rule
        case UnknownKey(known=known):
            said = f"unknown key {key!r}. {nearest(str(key), known)}"
        case MissingKey(unknown=unknown):
            said = f"has no {key}." + (f" It has an unknown key {unknown!r}." if unknown else "")
        case WrongValue(value=value, choices=choices) if choices:
            said = f"{key} is {value!r}; it has to be {' or '.join(choices)}."
        case WrongValue(accepted=accepted):
            said = f"{key} has to be {accepted}."
    return f"{f' [{tables[0]}]' if tables else ''}: {said}"


def _check_names(path: Path, entries: Mapping[str, ObjectWords] | Mapping[str, ColorWords]) -> None:
    for name, entry in entries.items():
        for other in entry.near:
            if other not in entries:
                raise UsageError(f"{path} [{name}]: near has an unknown name {other!r}. {nearest(other, entries)}")


def _own(folder: Path) -> dict[str, Path]:
    if not is_folder(folder):
        raise UsageError(f"{argument('lexicons', folder)}: there is no such folder.")
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    if not files:
        raise UsageError(f"{argument('lexicons', folder)}: has none of {', '.join(f'{name}.toml' for name in FILES)}.")
    for name, path in files.items():
        if name not in FILES:
            raise UsageError(f"{path}: there is no such lexicon. {nearest(name, FILES)}")
    return files
