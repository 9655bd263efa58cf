"""The command `vlcheck words`: what models tell of colors, shapes, sizes and materials without a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck._util.foreign_code import contained
from vlcheck.cli.arguments import MODELS, Device, DType, TrustRemoteCode
from vlcheck.cli.console import TO, say, write_file
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.report.text.words import words_lines
from vlcheck.results.words import is_words_file, words_json

if TYPE_CHECKING:
    from vlcheck.models.protocol import VisionLanguageModel
    from vlcheck.results.words import WordsRecord


def words(
    models: Annotated[list[str], typer.Argument(help=f"the models: {MODELS}")],
    to: Annotated[
        Path | None, typer.Option(help="write every answer to this file, as JSON; it may replace an older one")
    ] = None,
    device: Device = "cpu",
    dtype: DType = "float32",
    trusted: TrustRemoteCode = False,
) -> None:
    """Say which visible properties of things a model tells from words alone; exit with 1 if no model can be asked."""
    from vlcheck.explain.words.knowledge import ALPHA  # slow to import

    if to:
        demand_place(to, TO, "words file", is_ours=is_words_file)
    found: list[WordsRecord] = []
    for spec in models:
        try:
            model = load_model(spec, device=device, dtype=dtype, trust_remote_code=trusted)
        except UsageError as error:
            raise error.renamed("model", "models") from error
        record = _asked(model)
        if record is None:
            continue
        found.append(record)
        for line in words_lines(record):
            say(line)
        if to:
            write_file(to, words_json(found, ALPHA))  # kept if a later model cannot be loaded
    if to and found:
        say(f"words: {to}")
    if not found:
        sys.exit(1)


def _asked(model: VisionLanguageModel) -> WordsRecord | None:
    """Return what a model tells from words alone; if it cannot be asked, say why, and return None."""
    from vlcheck.explain.words.knowledge import ask_words  # slow to import

    try:
        with contained():  # a model of a user's own
            return ask_words(model).record
    except NotApplicable as error:
        say(str(error))
    except ForeignFault as error:
        say(f"{model.name} raised {error}")
    return None
