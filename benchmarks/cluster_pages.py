"""The passages of docs/explanation/million-images.md."""

from __future__ import annotations

import json
import statistics

from vlcheck._util.numbers import counted

_WAYS = {
    "ray": "one run on a cluster of Ray: each batch goes to a copy that is free",
    "parts": "as many parts as nodes (`--vl-shard`)",
    "four parts": "four times as many parts",
}


def makespan(measured: str) -> str:
    """The simulated time of a million photographs as Markdown."""
    figures = json.loads(measured)
    work, nodes, over = figures["work"], figures["nodes"], figures["over_ideal"]
    sizes = list(figures["ideal_hours"])
    times = [_time(figures["ideal_hours"][n]) for n in sizes]
    rows = [f"| {name} | {' | '.join(f'{over[way][n]:.2f}' for n in sizes)} |" for way, name in _WAYS.items()]
    return (
        "\n".join(
            [
                f"{work['photographs']:,} photographs of {work['photograph_seconds']:.1f} s each;"
                f" {100 * nodes['slow']:.0f} % of the nodes are {nodes['slowness']:.0f} times as slow, all differ by"
                f" average, is back after {nodes['absent'] / 60:.0f} minutes, and loads the model in {nodes['load']:.0f} s. A cell"
                " is the time until the last answer / the time of nodes that neither differ nor fail; medians of"
                f" {counted(len(figures['hours']['ray'][sizes[0]]), 'simulation')}.",
                "",
                f"| nodes | {' | '.join(sizes)} |",
                f"| --- | {' | '.join(['---'] * len(sizes))} |",
                f"| time of nodes that neither differ nor fail | {' | '.join(times)} |",
                *rows,
                "",
                "`python -m benchmarks.makespan` simulates, `python -m benchmarks.table` writes this table.",
            ]
        )
        + "\n"
    )


def ray_nodes(measured: str) -> str:
    """The time of Ray's nodes, against each other and against local processes, as Markdown."""
    figures = json.loads(measured)
    rows = [
        ("Ray on two nodes / on one", figures["two_over_one"], "0.50"),
        ("Ray on two nodes / two processes (`-n 2`)", figures["two_over_local"], "1.00"),
        ("`map_batches` on two nodes / Ray on two nodes", figures["map_batches_over_two"], ""),
    ]
    seconds = statistics.median(figures["seconds"]["one node"])
    rounds = len(figures["seconds"]["one node"])
    return (
        "\n".join(
            [
                f"Full-size ALBEF with random weights, {counted(figures['pictures'], 'picture')} and"
                f" {counted(figures['texts'], 'text')} in {counted(figures['chunks'], 'batch', 'batches')}; a node has"
                f" one core, both are on one machine of {figures['machine']['cores']} cores, load {figures['load']:.0f};"
                f" {seconds:.0f} s on one node; medians of {counted(rounds, 'paired round')}. `map_batches` starts its"
                " copies for each plan, and loads the model again.",
                "",
                "| time | measured | best possible |",
                "| --- | --- | --- |",
                *(f"| {name} | {value:.2f} | {best} |" for name, value, best in rows),
                "",
                f"The run's own process spends {figures['run_cpu_ms_a_chunk']:.0f} ms of a core on a batch."
                " (`python -m benchmarks.ray_nodes COCO_ROOT`)",
            ]
        )
        + "\n"
    )


def _time(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours > 48 else f"{hours:.0f} hours"
