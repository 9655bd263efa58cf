"""A run of vlcheck as a run of Weights & Biases: config, metrics, tags, tables, and the page as an artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlcheck.export.tables import TrackedTable
from vlcheck.export.tracked import TrackedRun

_PATIENCE = 30  # seconds until a server that does not answer is given up
_KILLED = 130  # the exit status of a run that has none, since it was killed
_LONGEST_TAG = 60  # characters; Weights & Biases takes 64


@dataclass(frozen=True)
class WandbPlace:
    """The place in which Weights & Biases keeps a run.

    Attributes:
        project: name of the project; "" for Weights & Biases' own choice, which WANDB_PROJECT names.
        entity: the user or team; "" for the usual one.
    """

    project: str
    entity: str


def keep_in_wandb(
    wandb: Any, place: WandbPlace, tracked: TrackedRun, tables: Mapping[str, TrackedTable], files: Sequence[Path]
) -> str:
    """Keep a run in Weights & Biases. A run that was stopped is marked as failed, with the exit status it ended with.

    Args:
        wandb: the library.
        place: the project and its owner.
        tracked: the run.
        tables: tables by name.
        files: files to keep in an artifact.

    Returns:
        The address of the run; offline, its folder.
    """
    run = _begun(wandb, place, tracked)
    try:
        shown = {name: _table(wandb, table) for name, table in tables.items() if table.rows}
        run.log({**tracked.metrics, **shown})
        artifact = wandb.Artifact(f"vlcheck-{run.id}", type="vlcheck-report")
        for path in files:
            artifact.add_file(str(path))
        run.log_artifact(artifact)
    except BaseException:
        with suppress(Exception):
            run.finish(exit_code=1)
        raise
    run.finish(exit_code=0 if tracked.ended else tracked.exit_status or _KILLED)
    return str(Path(run.dir).parent if run.offline else run.url)


def _begun(wandb: Any, place: WandbPlace, tracked: TrackedRun) -> Any:
    """Return a run of the library that has config and tags; its process captures nothing that is printed."""
    return wandb.init(
        project=place.project or None,
        entity=place.entity or None,
        name=tracked.name,
        notes=tracked.sentence,
        job_type="vlcheck",
        tags=[f"{name.removeprefix('vlcheck.')}: {tracked.tags[name]}"[:_LONGEST_TAG] for name in _searched(tracked)],
        config={**tracked.parameters, **tracked.tags},
        settings=wandb.Settings(console="off", init_timeout=_PATIENCE, silent=True),
    )


def _searched(tracked: TrackedRun) -> list[str]:
    return [name for name in ("vlcheck.conclusion", "vlcheck.status", "vlcheck.version") if name in tracked.tags]


def _table(wandb: Any, table: TrackedTable) -> Any:
    """Return a table whose pictures are those of the library."""
    rows = [[wandb.Image(cell) if hasattr(cell, "save") else cell for cell in row] for row in table.rows]
    return wandb.Table(columns=[*table.columns], data=rows)
