"""The house of CONTRIBUTING's table: every module stands on one floor, imports point down, and nowhere in a circle."""

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


class Import(NamedTuple):
    line: int
    module: str
    typing_alone: bool


def name_of(path: Path) -> str:
    parts = ["vlcheck", *path.relative_to(HOUSE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in HOUSE.rglob("*.py") if "_suite" not in path.parts}


@cache
def rooms() -> list[tuple[Path, int]]:
    """Each room that the table names, a folder or a file, with its floor."""
    table = FLOORS.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    return [(HOUSE / room, int(floor)) for floor, said in table for room in ROOM.findall(said)]


@cache
def floors(module: str) -> list[int]:
    """The floors of a module, by the rooms that it is in."""
    return [floor for room, floor in rooms() if room in (MODULES[module], *MODULES[module].parents)]


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


def test_every_module_stands_on_one_floor_and_the_table_names_no_other():
    assert {module: found for module in MODULES if len(found := floors(module)) != 1} == {}
    assert [str(room) for room, _ in rooms() if not room.exists()] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module):
    (own,) = floors(module)
    path = MODULES[module].relative_to(ROOT)
    assert [f"{path}:{one.line}: {one.module}" for one in imports(module) if floors(one.module) > [own]] == []


def test_imports_lead_in_no_circle():
    """Those of types alone may: no run makes them. TopologicalSorter raises CycleError, with the circle."""
    graph = {module: {one.module for one in imports(module) if not one.typing_alone} for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == MODULES.keys()
