"""Which families of models there are: what is registered under the entry-point group `vlcheck.models`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import get_args, get_type_hints

from vlcheck.query import Metric

GROUP = "vlcheck.models"
METRICS = get_args(Metric)


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


def families() -> Iterator[Family]:
    """All of them, by name; a loader that cannot be imported is one with a problem."""
    for name, entry in sorted(registered().items()):
        try:
            made = _made_by(entry.load())
        except (ImportError, AttributeError) as error:
            yield Family(name, problem=f"{entry.value} cannot be imported ({error})")
        else:
            yield Family(name, _known(made, name), getattr(made, "kinds", None))


def _known(made: object, name: str) -> tuple[str, ...]:
    """Well-known checkpoints; of a class that is registered under several names, those of the one."""
    known = getattr(made, "known", ())
    return tuple(known.get(name, ()) if isinstance(known, Mapping) else known)


def table(tests: Mapping[str, int]) -> Iterator[list[str]]:
    """The families as rows of text, a head before them.

    Args:
        tests: how many there are of each metric.
    """
    yield ["family or architecture", *METRICS, "tests", "known checkpoints"]
    for family in families():
        kinds = family.kinds or {}
        asked = sum(n for metric, n in tests.items() if metric in kinds)
        known = family.problem or ", ".join(family.known)
        yield [family.name, *(kinds.get(metric, "-") for metric in METRICS), str(asked), known]


def _made_by(loader: Callable[..., object]) -> object:
    """What says of which kinds a loader's models are: the class whose method it is, what it returns, or itself."""
    if inspect.ismethod(loader):
        return loader.__self__
    return get_type_hints(loader).get("return") if inspect.isfunction(loader) else loader
