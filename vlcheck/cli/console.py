"""What the commands say, and how they end: all that is printed passes here, and steers neither terminal nor runner."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, cast

import typer

from vlcheck._util.files import placing
from vlcheck._util.option_names import option_of
from vlcheck._util.process_end import Stopped, interrupts
from vlcheck.errors import UsageError, printable

TO = "--to"
USAGE_ERROR = 4  # as pytest ends where an option cannot be used
INTERRUPTED = 130  # as a shell has it of Ctrl-C
_LONGEST = 5_000
# What typer raises of arguments: click's UsageError, which later versions of typer have under another name.
_MISTYPED = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def write(path: Path, content: bytes) -> None:
    """Write the file that --to names. Raises UsageError."""
    with placing(path, TO) as draft:
        draft.write_bytes(content)


def say(line: str, *, color: str | None = None, error: bool = False) -> None:
    """Write a line."""
    typer.secho(printable(line, _LONGEST), fg=color, err=error)


def say_all(text: str, *, color: str | None = None) -> None:
    """Write a document; no line of it is cut, and its tabs stay tabs."""
    for line in text.removesuffix("\n").split("\n"):
        typer.secho("\t".join(printable(cell, 10 * len(cell) + 10) for cell in line.split("\t")), fg=color)


def refuse(lines: Iterable[str]) -> NoReturn:
    """End as a usage error does, and say why."""
    for line in lines:
        say(line, error=True)
    sys.exit(USAGE_ERROR)


@contextmanager
def plainly() -> Iterator[None]:
    """End with the usage error's own words, or with one of Ctrl-C or a signal, in place of the way it came."""
    try:
        with interrupts():
            yield
    except UsageError as error:
        refuse(f"Error: {error.with_options(option_of)}".splitlines())
    except _MISTYPED as error:
        refuse([f"Error: {error.format_message()}", *_hint(error)])
    except KeyboardInterrupt as stop:
        say("Stopped.", error=True)
        sys.exit(_status(stop))


def _hint(error: typer.BadParameter) -> Iterator[str]:
    if error.ctx:
        yield f"{error.ctx.command_path} --help says what is accepted."


@contextmanager
def stoppable(kept: Path) -> Iterator[None]:
    """End at Ctrl-C with a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        how = f"goes on from {kept}" if kept.exists() else "begins again: there is no checkpoint yet"
        say(f"Stopped; the same command {how}.", error=True)
        sys.exit(_status(stop))


def _status(stop: KeyboardInterrupt) -> int:
    return stop.status if isinstance(stop, Stopped) else INTERRUPTED
