"""Exceptions of every room, and the formatting of foreign text in messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from functools import reduce
from types import UnionType

LONGEST = 2_000  # characters of a line of a message
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji of families need them
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # have no width or no ink, and Python prints them
# Commands that CI runners obey in printed output: GitHub's ::error::, its older ##[error], Azure's ##vso[, ##teamcity[.
_COMMAND = re.compile(r"(?<!\S):{2,}(?=[^\s:])|##(?=[\w.-]*\[)")


# A parameter in a message, in characters of private use: the layer that shows the message names it its own way.
_PARAMETER = re.compile("\ue000([a-z_]+)(=?)\ue001")


def parameter(name: str) -> str:
    """Name a parameter of the Python API in a message: `store`, or `--vl-store` on the command line."""
    return f"\ue000{name}\ue001"


def argument(name: str, value: object) -> str:
    """Name a parameter with its value in a message: `store=a.sqlite`, or `--vl-store a.sqlite` on the command line.

    Args:
        name: the parameter's name in Python.
        value: the given value.
    """
    return f"\ue000{name}=\ue001{value}"


def spelled(text: str, option: Callable[[str], str] | None = None) -> str:
    """Return a text as its reader knows its parameters.

    Args:
        text: a message that contains results of `parameter` and `argument`.
        option: gives the option of a parameter; None where the reader writes Python.
    """
    if option is None:
        return _PARAMETER.sub(r"\1\2", text)
    return _PARAMETER.sub(lambda found: f"{option(found[1])}{' ' if found[2] else ''}", text)


class UsageError(Exception):
    """An error in the user's input; the message names the parameter, file or line, and the accepted input.

    Messages quote foreign text, so control characters are escaped here, once for every place that shows them.

    Args:
        *lines: the lines of the message. A line that is too long loses its middle, since its end names the accepted
            input.

    Example:
        >>> import vlcheck
        >>> try:
        ...     vlcheck.load_model("tinny")
        ... except UsageError as error:
        ...     print(str(error).partition(".")[0])
        model='tinny': no such model
    """

    def __init__(self, *lines: object) -> None:
        super().__init__(*(_harmless_beside_parameters(_without_middle(str(line))) for line in lines))

    def __str__(self) -> str:
        return spelled(self.marked)

    @property
    def marked(self) -> str:
        """The message for another one to quote: its parameters can still be named as options."""
        return "\n".join(self.args)

    def renamed(self, old: str, new: str) -> UsageError:
        """Return the error with another name for a parameter, e.g. for a second model that is loaded as the first is.

        Args:
            old: the parameter that the message names.
            new: its name in the returned error.
        """
        names = ((parameter(old), parameter(new)), (argument(old, ""), argument(new, "")))
        return UsageError(*(reduce(lambda text, pair: text.replace(*pair), names, line) for line in self.args))

    def with_options(self, option: Callable[[str], str]) -> str:
        """Return the message with each parameter named by its option."""
        return spelled(self.marked, option)


def marked(error: Exception) -> str:
    """Return the message of an error for another one to quote."""
    return error.marked if isinstance(error, UsageError) else str(error)


def demand_type(name: str, value: object, kinds: type | UnionType, accepted: str) -> None:
    """Raise UsageError unless the value of a parameter has an accepted type.

    Args:
        name: the parameter's name in Python.
        value: the value that it was given.
        kinds: the accepted types.
        accepted: the accepted values, in words.
    """
    if not isinstance(value, kinds):
        raise UsageError(f"{argument(name, repr(value))}: has to be {accepted}.")


class NotApplicable(Exception):
    """A question that makes no sense for a case; the message is the reason under which it is counted.

    Example:
        >>> import vlcheck
        >>> try:
        ...     vlcheck.perturb.opposite("red")
        ... except NotApplicable as reason:
        ...     print(reason)
        'red' has no opposite
    """


class ForeignFault(Exception):
    """An exception raised by code that is not vlcheck's: a model, a perturbation, a selection or an expectation."""


def printable(text: str, most: int = 300) -> str:
    """Return foreign text as one line that is safe to print on a terminal, in a log and in CI.

    Control and invisible characters are escaped, commands to CI runners are broken by a space, and long text is cut.

    Args:
        text: the text.
        most: the largest number of characters.
    """
    shown = _harmless(text[: most + 1])  # escaping makes nothing shorter, so the rest would be cut anyway
    return shown if len(shown) <= most else f"{shown[: most - 4]} ..."


def _harmless_beside_parameters(text: str) -> str:
    pieces = re.split(f"({_PARAMETER.pattern.replace('(', '(?:')})", text)  # every other one is a parameter
    return "".join(piece if at % 2 else _harmless(piece) for at, piece in enumerate(pieces))


def _harmless(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = "".join(_escaped(text, at) for at in range(len(text)))
    return _COMMAND.sub(lambda found: " ".join(found[0]) if found[0][0] == ":" else f"{found[0]} ", text)


def _escaped(text: str, at: int) -> str:
    """Return a character of a text, or its escape; joiners between letters that are not ASCII stay."""
    one = text[at]
    joins = one in _JOINERS and not text[max(at - 1, 0)].isascii() and not text[at + 1 : at + 2].isascii()
    visible = one.isprintable() and one not in BLANKS
    return one if visible or (joins and at) else one.encode("unicode_escape").decode()


def _without_middle(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to a name, if need be without regard to case.

    Args:
        name: the name that was given.
        known: the known names.

    Returns:
        The name, or None if none is similar.
    """
    names = sorted(known)
    if meant := difflib.get_close_matches(name, names, n=1):
        return meant[0]
    folded = {one.casefold(): one for one in reversed(names)}
    return next((folded[one] for one in difflib.get_close_matches(name.casefold(), sorted(folded), n=1)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the known name that was meant, or lists them all.

    Args:
        name: the name that was given.
        known: the known names.

    Returns:
        A sentence to end an error message with.

    Example:
        >>> nearest("colour", ["color", "position"])
        "Did you mean 'color'?"
    """
    names = sorted(known)
    if meant := closest(name, names):
        return f"Did you mean {meant!r}?"
    return f"Known: {', '.join(names)}."
