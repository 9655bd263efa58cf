"""What a user can get wrong, what does not apply, and what foreign code raises: exceptions of every floor."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable

LONGEST = 2_000  # of a line of a message
_JOINERS = "\u200c\u200d"  # without which Persian, Hindi and families of emoji fall apart
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # have no width or no ink, and Python prints them
# What CI's runners obey in what a step prints: GitHub's ::error::, its older ##[error], Azure's ##vso[, ##teamcity[.
_COMMAND = re.compile(r"(?<!\S):{2,}(?=[^\s:])|##(?=[\w.-]*\[)")


# A parameter in a message, in characters of private use: the layer that shows the message names it its own way.
_PARAMETER = re.compile("\ue000([a-z_]+)(=?)\ue001")


def parameter(name: str) -> str:
    """Name a parameter of the Python API in a message: `store`, or `--vl-store` on the command line."""
    return f"\ue000{name}\ue001"


def argument(name: str, value: object) -> str:
    """Name a parameter with its value in a message: `store=a.sqlite`, or `--vl-store a.sqlite` on the command line."""
    return f"\ue000{name}=\ue001{value}"


def spelled(text: str, option: Callable[[str], str] | None = None) -> str:
    """Return a text as its reader knows its parameters.

    Args:
        text: with what `parameter` and `argument` return.
        option: gives the option of a parameter; None where the reader writes Python.
    """
    if option is None:
        return _PARAMETER.sub(r"\1\2", text)
    return _PARAMETER.sub(lambda found: f"{option(found[1])}{' ' if found[2] else ''}", text)


class UsageError(Exception):
    """Input that vlcheck cannot work with; the message names the parameter, file or line, and what would be accepted.

    Most of what it names is foreign, and all that catches it shows it: it is harmless from the start.

    Args:
        lines: of the message. One too long loses its middle: the end says what would be accepted.
    """

    def __init__(self, *lines: object) -> None:
        super().__init__(*(_harmless_beside_parameters(_without_middle(str(line))) for line in lines))

    def __str__(self) -> str:
        return spelled(self.marked)

    @property
    def marked(self) -> str:
        """The message for another one to quote: its parameters can still be named as options."""
        return "\n".join(self.args)

    def with_options(self, option: Callable[[str], str]) -> str:
        """Return the message with each parameter named by its option."""
        return spelled(self.marked, option)


def marked(error: Exception) -> str:
    """Return the message of an error for another one to quote."""
    return error.marked if isinstance(error, UsageError) else str(error)


class NotApplicable(Exception):
    """A question that makes no sense for a case; the message is the reason under which it is counted."""


class ForeignFault(Exception):
    """An exception of code that is not vlcheck's: a model, a perturbation, a selection or an expectation."""


def printable(text: str, most: int = 300) -> str:
    """Return foreign text as one line that a terminal, a log and a CI's runner can be shown.

    Control and invisible characters are escaped, runners' commands have a space in them, what is long is cut.
    """
    shown = _harmless(text[: most + 1])  # escaping makes nothing shorter: what is cut need not be looked at
    return shown if len(shown) <= most else f"{shown[: most - 4]} ..."


def _harmless_beside_parameters(text: str) -> str:
    pieces = re.split(f"({_PARAMETER.pattern.replace('(', '(?:')})", text)  # every other one is a parameter
    return "".join(piece if at % 2 else _harmless(piece) for at, piece in enumerate(pieces))


def _harmless(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = "".join(_escaped(text, at) for at in range(len(text)))
    return _COMMAND.sub(lambda found: " ".join(found[0]) if found[0][0] == ":" else f"{found[0]} ", text)


def _escaped(text: str, at: int) -> str:
    """A character of a text, or its escape; joiners join letters that ASCII has not."""
    one = text[at]
    joins = one in _JOINERS and not text[max(at - 1, 0)].isascii() and not text[at + 1 : at + 2].isascii()
    visible = one.isprintable() and one not in BLANKS
    return one if visible or (joins and at) else one.encode("unicode_escape").decode()


def _without_middle(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like another, else the one that is but for its case; None where none is."""
    names = sorted(known)
    if meant := difflib.get_close_matches(name, names, n=1):
        return meant[0]
    folded = {one.casefold(): one for one in reversed(names)}
    return next((folded[one] for one in difflib.get_close_matches(name.casefold(), sorted(folded), n=1)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, or list them all.

    Args:
        name: what was asked for.
        known: what there is.

    Returns:
        A sentence to end an error message with.
    """
    names = sorted(known)
    if meant := closest(name, names):
        return f"Did you mean {meant!r}?"
    return f"Known: {', '.join(names)}."
