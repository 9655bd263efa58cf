"""The extent of a run: the whole suite, or a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from glob import iglob
from pathlib import Path

import pytest

from vlcheck.plugin.suites import fixtures_folder
from vlcheck.suite.shipped import tests_beside

_STATES = (b"vlcheck", b"behavior")  # both are in every file that imports `behavior` from vlcheck
_LEAVING_OUT = ("ignore", "ignore_glob", "deselect", "lf", "stepwise")
_OVERRIDDEN = (
    "python_files",
    "python_classes",
    "python_functions",
    "norecursedirs",
)  # keys of the ini file that -o overrides


def is_whole(config: pytest.Config) -> bool:
    """Return True if a run collects all tests: it names whole folders that contain them all, and leaves none out.

    "All tests" are those under the ini file's `testpaths` if these contain the suite or, without a suite, the folders
    that the command line names; a project's own tests, which state no behavior, do not count. Otherwise they are the
    tests of the suite; without a suite, they are those of the named folders.
    """
    if any(getattr(config.option, name, None) for name in _LEAVING_OUT):
        return False
    if any(said.partition("=")[0] in _OVERRIDDEN for said in config.option.override_ini or ()):
        return False
    named = [config.invocation_params.dir / argument for argument in config.args]
    return all(path.is_dir() for path in named) and _contain(named, _all_there_are(config, named))


def _all_there_are(config: pytest.Config, named: list[Path]) -> list[Path]:
    fixtures = fixtures_folder(config)
    suite = [folder for folder in [tests_beside(fixtures) if fixtures else None] if folder]
    paths = [path for path in _test_paths(config) if _contain([path], suite or named) or _states(path)]
    return paths if _contain(paths, suite or named) else suite


def _test_paths(config: pytest.Config) -> Iterator[Path]:
    """Yield the folders and files that the ini file's `testpaths` name."""
    for pattern in config.getini("testpaths"):
        found = iglob(pattern, root_dir=config.rootpath, recursive=True)  # noqa: PTH207 - Path.glob refuses "."
        yield from (config.rootpath / path for path in found)


def _states(path: Path) -> bool:
    """Return True if a Python file there contains the words with which tests state behaviors."""
    files = [path] if path.is_file() else path.rglob("*.py")
    for file in files:
        with suppress(OSError):
            content = file.read_bytes()
            if all(word in content for word in _STATES):
                return True
    return False


def _contain(folders: list[Path], others: list[Path]) -> bool:
    """Return True if each of `others` is one of `folders`, or inside one."""
    resolved = [folder.resolve() for folder in folders]
    return all(any(other.resolve().is_relative_to(folder) for folder in resolved) for other in others)
