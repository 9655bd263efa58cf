"""List the families of models that --vl-model accepts, show one model, or check whether it keeps the contract."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer

from vlcheck.cli.arguments import MODELS, Device, DType, TrustRemoteCode, chosen_suite
from vlcheck.cli.console import say
from vlcheck.cli.group import PLAIN, Group
from vlcheck.models.loading.registry import list_models as registered_models
from vlcheck.models.loading.registry import table
from vlcheck.plugin.collect import collect
from vlcheck.report.text.columns import aligned

if TYPE_CHECKING:
    from vlcheck.models.contract import Outcome

app = typer.Typer(cls=Group, help=__doc__, add_completion=False, **PLAIN)


@app.callback(invoke_without_command=True)
def list_models(context: typer.Context) -> None:
    """List families and architectures, each metric's kind of score, and the suite's tests that ask for it."""
    if context.invoked_subcommand is None:
        asked: dict[str, list[str]] = defaultdict(list)
        for test in collect(chosen_suite(None)).tests:
            asked[test.metric].append(test.function_name)
        for line in aligned(list(table({metric: len(names) for metric, names in asked.items()}, registered_models()))):
            say(line)
        for metric, names in asked.items():
            say(f"{metric} is asked by {', '.join(names)}")


@app.command("check")
def check_model(
    model: Annotated[str, typer.Argument(help=f"the model: {MODELS}")],
    data: Annotated[
        str, typer.Option("--data", "--vl-data", help="the data whose pictures and texts it is asked about")
    ] = "scenes",
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Check that a model keeps the contract of models; exit with 1 if it breaks a clause. Test runs then report it."""
    from vlcheck.models.loading import check  # slow to import

    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        say(f"{_word(outcome)}  {outcome.clause}: {outcome.found}")

    try:
        check.check_model(model, data, device=device, dtype=dtype, trust_remote_code=trusted, on_outcome=tell)
    except OSError as error:
        say(f"the outcome is not kept for later runs: {error.filename} cannot be written ({error.strerror})")
    if not outcomes or not all(outcome.kept for outcome in outcomes):
        sys.exit(1)


@app.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help=f"the model: {MODELS}")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Load a model, and show what it makes of pictures, texts and weights."""
    from vlcheck.cli import show_model as shown  # slow to import

    for line in shown.shown_model(model, device=device, dtype=dtype, trusted=trusted, as_json=as_json):
        say(line)


def _word(outcome: Outcome) -> str:
    if not outcome.kept:
        return "BROKEN"
    return "note  " if outcome.note else "kept  "
