"""The passages of docs/explanation/million-images.md."""

from __future__ import annotations

import json
import statistics
from typing import Any

from vlcheck._util.numbers import counted

_WAYS = {
    "ray": "one run on a cluster of Ray: each batch goes to a copy that is free",
    "parts": "as many parts as nodes (`--vl-shard`)",
    "four parts": "four times as many parts",
}


def makespan(measured: str) -> str:
    """The simulated time of a million photographs as Markdown."""
    figures = json.loads(measured)
    work, ideal, over = figures["work"], figures["ideal_hours"], figures["over_ideal"]
    rows = [f"| {name} | {' | '.join(f'{over[way][n]:.2f}' for n in ideal)} |" for way, name in _WAYS.items()]
    lines = [
        f"{work['photographs']:,} photographs of {work['photograph_seconds']:.1f} s each. {_said(figures['nodes'])} A"
        " cell is the time until the last answer / the time of nodes that neither differ nor fail; medians of"
        f" {counted(len(figures['hours']['ray']['1']), 'simulation')}.",
        "",
        f"| nodes | {' | '.join(ideal)} |",
        f"| --- | {' | '.join(['---'] * len(ideal))} |",
        f"| time of nodes that neither differ nor fail | {' | '.join(map(_time, ideal.values()))} |",
        *rows,
        "",
        "`python -m benchmarks.makespan` simulates, `python -m benchmarks.table` writes this table.",
    ]
    return "\n".join(lines) + "\n"


def ray_nodes(measured: str) -> str:
    """The time of Ray's nodes, against each other and against local processes, as Markdown."""
    figures = json.loads(measured)
    seconds, cores = figures["seconds"], figures["usable_cores"]
    alone = f"{1 / min(2, cores):.2f}"
    rows = [
        ("a model that computes: two nodes / one", figures["two_over_one"], alone),
        ("a model that only waits: two nodes / one", figures["two_over_one_waiting"], "0.50"),
        ("a model that computes: two nodes / two processes (`-n 2`)", figures["two_over_local"], "1.00"),
        ("a model that computes: `map_batches` on two nodes / two nodes", figures["map_batches_over_two"], ""),
    ]
    lines = [
        f"A small ALBEF with random weights, {counted(figures['pictures'], 'picture')} and"
        f" {counted(figures['texts'], 'text')} in {counted(figures['chunks'], 'batch', 'batches')};"
        f" {statistics.median(seconds['one node']):.0f} s on one node. Each node has one core, all of one machine, of"
        f" which {counted(cores, 'core')} could be used; load {figures['load']:.0f};"
        f" medians of {counted(len(seconds['one node']), 'paired round')}. A model that only waits has its time on a"
        " device of its own, as on a GPU. `map_batches` starts its copies for each plan, and loads the model again.",
        "",
        "| time | measured | best possible |",
        "| --- | --- | --- |",
        *(f"| {name} | {value:.2f} | {best} |" for name, value, best in rows),
        "",
        f"The run's own process spends {figures['run_cpu_ms_a_chunk']:.0f} ms of a core on a batch."
        " (`python -m benchmarks.ray_nodes COCO_ROOT`)",
    ]
    return "\n".join(lines) + "\n"


def _said(nodes: dict[str, Any]) -> str:
    """Return the simulated differences and failures of nodes, in words."""
    return (
        f"{100 * nodes['slow']:.0f} % of the nodes are {nodes['slowness']:.0f} times as slow, and all differ by"
        f" {100 * nodes['spread']:.0f} %. A node fails every {nodes['between_failures'] / 3600:.0f} hours on average,"
        f" is back after {nodes['absent'] / 60:.0f} minutes, and loads the model in {nodes['load']:.0f} s."
    )


def _time(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours > 48 else f"{hours:.0f} hours"
