"""What a model says of one photograph, and of it blocked, in grey and mirrored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck.cli.arguments import Device, DType, TrustRemoteCode
from vlcheck.cli.console import TO, say, write
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model


def look(
    image: Annotated[Path, typer.Argument(help="a photograph")],
    text: Annotated[
        str,
        typer.Argument(help="what is said of it, with square brackets around the word that is true"),
    ],
    model: Annotated[str, typer.Option("--model", "--vl-model", help="the model, as a run has it")],
    words: Annotated[
        str,
        typer.Option(help="what is compared at the brackets, e.g. left,right; the opposite of a side unless said"),
    ] = "",
    to: Annotated[
        Path, typer.Option(help="the picture to draw, a .png; replaces an earlier one of this command and nothing else")
    ] = Path("look.png"),
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Show one photograph as it is, blocked, in grey and mirrored, with MLM and ITM; end with 1 without any score."""
    from vlcheck.explain.single_image import Said  # not light to import
    from vlcheck.explain.single_image import look as ask
    from vlcheck.report.single_image.figure import lines
    from vlcheck.report.single_image.png import draw

    said = Said.read(text, words)
    said.case(image)  # what is wrong with the photograph is said before a model is loaded
    _demand_place(to, image)
    figure = ask(load_model(model, device=device, dtype=dtype, trust_remote_code=trusted), said, image)
    write(to, draw(figure))
    for line in lines(figure):
        say(line)
    say(f"picture: {to}")
    if not figure.answered:
        sys.exit(1)


def _demand_place(to: Path, image: Path) -> None:
    """A picture goes where there is none, or where there is one of this command."""
    from vlcheck.report.single_image.png import is_ours

    if to.suffix.lower() != ".png":
        raise UsageError(f"{TO} {to}: has to end in .png.")
    demand_place(to, TO, "picture", is_ours=is_ours, others={"IMAGE": image})
