"""What the commands say, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from vlcheck.drafts import placing
from vlcheck.endings import Stopped, interrupts
from vlcheck.errors import UsageError

TO = "--to"
USAGE_ERROR = 4  # as pytest ends where an option cannot be used
INTERRUPTED = 130  # as a shell has it of Ctrl-C


def write(path: Path, content: bytes) -> None:
    """Write the file that --to names. Raises UsageError."""
    with placing(path, TO) as draft:
        draft.write_bytes(content)


def say(line: str) -> None:
    """Write a line."""
    typer.echo(line)


@contextmanager
def plainly() -> Iterator[None]:
    """End with the usage error's own words, or with one of Ctrl-C or a signal, in place of the way it came."""
    try:
        with interrupts():
            yield
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt as stop:
        typer.echo("Stopped.", err=True)
        sys.exit(_status(stop))


@contextmanager
def stoppable(kept: Path) -> Iterator[None]:
    """End at Ctrl-C with a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        how = f"goes on from {kept}" if kept.exists() else "begins again: there is no checkpoint yet"
        typer.echo(f"Stopped; the same command {how}.", err=True)
        sys.exit(_status(stop))


def _status(stop: KeyboardInterrupt) -> int:
    return stop.status if isinstance(stop, Stopped) else INTERRUPTED
