"""The families of models that are registered under the entry-point group `vlcheck.models`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_type_hints

from vlcheck.metrics.registry import METRICS

GROUP = "vlcheck.models"
LISTED = Path(__file__).with_name("families.json")  # `python -m benchmarks.table` writes it


@dataclass(frozen=True)
class Family:
    """A family: the beginning of a spec, or the architecture that a checkpoint's config names.

    Attributes:
        name: the registered name.
        known: well-known checkpoints.
        kinds: metric -> score kind, of a checkpoint with all heads.
        problem: the reason why it cannot be loaded; "" if it can.
    """

    name: str
    known: tuple[str, ...] = ()
    kinds: Mapping[str, str] | None = None
    problem: str = ""


def registered_families() -> dict[str, EntryPoint]:
    """Return the entry points of all families, by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def list_models() -> list[Family]:
    """Return the families and architectures that `load_model` knows, sorted by name.

    The shipped ones are read from a list, because importing them imports torch.

    Example:
        >>> "albef" in [family.name for family in list_models()]
        True
    """
    listed = json.loads(LISTED.read_text(encoding="utf-8"))
    return [_family(entry, listed.get(family_key(entry))) for _, entry in sorted(registered_families().items())]


def _family(entry: EntryPoint, listed: Mapping[str, Any] | None) -> Family:
    return Family(entry.name, tuple(listed["known"]), listed["kinds"]) if listed else imported(entry)


def family_key(entry: EntryPoint) -> str:
    """Return the key of a family in the list; it includes the value, since another project may use a shipped name."""
    return f"{entry.name} = {entry.value}"


def imported(entry: EntryPoint) -> Family:
    """Import a family; if that fails, its `problem` says why."""
    try:
        made = _made_by(entry.load())
    except (ImportError, AttributeError) as error:
        return Family(entry.name, problem=f"{entry.value} cannot be imported ({error})")
    return Family(entry.name, _known(made, entry.name), getattr(made, "kinds", None))


def _known(made: object, name: str) -> tuple[str, ...]:
    """Return well-known checkpoints; for a class registered under several names, those of this name."""
    known = getattr(made, "known", ())
    return tuple(known.get(name, ()) if isinstance(known, Mapping) else known)


def table(tests: Mapping[str, int], found: Iterable[Family]) -> Iterator[list[str]]:
    """Yield the families as rows of text, after a head.

    Args:
        tests: metric -> number of tests that ask for it.
        found: the families.
    """
    yield ["family or architecture", *METRICS, "tests", "known checkpoints"]
    for family in found:
        kinds = family.kinds or {}
        asked = sum(n for metric, n in tests.items() if metric in kinds)
        known = family.problem or ", ".join(family.known)
        yield [family.name, *(kinds.get(metric, "-") for metric in METRICS), str(asked), known]


def _made_by(loader: Callable[..., object]) -> object:
    """Return the object with a loader's `kinds`: the class of a class method, the type that it returns, or itself."""
    if inspect.ismethod(loader):
        return loader.__self__
    return get_type_hints(loader).get("return") if inspect.isfunction(loader) else loader
