"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

from vlcheck.errors import UsageError


def expanded(said: str | Path, option: str = "") -> Path:
    """Return a path with the home folder in place of `~`. Raises UsageError, naming the option, where none is known."""
    try:
        return Path(said).expanduser()
    except RuntimeError as error:
        home = Path(said).parts[0]
        where = f"{option} {said}".lstrip()
        raise UsageError(f"{where}: no home folder is known for {home}; write the path in full.") from error


def there_is(said: str) -> bool:
    """Return whether there is a file or folder of this path; what cannot be looked at, or is no path, is not there."""
    try:
        return bool(said) and Path(said).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder of this path; what cannot be looked at, or is no path, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
