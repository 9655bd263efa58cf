"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from vlcheck.cli.console import say
from vlcheck.datasets.registry import ACCEPTED
from vlcheck.evaluation.preview import Chosen
from vlcheck.plugin.run import RUN, Run
from vlcheck.policy.policy import Policy
from vlcheck.suite.shipped import suite_folder, tests_here

Data = Annotated[str, typer.Argument(help=ACCEPTED)]
OwnLexicons = Annotated[
    Path | None, typer.Option("--lexicons", "--vl-lexicons", help="a folder of lexicons that replace shipped ones")
]
OwnPolicy = Annotated[Path | None, typer.Option("--policy", "--vl-policy", help="a policy: tolerances and limits")]
Device = Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs")]
DType = Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--vl-trust-remote-code", help="let Python code that comes with a checkpoint run")
]
Suite = Annotated[
    Path | None,
    typer.Option(help="the folder of tests; by default behavior_tests in the current folder, else the shipped suite"),
]


def chosen_suite(suite: Path | None, tell: Callable[[str], None] = say) -> Path:
    """Return the folder of a suite's tests.

    Args:
        suite: the folder that the user named; if None, the one in the current folder, else the shipped one.
        tell: called with a line that says which one was taken, if `suite` is None.
    """
    if suite is not None:
        return suite
    here = tests_here()
    tell(f"suite: {here} in the current folder" if here else f"suite: the shipped one, {shipped_tests()}")
    return here or shipped_tests()


def policy_for(chosen: Chosen, own: Path | None) -> Policy:
    """Read the policy that a run of these tests uses; see `policy_file`.

    Args:
        chosen: the selected tests.
        own: the policy that the user named, if any.

    Raises:
        UsageError: the policy cannot be read, or does not fit the tests.
    """
    return _run(chosen).policy_from(own)


def policy_file(chosen: Chosen, own: Path | None = None) -> Path:
    """Return the policy's file: the user's own, else that of the suite's copy, else the shipped one.

    Args:
        chosen: the selected tests.
        own: the policy that the user named, if any.
    """
    return own or _run(chosen).policy_path


def lexicons_for(chosen: Chosen, own: Path | None) -> Path | None:
    """Return the folder of lexicons: the user's own, else that of the suite's copy; None for the shipped ones alone.

    Args:
        chosen: the selected tests.
        own: the folder that the user named, if any.
    """
    return own or _run(chosen).lexicons


def is_sequential(chosen: Chosen) -> bool:
    """Return True if the ini file of the tests asks for a sequential run."""
    return _run(chosen).settings.sequential


def _run(chosen: Chosen) -> Run:
    """Return the plugin's run, which knows the folder and the ini file of the tests."""
    item, _ = chosen[0]
    return item.config.stash[RUN]


def shipped_tests() -> Path:
    """Return the folder of the shipped suite's tests."""
    return suite_folder() / "behavior_tests"
