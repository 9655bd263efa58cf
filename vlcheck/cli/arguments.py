"""Arguments and options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from vlcheck.cli.console import say
from vlcheck.datasets.registry import ACCEPTED
from vlcheck.plugin.collect import Collected
from vlcheck.policy.policy import Policy
from vlcheck.suite.shipped import suite_folder, tests_here

Data = Annotated[str, typer.Argument(help=ACCEPTED)]
OwnLexicons = Annotated[
    Path | None, typer.Option("--lexicons", "--vl-lexicons", help="a folder of lexicons that replace shipped ones")
]
OwnPolicy = Annotated[Path | None, typer.Option("--policy", "--vl-policy", help="what the model will be held to")]
Device = Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs")]
DType = Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--vl-trust-remote-code", help="let Python code that comes with a checkpoint run")
]
Suite = Annotated[
    Path | None,
    typer.Option(help="the folder of tests; behavior_tests in the current folder unless said, else the shipped suite"),
]


def chosen_suite(suite: Path | None, tell: Callable[[str], None] = say) -> Path:
    """The folder of a suite's tests.

    Args:
        suite: as it is said; else the one in the current folder is taken, else the shipped one.
        tell: is told which one was taken, where it is not said.
    """
    if suite is not None:
        return suite
    here = tests_here()
    tell(f"suite: {here} in the current folder" if here else f"suite: the shipped one, {shipped_tests()}")
    return here or shipped_tests()


def policy_for(collected: Collected, own: Path | None) -> Policy:
    """As a run has it: what `policy_file` names. Raises UsageError where it does not fit the tests."""
    return collected.run.policy_from(own)


def policy_file(collected: Collected, own: Path | None = None) -> Path:
    """What a run of these tests is held to: one's own policy, else that of the suite's copy, else the shipped one."""
    return own or collected.run.policy_path


def lexicons_for(collected: Collected, own: Path | None) -> Path | None:
    """Likewise, the words; None for the shipped ones alone."""
    return own or collected.run.lexicons


def is_sequential(collected: Collected) -> bool:
    """Whether the ini file of the tests says that a run looks at its verdicts again and again."""
    return collected.run.settings.sequential


def shipped_tests() -> Path:
    """The folder of the suite's tests."""
    return suite_folder() / "behavior_tests"
