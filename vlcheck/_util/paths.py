"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

from vlcheck.errors import UsageError


def expanded(said: str | Path, option: str = "") -> Path:
    """Return a path with the home folder in place of `~`.

    Args:
        said: the path.
        option: the option that names it, for messages.

    Raises:
        UsageError: If the home folder is not known; the message names the option.
    """
    try:
        return Path(said).expanduser()
    except RuntimeError as error:
        home = Path(said).parts[0]
        where = f"{option} {said}".lstrip()
        raise UsageError(f"{where}: no home folder is known for {home}; write the path in full.") from error


def there_is(said: str) -> bool:
    """Return True if a file or folder of this path exists; a path that is invalid or cannot be accessed does not."""
    try:
        return bool(said) and Path(said).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return True if a folder of this path exists; a path that is invalid or cannot be accessed is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
