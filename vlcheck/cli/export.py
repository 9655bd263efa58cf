"""Keep a run's results where a team looks for them: MLflow, Weights & Biases, the hub, Every Eval Ever."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from vlcheck import __version__
from vlcheck._util.addresses import checked_address
from vlcheck._util.files import demand_place
from vlcheck._util.numbers import counted
from vlcheck.cli.console import TO, say, write_file
from vlcheck.cli.group import PLAIN, Group
from vlcheck.errors import UsageError
from vlcheck.export.clients import client_library, defaults, plain_errors, without_password
from vlcheck.results.file import ResultLines, read_judged
from vlcheck.results.gate import read_run
from vlcheck.results.unjudged import is_ended

MOST_WORST = 100
_OFFLINE = "WANDB_MODE=offline keeps it in a folder, which `wandb sync` sends later."
_SERVER_OF_MLFLOW = "MLFLOW_TRACKING_URI"
_EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"

Run = Annotated[Path, typer.Argument(metavar="RESULTS", help="the results file of a run, e.g. vlcheck-results.jsonl")]
Worst = Annotated[
    int,
    typer.Option(
        help="how many cases of each verdict that does not pass are kept, with pictures", min=0, max=MOST_WORST
    ),
]

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.command()
def mlflow(
    results: Run,
    uri: Annotated[
        str, typer.Option(help="the server or database, e.g. sqlite:///mlflow.db; by default MLFLOW_TRACKING_URI's")
    ] = "",
    experiment: Annotated[
        str, typer.Option(help="the experiment; by default MLFLOW_EXPERIMENT_NAME's, or vlcheck")
    ] = "",
    worst: Worst = 5,
) -> None:
    """Keep a run in MLflow: a metric for each verdict, parameters, tags, tables, and the page as an artifact."""
    from vlcheck.export.mlflow_run import PATIENCE, MlflowPlace, keep_in_mlflow
    from vlcheck.export.pages import kept_files
    from vlcheck.export.tables import tables_of
    from vlcheck.export.tracked import tracked_run

    found = _read(results)
    place = MlflowPlace(uri, experiment or os.environ.get(_EXPERIMENT, "") or "vlcheck")
    named = uri or os.environ.get(_SERVER_OF_MLFLOW, "") or "MLflow's default store"
    with defaults(PATIENCE), plain_errors("mlflow", named, str(results)):
        library = client_library("mlflow")
        with kept_files(found, results) as files:
            run = keep_in_mlflow(library, place, tracked_run(found, __version__), tables_of(found, worst), files)
    say(f"mlflow: run {run} of the experiment {place.experiment}, in {without_password(named)}")


@app.command()
def wandb(
    results: Run,
    project: Annotated[str, typer.Option(help="the project; by default WANDB_PROJECT's, or vlcheck")] = "",
    entity: Annotated[str, typer.Option(help="the user or team; by default your usual one")] = "",
    worst: Worst = 5,
) -> None:
    """Keep a run in Weights & Biases: a metric for each verdict, config, tags, tables, and the page as an artifact."""
    from vlcheck.export.pages import kept_files
    from vlcheck.export.tables import tables_of
    from vlcheck.export.tracked import tracked_run
    from vlcheck.export.wandb_run import WandbPlace, keep_in_wandb

    found = _read(results)
    place = WandbPlace(project or os.environ.get("WANDB_PROJECT", "") or "vlcheck", entity)
    named = f"project {place.project}"
    with plain_errors("wandb", named, str(results), _OFFLINE):
        library = client_library("wandb")
        with kept_files(found, results) as files:
            where = keep_in_wandb(library, place, tracked_run(found, __version__), tables_of(found, worst), files)
    say(f"wandb: {where}")
    if Path(where).is_dir():
        say(f"offline: wandb sync {where}")


@app.command()
def hub(
    results: Run,
    benchmark: Annotated[
        str, typer.Option(help="the data set, ORG/NAME, that the run asked about and that the hub lists as a benchmark")
    ] = "",
    task_id: Annotated[str, typer.Option(help="the task's id in the data set's eval.yaml")] = "",
    test: Annotated[str, typer.Option(help="the test whose figure is the score")] = "",
    metric: Annotated[str, typer.Option(help="the metric of that test")] = "",
    page: Annotated[str, typer.Option(help="the address of the page for reviewers, as the source of the score")] = "",
    to: Annotated[
        Path, typer.Option(help="the file, in .eval_results/ of the model's repository; it must not exist yet")
    ] = Path(".eval_results", "vlcheck.yaml"),
) -> None:
    """Write an evaluation-results file for the hub: the score of a data set that the hub lists as a benchmark."""
    from vlcheck.export.hub_results import Benchmark, demand_same_data, hub_results, score_of, unchecked

    chosen = Benchmark(benchmark, task_id)
    address = checked_address(page, "--page") if page else ""
    found = read_judged(results)
    demand_same_data(found.run, chosen)
    text = hub_results(found.run, score_of(found, test, metric), chosen, address)
    if to.suffix != ".yaml":
        raise UsageError(f"{TO} {to}: the hub reads files that end in .yaml, in the folder .eval_results.")
    if to.parent.name == ".eval_results" and to.parent.parent.is_dir():
        to.parent.mkdir(exist_ok=True)
    demand_place(to, TO, "file of evaluation results")
    write_file(to, text.encode())
    say(f"evaluation results: {to}")
    for what in unchecked(found.run, chosen):
        say(f"not checked: {what}.")


@app.command()
def every_eval_ever(
    results: Run,
    organization: Annotated[str, typer.Option(help="who ran the evaluation")],
    to: Annotated[Path, typer.Option(help="the file, which must not exist yet")],
    model_id: Annotated[str, typer.Option(help="the model's id, e.g. ORG/NAME; by default its name")] = "",
    relationship: Annotated[
        str, typer.Option(help="who they are to the model: first_party, third_party, collaborative or other")
    ] = "other",
) -> None:
    """Write a record of Every Eval Ever (schema 0.3.0): a score for each verdict, with its interval and its limit."""
    from vlcheck.export.every_eval import SCHEMA_VERSION, EvaluatingParty, evaluation_record

    evaluator = EvaluatingParty(organization, relationship, model_id)
    demand_place(to, TO, "record")
    record = evaluation_record(read_judged(results), evaluator, int(time.time()))
    write_file(to, f"{json.dumps(record, indent=2)}\n".encode())
    say(f"record: {to} (schema {SCHEMA_VERSION})")


def _read(path: Path) -> ResultLines:
    """Read a run, also one that was stopped; say so, and say if another version of vlcheck asked it."""
    found = read_run(path)
    version = str(found.run.versions.get("vlcheck", "unknown"))
    if version != __version__:
        say(f"asked by vlcheck {version}; this is {__version__}, which draws the page")
    if not is_ended(found.run):
        verdicts, lacking = counted(len(found.verdicts), "verdict"), counted(len(found.run.unjudged), "test")
        say(f"the run was stopped: {verdicts}, {lacking} without one")
    return found
