"""Python code of others: where it finds its own modules, and which line of it failed."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from vlcheck.errors import ForeignFault, NotApplicable, UsageError, printable

_LONGEST = 300


def importable(folder: Path) -> None:
    """Let modules in a folder be imported, before those of any other folder, as Python does for a script's own."""
    place = str(folder.resolve())
    if sys.path[:1] != [place]:
        sys.path.insert(0, place)


def displaced(module: ModuleType, folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what lies in a folder by the name of something that a module imported, and the file that it got instead.

    Python keeps modules by their names: of two folders' helper.py, the first one is imported for both.
    """
    used = vars(module).values()
    places = (one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", "") for one in used)
    for name in sorted({str(place).partition(".")[0] for place in places} - {"vlcheck"}):
        got = getattr(sys.modules.get(name), "__file__", None)
        for own in (folder / f"{name}.py", folder / name / "__init__.py"):
            if got and own.is_file() and not Path(got).resolve().is_relative_to(folder):
                yield own, got


@contextmanager
def contained() -> Iterator[None]:
    """Raise ForeignFault for whatever foreign code raises, so that its fault is one verdict's and not the run's.

    Ctrl-C, and what it says in vlcheck's own exceptions, pass. pytest.skip, pytest.exit and SystemExit do not. A
    process that it forked, and in which it returns or raises, ends here: two would go on with one run.
    """
    process = os.getpid()
    try:
        yield
    except (UsageError, NotApplicable, ForeignFault, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ForeignFault(told(error)) from error
    finally:
        if os.getpid() != process:
            os._exit(0 if sys.exception() is None else 1)


def told(error: BaseException) -> str:
    """Return the kind of an error, what it says, and the line that led to it, in the user's own code where it did.

    The line is not that of the library which was called in the end, nor one of vlcheck.
    """
    kind, place = type(error).__name__, _place(error)
    at = f" ({place})" if place else ""
    said = printable(said_by(error), max(_LONGEST - len(kind) - len(at), 80))
    return f"{kind}: {said}{at}" if said else f"{kind}{at}"


def said_by(error: BaseException) -> str:
    """Return the text of an exception of foreign code, also where making the text raises."""
    try:
        return error.msg if isinstance(error, SyntaxError) else str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as broken:  # noqa: BLE001 - the text is foreign code, too
        return f"its message cannot be read, {type(broken).__name__}"


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}"
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in lines if not _is_librarys(file)]
    others = [(file, line) for file, line in lines if not file.startswith(_HOME)]
    file, line = (own or others or lines or [("", 0)])[-1]
    return f"{_short(file)}:{line}" if file else ""


def _short(file: str) -> str:
    """A file below the current folder by its path from there."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


_HOME = str(Path(__file__).parents[1]) + os.sep


@cache
def _is_librarys(file: str) -> bool:
    """Whether a file is one of vlcheck, of Python or of an installed package."""
    return file.startswith(("<", *_libraries())) or not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def _libraries() -> Iterator[str]:
    yield _HOME
    for name in ("stdlib", "platstdlib"):
        yield sysconfig.get_path(name) + os.sep
