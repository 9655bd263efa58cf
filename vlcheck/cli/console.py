"""The output and the exit status of the commands: all text is printed here, and made harmless."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, cast

import typer

from vlcheck._util import option_names
from vlcheck._util.files import placing
from vlcheck._util.process_end import Stopped, interrupts
from vlcheck.errors import UsageError, printable

TO = "--to"
USAGE_ERROR = 4  # pytest's exit status for an option that cannot be used
INTERRUPTED = 130  # a shell's exit status after Ctrl-C
# Options of the commands alone, by parameter; all others have the names that pytest's options have.
_OWN: Mapping[str, str] = MappingProxyType(
    {
        name: f"--{name}"
        for name in (
            "augment",
            "base",
            "box",
            "columns",
            "copy",
            "images",
            "instances",
            "jobs",
            "keep",
            "methods",
            "pages",
            "sample",
            "to",
            "words",
        )
    }
    | {"same_model": "--same-model", "same_data": "--same-data"}
    | {"a": "A", "b": "B", "device_b": "--device-b", "dtype_b": "--dtype-b", "batch_size_b": "--batch-size-b"}
    | {"variants": "--variant", "models": "MODELS", "captions": "CAPTIONS", "pictures": "--images"}
)
_LONGEST = 5_000
# The error that typer raises for wrong arguments: click's UsageError, which later versions of typer rename.
_MISTYPED = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def write_file(path: Path, content: bytes, option: str = TO) -> None:
    """Write the file that an option names.

    Args:
        path: the file.
        content: its bytes.
        option: the option.

    Raises:
        UsageError: it cannot be written.
    """
    with placing(path, option) as draft:
        draft.write_bytes(content)


def say(line: str, *, color: str | None = None, error: bool = False) -> None:
    """Print a line.

    Args:
        line: the text; control characters in it are made visible.
        color: a color of typer, or None.
        error: True to print it to stderr.
    """
    typer.secho(printable(line, _LONGEST), fg=color, err=error)


def say_all(text: str, *, color: str | None = None) -> None:
    """Print a document; no line is cut, and tabs stay tabs.

    Args:
        text: the document; other control characters in it are made visible.
        color: a color of typer, or None.
    """
    for line in text.removesuffix("\n").split("\n"):
        typer.secho("\t".join(printable(cell, 10 * len(cell) + 10) for cell in line.split("\t")), fg=color)


def command_option(parameter: str) -> str:
    """Return the option of a parameter, e.g. "--vl-model" of "model" and "--to" of "to"."""
    return _OWN.get(parameter) or option_names.option_of(parameter)


def refuse(lines: Iterable[str]) -> NoReturn:
    """Print lines to stderr, and exit with the status of a usage error."""
    for line in lines:
        say(line, error=True)
    sys.exit(USAGE_ERROR)


@contextmanager
def plainly() -> Iterator[None]:
    """Print a usage error or an interrupt as a plain line, without a traceback, and exit with its status."""
    try:
        with interrupts():
            yield
    except UsageError as error:
        refuse(f"Error: {error.with_options(command_option)}".splitlines())
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
    """Print at Ctrl-C how to continue, and exit.

    Args:
        kept: the checkpoint from which the same command continues.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        how = f"goes on from {kept}" if kept.exists() else "begins again: there is no checkpoint yet"
        say(f"Stopped; the same command {how}.", error=True)
        sys.exit(_status(stop))


def _status(stop: KeyboardInterrupt) -> int:
    return stop.status if isinstance(stop, Stopped) else INTERRUPTED
