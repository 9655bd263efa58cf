"""The command `vlcheck merge`: the stores of shards become one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.numbers import counted, figure
from vlcheck.cli.console import say
from vlcheck.scoring.stores.merge import Merged, merge_stores


def merge(
    stores: Annotated[list[Path], typer.Argument(help="the stores of runs with --vl-shard, one for each part")],
    into: Annotated[Path, typer.Option("--into", help="the merged store, a new one or that of an earlier merge")],
) -> None:
    """Merge the stores of shards into one, which answers a run on all parts; exit with 1 if a part is missing."""
    merged = merge_stores(stores, into, tell=_tell)
    say(f"{counted(merged.answers, 'answer')} in {into}")
    faults = list(_faults(merged))
    for line in faults:
        say(line, error=True)
    sys.exit(1 if faults else 0)


def _faults(merged: Merged) -> Iterator[str]:
    """Yield why a run on the merged store would ask again, or why its answers are doubtful."""
    for part in merged.missing:
        yield f"missing: {part}"
    for path in merged.unsharded:
        yield f"{path}: names no part of a run that is answered; its answers are merged all the same"
    for path, answers in merged.unconfirmed.items():
        yield (
            f"{path}: {counted(answers, 'answer')} left out: the model is served by others, and was not confirmed to be"
            " the same one at the end of the run"
        )
    for one in merged.disagreements:
        yield (
            f"{one.store}: {counted(one.answers, 'answer')} differ from those of an earlier store by up to"
            f" {figure(one.largest)}, more than rounding does; the earlier ones are kept"
        )


def _tell(said: UserWarning) -> None:
    say(str(said), error=True)
