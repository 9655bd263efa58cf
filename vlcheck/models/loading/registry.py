"""The families of models that are registered under the entry-point group `vlcheck.models`, tasks, and wrappers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_type_hints

from vlcheck.metrics.registry import OF_MODELS

GROUP = "vlcheck.models"
WRAPPERS = "vlcheck.wrappers"
TASKS = "vlcheck.tasks"
LISTED = Path(__file__).with_name("families.json")  # written by `python -m benchmarks.table`


@dataclass(frozen=True)
class Family:
    """A family of models, named at the beginning of a spec or as the architecture in the config of a checkpoint.

    A wrapper, which is named before the spec of another model, is listed as a family. So is a task of transformers,
    whose architectures load without a family of their own.

    Attributes:
        name: the registered name.
        known: well-known checkpoints.
        kinds: metric -> score kind, for a checkpoint with all heads.
        problem: the reason why the family cannot be imported; "" if it can.
    """

    name: str
    known: tuple[str, ...] = ()
    kinds: Mapping[str, str] | None = None
    problem: str = ""


def registered_families() -> dict[str, EntryPoint]:
    """Return the entry points of all families, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def registered_wrappers() -> dict[str, EntryPoint]:
    """Return the entry points of all wrappers, by name: each takes a model, and returns one that asks it."""
    return {entry.name: entry for entry in entry_points(group=WRAPPERS)}


def registered_tasks() -> dict[str, EntryPoint]:
    """Return the entry points of loaders by the task, as transformers names it, whose architectures they load."""
    return {entry.name: entry for entry in entry_points(group=TASKS)}


def list_models() -> list[Family]:
    """Return the families, architectures, tasks and wrappers that `load_model` knows, sorted by name.

    The families of vlcheck itself are read from a file, since importing them would import torch.

    Example:
        >>> "albef" in [family.name for family in list_models()]
        True
    """
    listed = json.loads(LISTED.read_text(encoding="utf-8"))
    registered = registered_families() | registered_tasks() | registered_wrappers()
    return [_family(entry, listed.get(family_key(entry))) for _, entry in sorted(registered.items())]


def _family(entry: EntryPoint, listed: Mapping[str, Any] | None) -> Family:
    return Family(entry.name, tuple(listed["known"]), listed["kinds"]) if listed else imported(entry)


def family_key(entry: EntryPoint) -> str:
    """Return the key of a family in families.json, with its module: another package may register the same name."""
    return f"{entry.name} = {entry.value}"


def imported(entry: EntryPoint) -> Family:
    """Import a family; if that fails, its `problem` is the reason."""
    try:
        made = _made_by(entry.load())
    except (ImportError, AttributeError) as error:
        return Family(entry.name, problem=f"{entry.value} cannot be imported ({error})")
    return Family(entry.name, _known(made, entry.name), getattr(made, "kinds", None))


def _known(made: object, name: str) -> tuple[str, ...]:
    """Return the well-known checkpoints of a family; a class may be registered under several names."""
    known = getattr(made, "known", ())
    return tuple(known.get(name, ()) if isinstance(known, Mapping) else known)


def table(tests: Mapping[str, int], found: Iterable[Family]) -> Iterator[list[str]]:
    """Yield a table of families: its head, then one row for each family.

    Args:
        tests: metric -> number of tests that ask for it.
        found: the families.
    """
    yield ["family or architecture", *OF_MODELS, "tests", "known checkpoints"]
    for family in found:
        kinds = family.kinds or {}
        asked = sum(n for metric, n in tests.items() if metric in kinds)
        known = family.problem or ", ".join(family.known)
        yield [family.name, *(kinds.get(metric, "-") for metric in OF_MODELS), str(asked), known]


def _made_by(loader: Callable[..., object]) -> object:
    """Return the object that has a loader's `kinds`: the class of a class method, the returned type, or the loader."""
    if inspect.ismethod(loader):
        return loader.__self__
    return get_type_hints(loader).get("return") if inspect.isfunction(loader) else loader
