"""A file is replaced whole or not at all: what is written is a draft beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


def unwritable(path: Path, what: str) -> str:
    """Why no file can be written there, or "".

    Args:
        path: where it is to go.
        what: would be written, e.g. "results".

    Raises:
        OSError: it cannot be looked at.
    """
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists() and not path.is_file():
        return f"is no file that {what} could be written to"
    if not os.access(path.resolve().parent, os.W_OK):
        return f"nothing can be written to the folder {path.resolve().parent}"
    return ""


def begins(path: Path, start: bytes) -> bool:
    """Whether a file is missing, empty or begins like this: whatever else it is, is not ours to replace."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        return file.read(len(start)) in (b"", start)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft to write: it takes the file's place where nothing is raised, and is gone where something is.

    Raises:
        OSError: it cannot be written or put in place; `filename` is that of the file, not of the draft.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        if error.filename in (None, draft, str(draft)):  # None: a disk that is full
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def replace_all(files: Mapping[Path, bytes]) -> None:
    """Write every draft, and only then put them in place, in their order.

    Raises:
        OSError: one cannot be written; `filename` says which. Where that is told by its draft, no file has changed.
    """
    with ExitStack() as drafts:
        for path, content in reversed(tuple(files.items())):  # what is entered last is put in place first
            drafts.enter_context(replacing(path)).write_bytes(content)
