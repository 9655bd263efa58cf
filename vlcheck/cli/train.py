"""The command `vlcheck train`: trains a variant of the embedded model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vlcheck.cli.console import say, stoppable
from vlcheck.errors import UsageError, nearest
from vlcheck.zoo.recipe import TRAINABLE, Recipe, checkpoint

if TYPE_CHECKING:
    from vlcheck.zoo.initial_weights import Base
    from vlcheck.zoo.training import Losses


def train(
    recipe: Annotated[str, typer.Argument(help=f"the model to train: {', '.join(TRAINABLE)}")],
    to: Annotated[Path, typer.Option(help="the folder for checkpoint and weights; a checkpoint in it is continued")],
    steps: Annotated[int | None, typer.Option(min=1, help="stop after so many steps, for a trial")] = None,
    base: Annotated[Path | None, typer.Option(help="weights to begin with, in place of the shipped ones")] = None,
    examined: Annotated[int, typer.Option(min=1, help="number of held-out scenes for the final test")] = 10_000,
) -> None:
    """Train an embedded model, with or without a planted bias; an interrupted training goes on where it stopped."""
    if recipe not in TRAINABLE:
        raise UsageError(f"recipe {recipe!r}: there is none. {nearest(recipe, TRAINABLE)}")
    with stoppable(checkpoint(to, TRAINABLE[recipe])):
        _train(TRAINABLE[recipe], to, steps, base, examined)


def _train(recipe: Recipe, to: Path, steps: int | None, base: Path | None, examined: int) -> None:
    from vlcheck.zoo import (
        export,  # slow to import
        training,  # slow to import
        validation,  # slow to import
    )

    begun = _base(recipe, to, base)
    trained = training.train(recipe, to, base=begun, steps=steps, tell=_Diary(recipe.last(steps), say))
    network = trained.network.half().float()  # rounded as the file's weights are
    right = validation.validate(network, validation.held_out(recipe, examined))
    for kind, share in right.items():
        say(f"{kind:30} {100 * share.right:6.2f} % right of {share.n} held out")
    if len(trained.losses) < recipe.steps:
        say(f"stopped on the way, at {checkpoint(to, recipe)}")
    else:
        say(f"weights: {export.write_model(to, recipe, network, trained.losses, right, begun)}")


def _base(recipe: Recipe, to: Path, own: Path | None) -> Base | None:
    """Return the weights to begin with: the user's, else the shipped ones, else None."""
    from vlcheck.zoo.initial_weights import read_base
    from vlcheck.zoo.pretrained import weights_of

    if own and own.resolve() == (to / f"{recipe.name}.safetensors").resolve():
        raise UsageError(f"--base {own}: is what would be written; name another folder with --to, or a copy of it.")
    if own:
        return read_base(own)
    return read_base(weights_of(recipe.base), recipe.base) if recipe.base else None


class _Diary:
    """Prints the losses and the remaining time at every hundredth step."""

    def __init__(self, last: int, say: Callable[[str], None]) -> None:
        self._last, self._say = last, say
        self._since: tuple[float, int] | None = None

    def __call__(self, losses: Losses) -> None:
        began, first = self._since = self._since or (time.monotonic(), losses.step)
        if losses.step % 100 == 0 and losses.step > first:
            each = (time.monotonic() - began) / (losses.step - first)
            left = each * (self._last - losses.step) / 60
            self._say(
                f"step {losses.step} of {self._last}: mlm {losses.mlm:.3f}, itm {losses.itm:.3f};"
                f" {each:.2f} s a step, about {left:.0f} minutes left"
            )
