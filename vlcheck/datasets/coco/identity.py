"""The identity of photographs in a COCO folder: splits may share one, and may use one id for different photographs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlcheck._util.paths import is_folder, there_is

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def missing_files(folder: Path, names: Iterable[str]) -> frozenset[str]:
    """Return the names of files that do not exist.

    Args:
        folder: the folder.
        names: paths relative to the folder.
    """
    listings: dict[str, frozenset[str]] = {}
    missing = []
    for name in names:
        parent, _, file = name.rpartition("/")
        if parent not in listings:
            listings[parent] = _names(folder / parent)
        # A file system may treat two spellings as one name.
        if file not in listings[parent] and not there_is(str(folder / name)):
            missing.append(name)
    return frozenset(missing)


def _names(folder: Path) -> frozenset[str]:
    if not is_folder(folder):
        return frozenset()
    with os.scandir(folder) as entries:
        return frozenset(entry.name for entry in entries)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A photograph of a split.

    Attributes:
        split: the split.
        number: the photograph's id.
        name: the id as photographs are named by it.
        path: the picture's file.
    """

    split: str
    number: int
    name: str
    path: str


def told_apart(
    found: Iterable[ListedFile], elsewhere: Mapping[str, Sequence[Path]]
) -> tuple[dict[str, ListedFile], Counter[str]]:
    """Name the photographs of some splits, and count those that several splits list.

    A photograph is named by its id. If any split has another photograph under that id, both are named by split and id.

    Args:
        found: the photographs of the splits that are read, split by split.
        elsewhere: the files of other splits, by id; names do not depend on which splits are read.

    Returns:
        The photographs by name, and the counts by reason.
    """
    by_name: dict[str, tuple[ListedFile, ...]] = {}
    for one in found:
        by_name[one.name] = (*by_name.get(one.name, ()), one)
    named: dict[str, ListedFile] = {}
    twins = 0
    for name, listed in by_name.items():
        distinct = list(_distinct(listed)) if len(listed) > 1 else listed
        twins += len(listed) - len(distinct)
        others = elsewhere.get(name, ())
        clear = len(distinct) == 1 and all(_is_same(Path(distinct[0].path), other) for other in others)
        for one in distinct:
            named[name if clear else f"{_ascii(one.split)}-{name}"] = one
    return named, Counter({"photograph is listed in two splits": twins} if twins else {})


def _distinct(listed: Iterable[ListedFile]) -> Iterator[ListedFile]:
    """Yield the first of each picture. Files of different sizes are different pictures, and are not read."""
    seen: list[ListedFile] = []
    for one in listed:
        if not any(_is_same(Path(one.path), Path(other.path)) for other in seen):
            seen.append(one)
            yield one


def _is_same(one: Path, other: Path) -> bool:
    try:
        stats = one.stat(), other.stat()
        same = os.path.samestat(*stats) or (stats[0].st_size == stats[1].st_size and _bytes(one) == _bytes(other))
    except OSError:
        return False
    return same


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _ascii(split: str) -> str:
    """Return a split's name in characters that are valid in a pytest id."""
    return "".join(one if one in _PLAIN else f"u{ord(one):x}" for one in split)
