"""Measure how far explanations of a model can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck.cli.arguments import MODELS, Device
from vlcheck.cli.console import TO, say, write_file
from vlcheck.cli.group import PLAIN, Group
from vlcheck.errors import UsageError, argument, nearest
from vlcheck.report.text.columns import aligned

if TYPE_CHECKING:
    from vlcheck.explain.attribution.method import AttributionMethod
    from vlcheck.explain.bench.records import ExplanationBench

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.command()
def bench(
    model: Annotated[
        str, typer.Option("--model", "--vl-model", help=f"a model that knows drawn scenes: {MODELS}")
    ] = "tiny",
    seeds: Annotated[int, typer.Option(min=1, help="number of random seeds of the scenes")] = 20,
    images: Annotated[int, typer.Option(min=1, help="number of scenes of each kind for each seed")] = 20,
    trials: Annotated[int, typer.Option(min=1, help="number of trials of each planted cause for each seed")] = 40,
    cause_seeds: Annotated[
        int | None,
        typer.Option(
            min=0, help="number of seeds of the trials, which take most of the time; by default that of --seeds"
        ),
    ] = None,
    methods: Annotated[str, typer.Option(help="names of methods, with commas between them; by default all")] = "",
    device: Device = "cpu",
    to: Annotated[
        Path | None,
        typer.Option(help="write every measure to this file, as JSON; what an earlier run wrote is continued"),
    ] = None,
) -> None:
    """Measure attribution methods on drawn scenes, whose truth is known, and on models with a planted bias."""
    from vlcheck.explain.bench.measure import VERSION  # slow to import
    from vlcheck.explain.bench.records import ExplanationBench, bench_as_json, is_bench_file
    from vlcheck.explain.bench.run import run_bench
    from vlcheck.explain.bench.table import LEGEND, cause_rows, curve_rows, setting, truth_rows

    chosen = _chosen(methods)
    if to:
        demand_place(to, TO, "benchmark", is_ours=is_bench_file)
    for found in run_bench(
        _begun(to, ExplanationBench(scenes=VERSION, model=model, images=images, trials=trials)),
        chosen,
        range(seeds),
        cause_seeds,
        device,
    ):
        if to:
            write_file(to, bench_as_json(found))
    say(setting(found))
    for rows in (truth_rows(found), curve_rows(found), cause_rows(found)):
        for line in aligned(list(rows)):
            say(line)
    for name, meaning in {**found.inapplicable, **LEGEND}.items():
        say(f"{name}: {meaning}")


def _chosen(methods: str) -> list[AttributionMethod]:
    """Return the methods of these names, and the random map, with which each is compared."""
    from vlcheck.explain.attribution.registry import METHODS
    from vlcheck.explain.bench.trust import NULL

    names = [name.strip() for name in methods.split(",")] if methods else [*METHODS]
    if unknown := [name for name in names if name not in METHODS]:
        raise UsageError(f"{argument('methods', unknown[0])}: there is none. {nearest(unknown[0], METHODS)}")
    return [METHODS[name] for name in dict.fromkeys([NULL, *names])]


def _begun(to: Path | None, asked: ExplanationBench) -> ExplanationBench:
    """Return the benchmark that a file holds, or else an empty one."""
    from vlcheck.explain.bench.records import read_bench

    if not to or not to.exists() or not to.stat().st_size:
        return asked
    begun = read_bench(to)
    if begun.scenes != asked.scenes:
        raise UsageError(
            f"{TO} {to}: was measured on scenes of version {begun.scenes or 'unknown'}; those of now are version"
            f" {asked.scenes}. Name another file."
        )
    if (begun.model, begun.images, begun.trials) != (asked.model, asked.images, asked.trials):
        raise UsageError(
            f"{TO} {to}: was measured with --model {begun.model} --images {begun.images} --trials {begun.trials};"
            " continue with these, or name another file."
        )
    return begun
