"""Support for Python code of others: the folder of its modules, and the line of it that failed."""

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
    """Make modules in a folder importable, before those of any other folder, as Python does for a script."""
    place = str(folder.resolve())
    if sys.path[:1] != [place]:
        sys.path.insert(0, place)


def displaced(module: ModuleType, folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield files in a folder that a module should have imported, and did not because of their names.

    Python keeps modules by name: if two folders have a helper.py, the first is imported for both.

    Args:
        module: the importing module.
        folder: its folder.

    Yields:
        The file in the folder, and the file that was imported instead.
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
    """Raise ForeignFault for any exception of foreign code, so that it affects one verdict and not the run.

    Ctrl-C and vlcheck's own exceptions pass; pytest.skip, pytest.exit and SystemExit do not. A process that the foreign
    code forked, and that returns or raises here, ends: two processes would otherwise continue one run.
    """
    process = os.getpid()
    try:
        yield
    except (UsageError, NotApplicable, ForeignFault, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ForeignFault(describe_error(error)) from error
    finally:
        if os.getpid() != process:
            os._exit(0 if sys.exception() is None else 1)


def describe_error(error: BaseException) -> str:
    """Describe an error: its kind, its message, and the line of the user's own code that led to it.

    The line is neither in the library that raised it nor in vlcheck, if the user's code is on the way.
    """
    kind, place = type(error).__name__, _place(error)
    at = f" ({place})" if place else ""
    said = printable(said_by(error), max(_LONGEST - len(kind) - len(at), 80))
    return f"{kind}: {said}{at}" if said else f"{kind}{at}"


def said_by(error: BaseException) -> str:
    """Return the message of an exception of foreign code, even if making the message raises."""
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
    own = [(file, line) for file, line in lines if not is_librarys(file)]
    others = [(file, line) for file, line in lines if not file.startswith(_HOME)]
    file, line = (own or others or lines or [("", 0)])[-1]
    return f"{_short(file)}:{line}" if file else ""


def _short(file: str) -> str:
    """Return the path of a file relative to the current folder, if it is below."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


_HOME = str(Path(__file__).parents[1]) + os.sep


@cache
def is_librarys(file: str) -> bool:
    """Return True if a file belongs to vlcheck, to Python or to an installed package."""
    return file.startswith(("<", *_libraries())) or not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def _libraries() -> Iterator[str]:
    yield _HOME
    for name in ("stdlib", "platstdlib"):
        yield sysconfig.get_path(name) + os.sep
