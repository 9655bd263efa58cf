"""The table of floors in CONTRIBUTING.md: each module is in one room, and rooms import from lower floors alone."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

HOUSE = ROOT / "vlcheck"
FLOORS = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
ROOM = re.compile(r"`(?:vlcheck/)?([\w/]+/|\w+\.py)`")
MOST_FLOORS = 12


class Import(NamedTuple):
    line: int
    module: str
    typing_alone: bool


def name_of(path: Path) -> str:
    parts = ["vlcheck", *path.relative_to(HOUSE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in HOUSE.rglob("*.py") if "_suite" not in path.parts}


@cache
def floors() -> dict[Path, int]:
    """Return the floor of each room that the table names, a folder or a file."""
    table = FLOORS.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return {HOUSE / room: int(floor) for floor, said in table for room in ROOM.findall(said)}


@cache
def room(module: str) -> Path:
    """Return the room of a module: the innermost that the table names. Raises StopIteration where there is none."""
    path = HOUSE / "cli" if module == "vlcheck.__main__" else MODULES[module]  # `python -m vlcheck` starts the room cli
    return next(place for place in (path, *path.parents) if place in floors())


@cache
def imports(module: str) -> tuple[Import, ...]:
    """What a module imports of vlcheck, wherever it does."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    guarded = {id(inner) for guard in guards for statement in guard.body for inner in ast.walk(statement)}
    return tuple(
        Import(node.lineno, name, id(node) in guarded)
        for node in ast.walk(tree)
        for name in imported(node)
        if name.split(".")[0] == "vlcheck"
    )


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "a relative import, which this test does not follow"
        for alias in node.names:
            submodule = f"{node.module}.{alias.name}"
            yield submodule if submodule in MODULES else str(node.module)


def test_every_module_is_in_a_room_and_the_table_names_no_other():
    assert {room(module) for module in MODULES} == floors().keys()
    assert sorted(set(floors().values())) == list(range(1, MOST_FLOORS + 1))


def test_nothing_lies_loose_beside_the_rooms():
    loose = {path.name for path in HOUSE.glob("*.py")}
    assert loose <= {"__init__.py", "__main__.py", "api.py", "errors.py", "_moved.py"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_come_from_lower_floors(module):
    own, path = room(module), MODULES[module].relative_to(ROOT)
    others = [one for one in imports(module) if room(one.module) != own]
    assert [f"{path}:{one.line}: {one.module}" for one in others if floors()[room(one.module)] >= floors()[own]] == []


def test_imports_lead_in_no_circle():
    """Those of types alone may: no run makes them. TopologicalSorter raises CycleError, with the circle."""
    graph = {module: {one.module for one in imports(module) if not one.typing_alone} for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == MODULES.keys()


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if name.split(".")[1:2] not in (["plugin"], ["cli"]))
)
def test_pytest_is_known_in_its_room_alone(module):
    """The command line may reach the room: what a run would go by stands in pytest's ini file."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    names = [name for node in ast.walk(tree) for name in imported(node)]
    assert [name for name in names if name.split(".")[0] == "pytest" or name.startswith("vlcheck.plugin")] == []
