"""Collect the behavior tests of a folder without pytest, in pytest's order and with the ids that pytest gives them.

Test files are imported as in pytest's import mode `prepend`, after each conftest.py above them: they can import what is
beside these. Fixtures and hooks of a conftest.py are for pytest alone, and so are the options of an ini file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatch
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from vlcheck._util.foreign_code import describe_error
from vlcheck.behaviors.binding import statement_of
from vlcheck.behaviors.suite import BehaviorTest, held_apart
from vlcheck.errors import UsageError

_FILES = ("test_*.py", "*_test.py")
_FOLDERS_LEFT_OUT = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}", "__pycache__")
_INI_FILES: Mapping[str, str] = MappingProxyType(  # each makes its folder pytest's root, if it has the section
    {
        "pytest.ini": "",
        ".pytest.ini": "",
        "pyproject.toml": "[tool.pytest",
        "tox.ini": "[pytest]",
        "setup.cfg": "[tool:pytest]",
    }
)


class _Found(NamedTuple):
    """A function of a test file, with the classes around it, the outermost first."""

    owners: tuple[type, ...]
    name: str
    function: Any


@contextmanager
def collected(suite: Path) -> Iterator[tuple[BehaviorTest, ...]]:
    """Import a suite's test files and give the behavior tests in them; their modules are forgotten afterwards.

    Methods of test classes are among them. A test that is parametrized on top is there once: so results have it, too.

    Args:
        suite: a folder of tests, or one file.

    Raises:
        UsageError: nothing there states a behavior, or a file cannot be imported.
    """
    suite = Path(os.path.abspath(suite))  # noqa: PTH100 - resolve() would follow links, which pytest does not
    if not suite.exists():
        raise UsageError(f"{suite}: there is no such folder of tests.")
    files, root = list(_files(suite)), _root(suite)
    conftests = list(_conftests(files, root))
    with _importable([*conftests, *files]), ExitStack() as end:
        before = set(sys.modules)
        try:
            for path in conftests:
                sys.modules.pop("conftest", None)  # that of the folder above
                _imported(path)
            tests = [test for path in files for test in _tests(path, _imported(path), root)]
        finally:
            end.callback(_forget, set(sys.modules) - before, {*map(_package_root, [*conftests, *files])})
        if not tests:
            raise UsageError(f"{suite}: no test there states a behavior.")
        yield tuple(held_apart(tests))


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for path in sorted(place.iterdir(), key=lambda path: path.name):
        if path.is_dir() and not any(fnmatch(path.name, pattern) for pattern in _FOLDERS_LEFT_OUT):
            yield from _files(path)
        elif path.is_file() and any(fnmatch(path.name, pattern) for pattern in _FILES):
            yield path


def _root(suite: Path) -> Path:
    """Return the folder that test ids start from: the nearest with an ini file of pytest, else one around the suite."""
    for folder in suite.parents if suite.is_file() else (suite, *suite.parents):
        for name, section in _INI_FILES.items():
            with suppress(OSError, UnicodeDecodeError):
                if section in (folder / name).read_text(encoding="utf-8"):
                    return folder
    here = Path.cwd()
    return here if suite.is_relative_to(here) else suite.parent


def _package_root(path: Path) -> Path:
    """Return the folder from which a test file is imported: the first above it that is no package."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _conftests(files: Iterable[Path], root: Path) -> Iterator[Path]:
    """Yield each conftest.py between the root and the test files, the outermost first."""
    folders = {folder for path in files for folder in path.parents if folder.is_relative_to(root)}
    yield from (folder / "conftest.py" for folder in sorted(folders) if (folder / "conftest.py").is_file())


