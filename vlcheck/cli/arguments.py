"""Arguments and options that several commands share."""

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

CASES = f"the cases, with N images for each test, by default 200: {ACCEPTED}"
Data = Annotated[str, typer.Argument(help=CASES)]
OwnLexicons = Annotated[
    Path | None, typer.Option("--lexicons", "--vl-lexicons", help="a folder of word lists that replace shipped ones")
]
TableColumns = Annotated[
    str,
    typer.Option("--columns", "--vl-columns", help="the columns of a table, FIELD=COLUMN,..., or a TOML file of them"),
]
OwnPolicy = Annotated[
    Path | None,
    typer.Option("--policy", "--vl-policy", help="a file of tolerances and limits; by default that of the suite"),
]
Device = Annotated[str, typer.Option("--device", "--vl-device", help="where the model runs: cpu, cuda, cuda:1, mps")]
DType = Annotated[str, typer.Option("--dtype", "--vl-dtype", help="precision: float32, bfloat16, float16 or float64")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--vl-trust-remote-code", help="run Python code that comes with a checkpoint")
]
MODELS = "tiny, albef:CHECKPOINT, package.module:factory or file.py:factory"
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


def policy_for(collected: Collected, own: Path | None) -> Policy:
    """Read the policy that a run of these tests uses; see `policy_file`.

    Args:
        collected: the selected tests.
        own: the policy that the user named, if any.

    Raises:
        UsageError: the policy cannot be read, or does not fit the tests.
    """
    return collected.run.inputs.policy_from(own)


def policy_file(collected: Collected, own: Path | None = None) -> Path:
    """Return the policy's file: the user's own, else that of the suite's copy, else the shipped one.

    Args:
        collected: the selected tests.
        own: the policy that the user named, if any.
    """
    return own or collected.run.inputs.policy_path


def lexicons_for(collected: Collected, own: Path | None) -> Path | None:
    """Return the folder of lexicons: the user's own, else that of the suite's copy; None for the shipped ones alone.

    Args:
        collected: the selected tests.
        own: the folder that the user named, if any.
    """
    return own or collected.run.inputs.lexicons


def is_sequential(collected: Collected) -> bool:
    """Return True if the ini file of the tests asks for a sequential run."""
    return collected.run.settings.sequential


def shipped_tests() -> Path:
    """Return the folder of the shipped suite's tests."""
    return suite_folder() / "behavior_tests"
