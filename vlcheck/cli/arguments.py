"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlcheck.suite import suite_folder

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


def shipped_tests() -> Path:
    """The folder of the suite's tests."""
    return suite_folder() / "behavior_tests"
