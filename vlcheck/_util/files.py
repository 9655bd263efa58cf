"""A file is replaced whole or not at all: what is written is a draft beside it.

A link is followed, to a file that is there or is to come, and stays a link.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError

Others = Mapping[str, Path | None]


def demand_place(
    path: Path, option: str, what: str, *, is_ours: Callable[[Path], bool] | None = None, others: Others | None = None
) -> None:
    """Make sure, before anything is computed, that a file can be written where an option says.

    Args:
        path: where it is to go.
        option: that names it.
        what: is written, e.g. "report".
        is_ours: whether a file that is there is an older one, to be replaced; unless given, none may be there.
        others: files that it must not replace, by the option that names them.

    Raises:
        UsageError: naming the option.
    """
    try:
        wrong = _unwritable(path, what, others or {}) or _taken(path, what, is_ours)
    except OSError as error:
        wrong = f"cannot be looked at ({error.strerror})"
    if wrong:
        raise UsageError(f"{option} {path}: {wrong}.")


def followed(path: Path) -> Path:
    """Where links lead to; a link where they lead in a circle, for which Path.resolve raises."""
    return Path(os.path.realpath(path))


def begins(path: Path, start: bytes) -> bool:
    """Whether a file is empty or begins like this: whatever else it is, is not ours to replace."""
    with path.open("rb") as file:
        return file.read(len(start)) in (b"", start)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft to write: it takes the file's place where nothing is raised, and is gone where something is.

    Raises:
        OSError: it cannot be written or put in place; `filename` is that of the file, not of the draft.
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
    """How the names of a file's drafts begin; other hosts' processes have ids of their own."""
    return f".{path.name}.{digest(platform.node())[:6]}."


def _sweep(path: Path) -> None:
    """Delete the drafts that killed processes of this host left, which may hold pictures."""
    start = _drafts_of(path)
    with suppress(OSError):
        for draft in [one for one in path.parent.iterdir() if one.name.startswith(start)]:
            process = draft.name.removeprefix(start).removesuffix(".draft")
            if process.isdecimal() and not _is_alive(int(process)):
                draft.unlink()


def _is_alive(process: int) -> bool:
    """Whether there is a process of this id, or it cannot be told."""
    with suppress(PermissionError, OverflowError):  # of another user; of another system
        try:
            if os.name == "posix":
                os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True


@contextmanager
def placing(path: Path, option: str) -> Iterator[Path]:
    """As `replacing`, for a file that an option names. Raises UsageError naming it."""
    try:
        with replacing(followed(path)) as draft:
            yield draft
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be written ({error.strerror}).") from error


def replace_all(files: Mapping[Path, bytes]) -> None:
    """Write every draft, and only then put them in place, in their order.

    Raises:
        OSError: one cannot be written; `filename` says which. Where that is told by its draft, no file has changed.
    """
    with ExitStack() as drafts:
        for path, content in reversed(tuple(files.items())):  # what is entered last is put in place first
            drafts.enter_context(replacing(path)).write_bytes(content)


def _unwritable(path: Path, what: str, others: Others) -> str:
    """Why no file can be written there, whatever is there, or ""."""
    place = followed(path)
    for name, other in others.items():
        if other and followed(other) == place:
            return f"is what {name} names as well"
    if place.is_symlink():
        return "is a link that leads in a circle"
    folder = place.parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if place.exists() and not place.is_file():
        return f"is no file that a {what} could be written to"
    return "" if os.access(folder, os.W_OK) else f"nothing can be written to the folder {folder}"


def _taken(path: Path, what: str, is_ours: Callable[[Path], bool] | None) -> str:
    """Why the file that is there must not be replaced, or ""."""
    if not path.exists():
        return ""
    if is_ours is None:
        return "is there already; name a file that is not"
    return "" if is_ours(path) else f"is there and is no {what} of vlcheck's; name another path, or delete it"
