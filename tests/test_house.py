"""The table of floors in CONTRIBUTING.md: each module is in one room, and rooms import from lower floors alone."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

from benchmarks.rooms import HOUSE, MODULES, ROOT, floors, imports, room_of

MOST_FLOORS = 12


def inner_imports(module):
    """Return the imports that a module makes of vlcheck."""
    return [one for one in imports(module) if one.package == "vlcheck"]


def test_every_module_is_in_a_room_and_the_table_names_no_other():
    assert {*map(room_of, MODULES)} == floors().keys()
    assert sorted(set(floors().values())) == list(range(1, MOST_FLOORS + 1))


def test_nothing_lies_loose_beside_the_rooms():
    loose = {path.name for path in HOUSE.glob("*.py")}
    assert loose <= {"__init__.py", "__main__.py", "errors.py", "_moved.py"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_come_from_lower_floors(module):
    own, path = room_of(module), MODULES[module].relative_to(ROOT)
    others = [one for one in inner_imports(module) if room_of(one.module) != own]
    high = [one for one in others if floors()[room_of(one.module)] >= floors()[own]]
    assert [f"{path}:{one.line}: {one.module}" for one in high] == []


def test_imports_lead_in_no_circle():
    """Those of types alone may: no run makes them. TopologicalSorter raises CycleError, with the circle."""
    graph = {module: {one.module for one in inner_imports(module) if not one.for_types} for module in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == MODULES.keys()


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if name.split(".")[1:2] not in (["plugin"], ["cli"]))
)
def test_pytest_is_known_in_its_room_alone(module):
    """The command line may reach the room: what a run would go by stands in pytest's ini file."""
    names = [one.module for one in imports(module) if one.package in ("pytest", "vlcheck")]
    assert [name for name in names if name.startswith(("pytest", "vlcheck.plugin"))] == []


def homes(kind):
    """Return the public classes or functions of modules, with the modules that define each."""
    found = defaultdict(list)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, kind) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def test_no_class_name_has_two_meanings():
    """Each public class of vlcheck has a name of its own."""
    assert {name: modules for name, modules in homes(ast.ClassDef).items() if len(modules) > 1} == {}


def test_no_function_name_has_two_meanings():
    """Each public function has a name of its own, but for those that are the same thing in several places.

    A command of the command line is named like the function that it calls, and so is one of the Python API; each
    family of original code has the same functions for the same things.
    """
    commands = {"card", "check_model", "compare", "list_models", "parity", "train"}
    parallel = ("vlcheck.models.original.", "vlcheck.cli.")
    found = {
        name: [one for one in modules if not one.startswith(parallel[: 1 + (name in commands)])]
        for name, modules in homes(ast.FunctionDef).items()
    }
    assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}
