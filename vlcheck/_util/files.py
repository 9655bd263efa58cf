"""Atomic writing: a file is replaced completely or not at all, by way of a draft in the same folder.

A link is followed, to an existing file or a future one, and remains a link.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError

Others = Mapping[str, Path | None]


def demand_place(
    path: Path, option: str, what: str, *, is_ours: Callable[[Path], bool] | None = None, others: Others | None = None
) -> None:
    """Check, before anything is computed, that a file can be written to the place that an option names.

    Args:
        path: the place.
        option: the option's name, for messages.
        what: the kind of file, e.g. "report".
        is_ours: whether an existing file is an older one of the same kind, to be replaced; by default none may exist.
        others: files that must not be replaced, by the option that names them.

    Raises:
        UsageError: If the file cannot be written, or would replace another one; the message names the option.
    """
    try:
        wrong = _unwritable(path, what, others or {}) or _taken(path, what, is_ours)
    except OSError as error:
        wrong = f"cannot be looked at ({error.strerror})"
    if wrong:
        raise UsageError(f"{option} {path}: {wrong}.")


def demand_room(path: Path, option: str) -> None:
    """Check, before anything is computed, that another program can write a file and the folders above it.

    Args:
        path: the file; folders that are not there will be made, and a file that is there will be written anew.
        option: the option that names it, for messages.

    Raises:
        UsageError: If it cannot be written; the message names the option.
    """
    try:
        place = followed(path)
        wrong = "is a folder" if place.is_dir() else _shut(place)
    except OSError as error:
        wrong = f"cannot be looked at ({error.strerror})"
    if wrong:
        raise UsageError(f"{option} {path}: {wrong}.")


def _shut(place: Path) -> str:
    """Return why a file cannot be opened for writing, or made where there is none; "" if it can."""
    if not place.exists():
        return _closed(next(folder for folder in place.parents if folder.exists()))
    try:
        os.close(os.open(place, os.O_WRONLY))
    except OSError as error:
        return f"cannot be written ({error.strerror})"
    return ""


def followed(path: Path) -> Path:
    """Return the path to which links lead; a link that leads in a circle is returned itself."""
    return Path(os.path.realpath(path))


def begins(path: Path, start: bytes) -> bool:
    """Return True if a file is empty or begins with some bytes; other files are not ours to replace.

    Args:
        path: the file.
        start: the bytes.
    """
    with path.open("rb") as file:
        return file.read(len(start)) in (b"", start)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft to write; it replaces the file if nothing is raised, and is deleted otherwise.

    Raises:
        OSError: If the draft cannot be written or moved; `filename` is that of the file, not of the draft.
    """
    draft = path.with_name(f"{_drafts_of(path)}{os.getpid()}.draft")
    try:
        _sweep(path)
        yield draft
        draft.replace(path)
    except OSError as error:
        if error.filename in (None, draft, str(draft)):  # None: a disk that is full
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _drafts_of(path: Path) -> str:
    """Return the beginning of the names of a file's drafts; it names the host, since process ids may coincide."""
    return f".{path.name}.{digest(platform.node())[:6]}."


def _sweep(path: Path) -> None:
    """Delete the drafts that killed processes of this host left; they may contain pictures."""
    start = _drafts_of(path)
    with suppress(OSError):
        for draft in [one for one in path.parent.iterdir() if one.name.startswith(start)]:
            process = draft.name.removeprefix(start).removesuffix(".draft")
            if process.isdecimal() and not _is_alive(int(process)):
                draft.unlink()


def _is_alive(process: int) -> bool:
    """Return True if a process of this id exists, or if that is unknown."""
    with suppress(PermissionError, OverflowError):  # another user's process; an id of another system
        try:
            if os.name == "posix":
                os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


@contextmanager
def placing(path: Path, option: str) -> Iterator[Path]:
    """Yield a draft as `replacing` does, for a file that an option names.

    Args:
        path: the file.
        option: the option's name, for messages.

    Raises:
        UsageError: If the file cannot be written; the message names the option.
    """
    try:
        with replacing(followed(path)) as draft:
            yield draft
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error.strerror or error  # pyarrow's text names the draft
        raise UsageError(f"{option} {path}: cannot be written ({why}).") from error


def replace_all(files: Mapping[Path, bytes]) -> None:
    """Write all drafts, and only then move them into place, in order.

    Raises:
        OSError: If one cannot be written; `filename` says which. If it names a draft's file, no file has changed.
    """
    with ExitStack() as drafts:
        for path, content in reversed(tuple(files.items())):  # the context that is entered last is closed first
            drafts.enter_context(replacing(path)).write_bytes(content)


def _unwritable(path: Path, what: str, others: Others) -> str:
    """Return why no file can be written to a place, whatever is there, or ""."""
    place = followed(path)
    for name, other in others.items():
        if other and followed(other) == place:
            return f"is what {name} names as well"
    if place.is_symlink():
        return "is a link that leads in a circle"
    folder = place.parent if path.is_symlink() else path.parent
    if not folder.exists():
        return f"there is no folder {folder}"
    if place.exists() and not place.is_file():
        return f"is no file that a {what} could be written to"
    return _closed(folder)


def _closed(folder: Path) -> str:
    """Return why nothing can be written to a folder, or "": it is tried, since permissions do not bind every user."""
    if not folder.is_dir():
        return f"{folder} is no folder"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\n")
    except OSError as error:
        return f"nothing can be written to the folder {folder} ({error.strerror})"
    return ""


def _taken(path: Path, what: str, is_ours: Callable[[Path], bool] | None) -> str:
    """Return why an existing file must not be replaced, or ""."""
    if not path.exists():
        return ""
    if is_ours is None:
        return "is there already; name a file that is not"
    return "" if is_ours(path) else f"is there and is no {what} of vlcheck's; name another path, or delete it"
