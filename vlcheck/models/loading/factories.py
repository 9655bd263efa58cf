"""Functions of a user's Python file or module that make a model."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import cast

from vlcheck._util.foreign_code import contained, describe_error, displaced, importable
from vlcheck._util.hashing import digest
from vlcheck._util.paths import expanded, there_is
from vlcheck._util.spec_grammar import Factory
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, marked, nearest
from vlcheck.models.loading.spec import said_spec

_CURE = "; a module of a package is named by it, as package.module:factory"
Loader = Callable[..., object]  # takes device and dtype by keyword, returns a model


def loader_in_file(factory: Factory, spec: str) -> Loader:
    """Return the function of a Python file that makes a model.

    Args:
        factory: the file, and the function's name.
        spec: the spec that names it, for messages.

    Raises:
        UsageError: there is no such file or function, or the file cannot be imported.
    """
    try:
        path = expanded(factory.where)
    except UsageError as error:
        raise UsageError(f"{said_spec(spec)}: {marked(error)}") from error
    if not there_is(factory.where) or not path.is_file():
        raise UsageError(f"{said_spec(spec)}: {path}: no such file.")
    return _factory(_import_file(path, spec), factory.name, spec)


def loader_in_module(factory: Factory, spec: str) -> Loader | None:
    """Return the function of a module that makes a model; None if there is no such module.

    Args:
        factory: the module, and the function's name.
        spec: the spec that names it, for messages.

    Raises:
        UsageError: there is no such function, or the module cannot be imported.
    """
    with importing(factory.where, spec):
        try:
            module = importlib.import_module(factory.where)
        except ModuleNotFoundError as error:
            if error.name and (factory.where == error.name or factory.where.startswith(f"{error.name}.")):
                return None  # there is no such module
            raise
    return _factory(module, factory.name, spec)


def _import_file(path: Path, spec: str) -> ModuleType:
    name = f"vlcheck_factory_{digest(str(path.resolve()))}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise UsageError(f"{said_spec(spec)}: {path}: not a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickle look up the module of a class there
    importable(path.resolve().parent)
    with importing(path, spec):
        found.loader.exec_module(module)
    for own, other in displaced(module, path.resolve().parent):
        raise UsageError(
            f"{said_spec(spec)}: {path} imports {own}, and got {other}, which was imported before. Give one of them"
            " another name."
        )
    return module


@contextmanager
def importing(what: object, spec: str) -> Iterator[None]:
    """Raise UsageError in place of any error while foreign code is imported inside.

    Args:
        what: the code, for the message.
        spec: the spec that names it.
    """
    try:
        with contained():
            yield
    except (ForeignFault, NotApplicable, UsageError) as error:
        why = str(error) if isinstance(error, ForeignFault) else describe_error(error)
        cure = _CURE if "relative import" in why else ""
        raise UsageError(f"{said_spec(spec)}: {what} cannot be imported. {why}{cure}") from error


def _factory(module: ModuleType, name: str, spec: str) -> Loader:
    factory = getattr(module, name, None)
    if factory is None:
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(f"{said_spec(spec)}: {module.__file__} has no {name!r}. {nearest(name, known)}")
    try:
        inspect.signature(factory).bind(device="cpu", dtype="float32")
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{said_spec(spec)}: {name} has to be a function that takes device and dtype ({error})."
        ) from error
    return cast(Loader, factory)
