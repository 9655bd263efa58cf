"""A file is replaced whole or not at all: what is written is a draft beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


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
