"""Which families of models there are: what is registered under the entry-point group `vlcheck.models`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_args, get_type_hints

from vlcheck.metrics.kinds import Metric

GROUP = "vlcheck.models"
METRICS = get_args(Metric)
LISTED = Path(__file__).with_name("families.json")  # `python -m benchmarks.table` writes it


@dataclass(frozen=True)
class Family:
    """What a spec can begin with, or the architecture that a checkpoint's config names.

    Attributes:
        name: as registered.
        known: well-known checkpoints.
        kinds: metric -> score kind, of a checkpoint that has all heads.
        problem: why it cannot be loaded, "" where it can.
    """

    name: str
    known: tuple[str, ...] = ()
    kinds: Mapping[str, str] | None = None
    problem: str = ""


def registered() -> dict[str, EntryPoint]:
    """By name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def list_models() -> list[Family]:
    """Return the families and architectures that `load_model` knows, sorted by name.

    The shipped ones are read from a list, because importing them imports torch.

    Example:
        >>> "albef" in [family.name for family in list_models()]
        True
    """
    listed = json.loads(LISTED.read_text(encoding="utf-8"))
    return [_family(entry, listed.get(key_of(entry))) for _, entry in sorted(registered().items())]


def _family(entry: EntryPoint, listed: Mapping[str, Any] | None) -> Family:
    return Family(entry.name, tuple(listed["known"]), listed["kinds"]) if listed else imported(entry)


def key_of(entry: EntryPoint) -> str:
    """What a family is listed under: another project's may have the name of a shipped one."""
    return f"{entry.name} = {entry.value}"


def imported(entry: EntryPoint) -> Family:
    """Import a family; one that cannot be imported has a problem."""
    try:
        made = _made_by(entry.load())
    except (ImportError, AttributeError) as error:
        return Family(entry.name, problem=f"{entry.value} cannot be imported ({error})")
    return Family(entry.name, _known(made, entry.name), getattr(made, "kinds", None))


def _known(made: object, name: str) -> tuple[str, ...]:
    """Well-known checkpoints; of a class that is registered under several names, those of the one."""
    known = getattr(made, "known", ())
    return tuple(known.get(name, ()) if isinstance(known, Mapping) else known)


def table(tests: Mapping[str, int], found: Iterable[Family]) -> Iterator[list[str]]:
    """Families as rows of text, a head before them.

    Args:
        tests: how many there are of each metric.
        found: the families.
    """
    yield ["family or architecture", *METRICS, "tests", "known checkpoints"]
    for family in found:
        kinds = family.kinds or {}
        asked = sum(n for metric, n in tests.items() if metric in kinds)
        known = family.problem or ", ".join(family.known)
        yield [family.name, *(kinds.get(metric, "-") for metric in METRICS), str(asked), known]


def _made_by(loader: Callable[..., object]) -> object:
    """What says of which kinds a loader's models are: the class whose method it is, what it returns, or itself."""
    if inspect.ismethod(loader):
        return loader.__self__
    return get_type_hints(loader).get("return") if inspect.isfunction(loader) else loader
