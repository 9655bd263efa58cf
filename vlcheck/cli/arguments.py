"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlcheck.plugin.foresight import Chosen
from vlcheck.plugin.mark import subjects
from vlcheck.policy import Policy
from vlcheck.policy_file import load_policy
from vlcheck.suite import policy_path, suite_folder

Data = Annotated[str, typer.Argument(help="scenes[:N[:SEED]], coco:ROOT[:N[:SEED]] or jsonl:PATH[:N[:SEED]]")]
OwnLexicons = Annotated[
    Path | None, typer.Option("--lexicons", "--vl-lexicons", help="a folder of lexicons that replace shipped ones")
]
OwnPolicy = Annotated[Path | None, typer.Option("--policy", "--vl-policy", help="what the model will be held to")]
Device = Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs")]
DType = Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--vl-trust-remote-code", help="let Python code that comes with a checkpoint run")
]
Suite = Annotated[Path | None, typer.Option(help="the folder of tests; the shipped suite unless said")]


def policy_for(chosen: Chosen, own: Path | None) -> Policy:
    """One's own policy, else the shipped one. Raises UsageError where it does not fit the tests.

    They are all there are, so that all of one's own policy has to be about them; the shipped one is about the shipped.
    """
    policy, tests = load_policy(own or policy_path()), subjects(chosen)
    policy.check(tests)
    if own:
        policy.demand_tests(tests)
    return policy


def shipped_tests() -> Path:
    """The folder of the suite's tests."""
    return suite_folder() / "behavior_tests"