@contextmanager
def _importable(files: Sequence[Path]) -> Iterator[None]:
    """Let files and what is beside them be imported, whatever modules of their names were imported before."""
    path, displaced = list(sys.path), {}
    names = {name.partition(".")[0] for name in map(_module_name, files)}
    for name in [one for one in sys.modules if one.partition(".")[0] in names]:
        displaced[name] = sys.modules.pop(name)
    try:
        sys.path[:0] = [str(folder) for folder in reversed(list(dict.fromkeys(map(_package_root, files))))]
        invalidate_caches()
        yield
    finally:
        sys.path[:] = path
        sys.modules.update(displaced)


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(_package_root(path)).with_suffix("").parts)


def _imported(path: Path) -> ModuleType | None:
    """Import a test file; None where it says that all of it is to be skipped. Raises UsageError where it cannot be."""
    try:
        module = import_module(_module_name(path))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if type(error).__name__ == "Skipped":  # of pytest.importorskip, or pytest.skip(..., allow_module_level=True)
            return None
        raise UsageError(f"{path}: cannot be imported. {describe_error(error)}") from error
    if not module.__file__ or not path.samefile(module.__file__):
        raise UsageError(f"{path}: a file of the same name is imported already, {module.__file__}: rename one of them.")
    return module


def _forget(names: Iterable[str], folders: Iterable[Path]) -> None:
    """Let the next suite's modules have the names of those that lie in some folders."""
    folders = set(folders)
    for top in {name.partition(".")[0] for name in names}:
        if top in names and _place(sys.modules.get(top)) in folders:
            for name in [one for one in sys.modules if one.partition(".")[0] == top]:
                del sys.modules[name]


def _place(module: ModuleType | None) -> Path | None:
    """Return the folder in which a module or package lies; None where it has no file."""
    paths = [*getattr(module, "__path__", ()), *filter(None, [getattr(module, "__file__", None)])]
    return Path(paths[0]).parent if paths else None


def _tests(path: Path, module: ModuleType | None, root: Path) -> Iterator[BehaviorTest]:
    if module is None or not getattr(module, "__test__", True):
        return
    for found in _functions(module):
        statement = statement_of(found.function, found.owners[-1] if found.owners else None)
        if statement is None:
            continue
        where = "::".join([path.relative_to(root).as_posix(), *(owner.__name__ for owner in found.owners), found.name])
        skipped = any(_skips(path, mark) for one in (found.function, *found.owners, module) for mark in _marks(one))
        for metric in statement.metrics:
            yield BehaviorTest(
                id=f"{where}[{metric}]",
                name=f"{found.name}[{metric}]",
                function_name=found.name,
                function=found.function,
                module=module,
                path=path,
                statement=statement,
                metric=metric,
                skipped=skipped,
            )


def _functions(place: ModuleType | type, owners: tuple[type, ...] = ()) -> Iterator[_Found]:
    """Yield the test functions of a module or class as pytest has them: those of base classes first."""
    bases = place.__mro__ if isinstance(place, type) else (place,)
    seen: set[str] = set()
    layers = []
    for base in bases:
        layers.append([name for name in vars(base) if name not in seen])
        seen.update(layers[-1])
    for name in (name for layer in reversed(layers) for name in layer):
        one = getattr(place, name)
        if isinstance(one, type) and name.startswith("Test") and _collects(one):
            yield from _functions(one, (*owners, one))
        elif callable(one) and name.startswith("test") and not isinstance(one, type):
            yield _Found(owners, name, one)


def _collects(kind: type) -> bool:
    """Return True if pytest makes objects of a class: it has no constructor of its own."""
    own = {name for base in kind.__mro__[:-1] for name in vars(base)}
    return own.isdisjoint({"__init__", "__new__"}) and getattr(kind, "__test__", True)


def _marks(one: object) -> Iterator[Any]:
    marks = getattr(one, "pytestmark", ())
    yield from marks if isinstance(marks, list | tuple) else (marks,)


def _skips(path: Path, mark: Any) -> bool:
    if mark.name == "skipif" and any(isinstance(condition, str) for condition in mark.args):
        raise UsageError(f"{path}: skipif has a text as its condition, which pytest alone evaluates.")
    return bool(mark.name == "skip" or (mark.name == "skipif" and any(mark.args)))
