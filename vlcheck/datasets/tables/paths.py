"""The files of a table: one, a folder, a pattern, or a numbered series such as shard-{000..012}.tar."""

from __future__ import annotations

import re
from pathlib import Path

from vlcheck.errors import UsageError, printable

_SERIES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_FILES = 1_000_000


def files_of(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that a path names, in order.

    Args:
        path: a file; a folder, of which the files with these suffixes are taken; a pattern with *, ? or [...]; or a
            series `{FIRST..LAST}` of numbers.
        suffixes: the suffixes of the files in a folder, e.g. ".parquet".

    Raises:
        UsageError: If there is no such file; the message says what is accepted.
    """
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if one.name.lower().endswith(suffixes) and one.is_file())
        if not found:
            raise UsageError(f"{path}: the folder holds no file that ends with {' or '.join(suffixes)}.")
        return tuple(found)
    if path.exists():
        return (path,)
    if series := _SERIES.search(str(path)):
        return _numbered(path, series)
    found = sorted(path.parent.glob(path.name)) if set("*?[").intersection(path.name) else []
    if not found:
        raise UsageError(
            f"{path}: there is no such file; a file, a folder, a pattern with * or a series {{000..012}} is accepted."
        )
    return tuple(found)


def _numbered(path: Path, series: re.Match[str]) -> tuple[Path, ...]:
    first, last = (int(number) for number in series.groups()) if max(map(len, series.groups())) < 10 else (1, 0)
    if not first <= last < first + _MOST_FILES:
        raise UsageError(f"{printable(str(path))}: {series[0]} is no series; {{000..012}} is one.")
    text, digits = str(path), len(series[1])
    named = [
        Path(f"{text[: series.start()]}{number:0{digits}}{text[series.end() :]}") for number in range(first, last + 1)
    ]
    missing = [one for one in named if not one.is_file()]
    if missing:
        raise UsageError(
            f"{missing[0]}: there is no such file; {len(missing)} of {len(named)} in the series are missing."
        )
    return tuple(named)
