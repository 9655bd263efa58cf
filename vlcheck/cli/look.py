"""The command `vlcheck look`: a model's scores for one photograph, and for it blocked, in grey and mirrored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck.cli.arguments import MODELS, Device, DType, TrustRemoteCode
from vlcheck.cli.console import TO, say, write_file
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model


def look(
    image: Annotated[Path, typer.Argument(help="a photograph")],
    text: Annotated[
        str,
        typer.Argument(help='a sentence about it, with brackets around the word that is true, e.g. "a [red] bus"'),
    ],
    model: Annotated[str, typer.Option("--model", "--vl-model", help=f"the model: {MODELS}")],
    words: Annotated[
        str,
        typer.Option(help="words to compare in the brackets, e.g. left,right; by default the opposite of a side"),
    ] = "",
    to: Annotated[
        Path, typer.Option(help="the .png to draw; it may replace an earlier one of this command, but no other file")
    ] = Path("look.png"),
    explain: Annotated[
        str,
        typer.Option(
            "--explain",
            "--vl-explain",
            help="methods that draw what the match rests on, e.g. saliency or saliency,ig",
        ),
    ] = "",
    box: Annotated[
        str,
        typer.Option(
            help="X,Y,WIDTH,HEIGHT of the thing that the sentence is about, in pixels: it is cut out into nine places"
        ),
    ] = "",
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Draw a model's scores for a photograph as it is, blocked, in grey and mirrored; exit with 1 if it gives none."""
    from vlcheck.explain.places import EXAMPLE_BOX, read_box, with_thing
    from vlcheck.explain.request import parse_methods
    from vlcheck.explain.single_image import BracketedCaption  # slow to import
    from vlcheck.explain.single_image import score_views as ask
    from vlcheck.report.single_image.figure import figure_lines
    from vlcheck.report.single_image.png import draw_png

    said = BracketedCaption.read(text, words)
    methods = parse_methods(explain)
    case, thing = said.case(image), read_box(box) if box else None
    if thing:
        with_thing(case, thing)  # like one with the photograph, a problem is reported before a model is loaded
    _demand_place(to, image)
    figure = ask(load_model(model, device=device, dtype=dtype, trust_remote_code=trusted), said, image, methods, thing)
    write_file(to, draw_png(figure))
    for line in figure_lines(figure):
        say(line)
    if not thing:
        say(f"not asked: the thing in other places; --box X,Y,WIDTH,HEIGHT (e.g. --box {EXAMPLE_BOX}) says where it is")
    say(f"picture: {to}")
    if not figure.answered:
        sys.exit(1)


def _demand_place(to: Path, image: Path) -> None:
    """Check that the picture replaces no file but an earlier picture of this command."""
    from vlcheck.report.single_image.png import is_figure_file

    if to.suffix.lower() != ".png":
        raise UsageError(f"{TO} {to}: has to end in .png.")
    demand_place(to, TO, "picture", is_ours=is_figure_file, others={"IMAGE": image})
