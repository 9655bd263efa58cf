"""A run of vlcheck as a run of MLflow: parameters, metrics, tags, tables, and the page as an artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from vlcheck.export.tables import TrackedTable
from vlcheck.export.tracked import TrackedRun

# MLflow waits for minutes for a server that is not there, and is not told of the limit otherwise.
PATIENCE: Mapping[str, str] = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
T = TypeVar("T")
_A_BATCH = 90  # MLflow takes 100 parameters or tags at once, and 1000 metrics
_NOTE = "mlflow.note.content"  # the tag that MLflow shows as the run's description


@dataclass(frozen=True)
class MlflowPlace:
    """The place in which MLflow keeps a run.

    Attributes:
        uri: the tracking server, or a database, e.g. "sqlite:///mlflow.db"; "" for MLflow's own choice, which
            MLFLOW_TRACKING_URI names.
        experiment: name of the experiment; it is made if it is not there.
    """

    uri: str
    experiment: str


def keep_in_mlflow(
    mlflow: Any, place: MlflowPlace, tracked: TrackedRun, tables: Mapping[str, TrackedTable], files: Sequence[Path]
) -> str:
    """Keep a run in MLflow. A run that was stopped has the status KILLED; one that fails some test is FINISHED.

    Args:
        mlflow: the library.
        place: the store and the experiment.
        tracked: the run.
        tables: tables by the name of their artifact.
        files: files to keep as artifacts.

    Returns:
        The id of the run in MLflow.
    """
    client = mlflow.MlflowClient(tracking_uri=place.uri or None)
    started = _milliseconds(tracked)
    tags = {**tracked.tags, _NOTE: tracked.sentence}
    experiment = _experiment(client, place.experiment)
    run = client.create_run(experiment, start_time=started, run_name=tracked.name, tags=tags).info.run_id
    with _failed_unless_done(client, run):
        _log_figures(client, mlflow.entities, run, tracked, started or 0)
        for path in files:
            client.log_artifact(run, str(path))
        for name, table in tables.items():
            if table.rows:
                client.log_table(run, table.by_column, f"{name}.json")
        # Without an end, MLflow would show the time from the start of the run until now as its duration.
        client.set_terminated(run, "FINISHED" if tracked.ended else "KILLED", end_time=started)
    return str(run)


def _experiment(client: Any, name: str) -> str:
    """Return the id of an experiment, which is made if it is not there."""
    known = client.get_experiment_by_name(name)
    return str(known.experiment_id if known else client.create_experiment(name))


def _log_figures(client: Any, entities: Any, run: str, tracked: TrackedRun, when: int) -> None:
    """Log parameters and metrics in batches of the size that MLflow takes."""
    for some in _batches([*tracked.parameters.items()]):
        client.log_batch(run, params=[entities.Param(name, value) for name, value in some])
    for pairs in _batches([*tracked.metrics.items()]):
        client.log_batch(run, metrics=[entities.Metric(name, value, when, 0) for name, value in pairs])


@contextmanager
def _failed_unless_done(client: Any, run: str) -> Iterator[None]:
    """Mark a run as FAILED if it could not be kept as a whole, so that nobody takes it for one that ended."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            client.set_terminated(run, "FAILED")
        raise


def _milliseconds(tracked: TrackedRun) -> int | None:
    """Return the start of the run in milliseconds since 1970; None if its text is no time."""
    with suppress(ValueError, OverflowError):
        return int(1000 * datetime.fromisoformat(tracked.tags["vlcheck.started"]).timestamp())
    return None


def _batches(pairs: Sequence[T]) -> Iterator[Sequence[T]]:
    return (pairs[start : start + _A_BATCH] for start in range(0, len(pairs), _A_BATCH))
