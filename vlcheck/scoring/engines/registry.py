"""Engines by name. They are registered under the entry-point group "vlcheck.engines".

An engine is registered as `name = "package.module:make"`, and `--vl-engine name` calls `make()`, which returns a
`vlcheck.scoring.engines.engine.Engine`. `make` may have keyword-only parameters: `folder` (Path) is a folder that the
processes of the run share, `processes` (int) is their number, `device` (str) is that of the model, e.g. "cuda", and
`address` (str, "" unless said) allows `--vl-engine name:ADDRESS`. It is called in each run with this engine, also if
nothing is left to ask: an engine starts other processes with its first plan.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from vlcheck._util.foreign_code import contained
from vlcheck.errors import ForeignFault, UsageError, argument, demand_type, nearest
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.foreign import ForeignEngine

GROUP = "vlcheck.engines"

_SHIPPED: Mapping[str, EntryPoint] = {
    name: EntryPoint(name, f"vlcheck.scoring.engines.{name}:make_{name}", GROUP) for name in ("alone", "local", "ray")
}


def registered_engines() -> dict[str, EntryPoint]:
    """Return the engines by name. The shipped ones are there even if an older installation does not register them."""
    return {**_SHIPPED, **{entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _SHIPPED}}


def open_engine(spec: str, folder: Path, device: str = "cpu", processes: int = 1) -> Engine:
    """Return the engine of a spec; the caller closes it.

    Args:
        spec: the name of a registered engine, with `:ADDRESS` behind it where the engine takes an address.
        folder: a folder that the processes of the run share.
        device: the device of the model.
        processes: the number of processes of the run that have the same plans.

    Raises:
        UsageError: there is no such engine, it takes no address, or it cannot be made.

    Example:
        >>> open_engine("alone", Path()).shared
        False
    """
    demand_type("engine", spec, str, f"the name of an engine: {', '.join(sorted(registered_engines()))}")
    name, colon, address = spec.partition(":")
    known = registered_engines()
    if name not in known:
        raise UsageError(f"{argument('engine', repr(name))}: no such engine. {nearest(name, known)}")
    make = _loaded(known[name], spec)
    taken = inspect.signature(make).parameters
    if colon and "address" not in taken:
        raise UsageError(f"{argument('engine', repr(spec))}: {name} takes no address; say {name}.")
    offered = {"folder": folder, "address": address, "device": device, "processes": processes}
    said = {key: value for key, value in offered.items() if key in taken}
    try:
        with contained():
            engine = make(**said)
    except ForeignFault as error:
        raise UsageError(f"{argument('engine', repr(spec))}: cannot be made. {error}") from error
    if not isinstance(engine, Engine):
        found = type(engine).__name__
        raise UsageError(f"{argument('engine', repr(spec))}: gave {found!r}; it has to have run, close and shared.")
    return engine if name in _SHIPPED else ForeignEngine(engine, spec)


def demand_shared(engine: Engine, spec: str, processes: int) -> None:
    """Raise UsageError if several processes would each run all plans.

    Args:
        engine: the engine.
        spec: its spec.
        processes: number of processes that run the same plans.
    """
    if processes > 1 and not engine.shared:
        raise UsageError(
            f"{argument('engine', repr(spec))}: does not go with {processes} processes: each would run all plans."
            " Leave -n out, or say local."
        )


def _loaded(entry: EntryPoint, spec: str) -> Callable[..., object]:
    try:
        with contained():
            return cast("Callable[..., object]", entry.load())
    except ForeignFault as error:
        raise UsageError(f"{argument('engine', repr(spec))}: {entry.value} cannot be imported. {error}") from error
