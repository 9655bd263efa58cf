"""Groups of commands: a mistyped name is answered with the nearest one, and a command is imported only when called."""

from __future__ import annotations

import ast
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from vlcheck._util.process_end import despite_threads
from vlcheck.cli.console import plainly, refuse, say
from vlcheck.cli.home import expanded_home
from vlcheck.errors import nearest

PLAIN: Mapping[str, Any] = {  # importing rich would take longer than printing the help
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


class Group(TyperGroup):
    """A group of commands whose help shows each command's whole first sentence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; if there are none and a command is needed, show the help as an error.

        Args:
            ctx: click's context.
            args: the arguments.
        """
        if not (args or self.invoke_without_command or ctx.resilient_parsing):
            refuse(ctx.get_help().splitlines())
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; an unknown name is answered with the nearest one.

        Args:
            ctx: click's context.
            args: the arguments; the first is the command's name.
        """
        name = args[0]
        if not (ctx.resilient_parsing or name.startswith("-") or self.get_command(ctx, name)):
            ctx.fail(f"No such command {name!r}. {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with its whole sentence.

        Args:
            ctx: click's context.
            formatter: click's formatter.
        """
        rows = [(name, command.help or command.get_short_help_str()) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Program(Group):
    """The top-level `vlcheck` command: imports each subcommand when it is called.

    Attributes:
        places: the definition of each command, by name: "module:function", or "module:group" for a group of commands,
            such as "vlcheck.cli.report:report".
    """

    places: Mapping[str, str] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: Deferred(name, place) for name, place in self.places.items()}

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line; end the process even if a model left threads running.

        Args:
            args: positional arguments of click's `main`.
            options: keyword arguments of click's `main`.
        """
        try:
            return self._run(*args, **options)
        except SystemExit as end:
            if not args and options.get("args") is None:  # not called by another program, which passes arguments
                despite_threads(end.code if isinstance(end.code, int) else 1)
            raise

    def _run(self, *args: Any, **options: Any) -> Any:
        """Run the command line; the text of an unexpected error may be foreign, and is made harmless too."""
        try:
            return super().main(*args, **options)
        except Exception:  # noqa: BLE001 - the whole error is shown
            for line in traceback.format_exc().splitlines():
                say(line, error=True)
            sys.exit(1)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse the command line; `~` is the home folder in --option=~/file too, which a shell does not expand.

        Args:
            info_name: the program's name.
            args: the arguments.
            parent: click's parent context.
            extra: further settings of click's context.
        """
        with plainly():
            return super().make_context(info_name, [*map(expanded_home, args)], parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error that it raises on purpose is printed as a plain line."""
        with plainly():
            return super().invoke(ctx)


class Deferred(TyperCommand):
    """A command whose module is imported when it is called; until then its help is read from the source."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(name)
        self._place = place

    def load(self) -> Any:
        """Import the command or the group."""
        return _imported(self._place)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the command, and parse its arguments.

        Args:
            info_name: the command's name.
            args: the arguments.
            parent: click's parent context.
            extra: further settings of click's context.
        """
        return self.load().make_context(info_name, args, parent, **extra)

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the command's whole sentence."""
        return _sentence(self._place)


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    found = getattr(import_module(module), name)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False, **PLAIN)
    alone.command()(found)
    return get_command(alone)


def _sentence(place: str) -> str:
    """Return the docstring of a command's function, or that of a group's module."""
    module, _, name = place.partition(":")
    spec = find_spec(module)
    source = spec.loader.get_source(module) if spec else ""  # type: ignore[union-attr] # a file has a loader
    tree = ast.parse(source or "")
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return ast.get_docstring(functions[0] if functions else tree) or ""
