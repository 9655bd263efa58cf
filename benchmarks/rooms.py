"""The rooms of `vlcheck/`: on which floors they are, and what their modules import.

A room is a package or a module that the table of floors in CONTRIBUTING.md names; its modules are those that are in no
room within it. `tests/test_house.py` holds the table against the code, `benchmarks/house.py` draws both.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "vlcheck"
FLOOR = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
ROOM = re.compile(r"`(?:vlcheck/)?([\w/]+/|\w+\.py)`")

Room = str  # as the table has it: "models/hf" or "errors.py"


class Import(NamedTuple):
    """An import of a module.

    Attributes:
        line: line of the statement.
        module: full name of the imported module; for a name of a module, that module.
        for_types: whether only type checkers see it.
    """

    line: int
    module: str
    for_types: bool

    @property
    def package(self) -> str:
        """The name of the top-level package."""
        return self.module.partition(".")[0]


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in sorted(HOUSE.rglob("*.py"))}


@cache
def floors() -> dict[Room, int]:
    """Return the floor of each room, the lowest being 1, in the order of the table."""
    table = FLOOR.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return {room.rstrip("/"): int(floor) for floor, named in table for room in ROOM.findall(named)}


@cache
def room_of(module: str) -> Room:
    """Return the innermost room that holds a module. Raises StopIteration if there is none."""
    if module == "vlcheck.__main__":
        return "cli"  # `python -m vlcheck` starts it
    inside = MODULES[module].relative_to(HOUSE)
    return next(name for place in (inside, *inside.parents) if (name := place.as_posix()) in floors())


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Return all imports of a module, those within functions as well."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    guarded = {id(inner) for guard in guards for statement in guard.body for inner in ast.walk(statement)}
    return tuple(
        Import(node.lineno, name, id(node) in guarded)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _imported(node)
    )


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    if node.level:
        raise ValueError(f"line {node.lineno}: a relative import, which is not followed")
    for alias in node.names:
        submodule = f"{node.module}.{alias.name}"
        yield submodule if submodule in MODULES else str(node.module)
