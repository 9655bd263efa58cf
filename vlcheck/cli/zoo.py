"""Measure how well the tests find the biases that were planted into the embedded models."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck.cli.arguments import Suite, chosen_suite, policy_file
from vlcheck.cli.console import TO, say, write_file
from vlcheck.cli.group import PLAIN, Group
from vlcheck.errors import UsageError, nearest
from vlcheck.plugin.collect import collect
from vlcheck.report.text.columns import aligned
from vlcheck.zoo import PLANTED

PROCESSES = os.cpu_count() or 1

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.command()
def matrix(
    seeds: Annotated[int, typer.Option(min=1, help="number of random seeds of the scenes")] = 5,
    images: Annotated[int, typer.Option(min=1, help="number of images for each behavior and seed")] = 200,
    variant: Annotated[list[str] | None, typer.Option(help="a variant; may be repeated; by default all")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="number of parallel processes, of 1.4 GB each")] = PROCESSES,
    suite: Suite = None,
    to: Annotated[Path | None, typer.Option(help="write every verdict to this file, as JSON")] = None,
) -> None:
    """Test every variant for every bias; exit with 1 unless exactly the planted biases fail."""
    from vlcheck.studies.power import as_json, is_matrix_file, make_matrix, matrix_rows  # slow to import
    from vlcheck.zoo import pretrained

    for name in variant or PLANTED:
        if name not in PLANTED:
            raise UsageError(f"--variant {name}: there is none. {nearest(name, PLANTED)}")
        pretrained.weights_of(name)
    if to:
        demand_place(to, TO, "matrix", is_ours=is_matrix_file)
    variants, tests = dict.fromkeys(variant or PLANTED), chosen_suite(suite)
    policy = policy_file(collect(tests))
    found = make_matrix(tests, policy, variants=variants, seeds=seeds, images=images, jobs=jobs)
    for line in aligned(list(matrix_rows(found))):
        say(line)
    amiss = list(found.amiss())
    for line in amiss:
        say(line)
    if to:
        write_file(to, as_json(found).encode())
    if amiss:
        sys.exit(1)
