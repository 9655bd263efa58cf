"""Passages of the documentation on what the workers of a run share, from the stored measurements."""

from __future__ import annotations

import json
from typing import Any

from vlcheck._util.numbers import share

_MEMORY = ("weights", "alone", "apart", "together", "most")  # columns


def weights(measured: str) -> str:
    """The memory of processes that hold one model, as Markdown."""
    figures = json.loads(measured)["memory"]
    rows = [f"| {name} | {' | '.join(f'{one[kind]:.0f} MB' for kind in _MEMORY)} |\n" for name, one in figures.items()]
    processes = {one["processes"] for one in figures.values()}.pop()
    return (
        f"| model | weights | one process | {processes}, each with its own | {processes} that share | aim: at most |\n"
        f"| --- | --- | --- | --- | --- | --- |\n{''.join(rows)}\n`python -m benchmarks.weights` measures.\n"
    )


def shares(measured: str) -> str:
    """Return how evenly workers share a run, as Markdown."""
    figures = json.loads(measured)
    workers: dict[str, Any] = figures["workers"]
    rows = [
        f"| `-n {n}` | {_each(one, 'pictures')} | {_above(one, 'pictures')} | {_above(one, 'seconds')} |"
        f" {_above(one, 'from_first_to_last')} |\n"
        for n, one in workers.items()
    ]
    images = {one["images_per_behavior"] for one in workers.values()}.pop()
    return (
        f"{images} photographs a behavior, the embedded model, at a load of {figures['load']:.0f} on"
        f" {figures['machine']['cores']} cores. The largest share is above the smallest one (aim: at most 10 %) by:\n\n"
        "| workers | pictures of each | pictures | seconds in the model | from the first to the last question |\n"
        f"| --- | --- | --- | --- | --- |\n{''.join(rows)}\n`python -m benchmarks.shares COCO_ROOT` measures.\n"
    )


def prefetch(measured: str) -> str:
    """Return what rendering beside the model brings, as Markdown."""
    figures = json.loads(measured)
    idle, busy = (figures[name]["ratio"] for name in ("idle", "busy"))
    return (
        f"With rendering ahead, {figures['pictures']} pictures take {idle:.2f} of the time if the processor is idle"
        f" while the model computes, and {busy:.2f} if the model computes on all of its cores. The model takes as long"
        f" as rendering does; medians of {len(figures['idle']['seconds'])} pairs,"
        f" at a load of {figures['load']:.0f} on {figures['machine']['cores']} cores."
        " (`python -m benchmarks.prefetch COCO_ROOT`)\n"
    )


def _each(one: dict[str, Any], kind: str) -> str:
    return ", ".join(f"{own[kind]:.0f}" for own in one["shares"])


def _above(one: dict[str, Any], kind: str) -> str:
    return share(one["unevenness"][kind])
