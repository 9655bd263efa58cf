"""What the commands say, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from vlcheck.drafts import replace_all
from vlcheck.errors import UsageError

USAGE_ERROR = 4  # as pytest ends where an option cannot be used
INTERRUPTED = 130  # as a shell has it of Ctrl-C


def demand_new(to: Path | None) -> None:
    """Raise UsageError where the file that --to names is there already, or has no folder."""
    if to and to.exists():
        raise UsageError(f"--to {to}: is there already; name a file that is not.")
    demand_folder(to)


def demand_folder(to: Path | None) -> None:
    """Raise UsageError where the file that --to names has no folder."""
    if to and not to.parent.is_dir():
        raise UsageError(f"--to {to}: there is no folder {to.parent}.")


def write(path: Path, text: str) -> None:
    """Write a file that --to names. Raises UsageError."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """As `write`, what is no text."""
    try:
        replace_all({path: content})
    except OSError as error:
        raise UsageError(f"--to {path}: cannot be written ({error.strerror}).") from error


def say(line: str) -> None:
    """Write a line."""
    typer.echo(line)


@contextmanager
def plainly() -> Iterator[None]:
    """End with the usage error's own words, or with one of Ctrl-C, in place of the way it came."""
    try:
        yield
    except UsageError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def stoppable(kept: Path) -> Iterator[None]:
    """End at Ctrl-C with a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        how = f"goes on from {kept}" if kept.exists() else "begins again: there is no checkpoint yet"
        typer.echo(f"Stopped; the same command {how}.", err=True)
        sys.exit(INTERRUPTED)
