"""Names of an earlier release: some work for one more, the others say where they are now; vlcheck itself uses none."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
from pkgutil import resolve_name

import pytest

import vlcheck
from benchmarks.rooms import MODULES
from tests.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck._moved import KEPT, MOVED

SUITE = ROOT / "tests" / "data" / "suite-of-0.1"
OURS = [
    path
    for folder in ("vlcheck", "behavior_tests", "fixtures", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if not path.is_relative_to(SUITE)
]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
# What main's suite, README, docs, CONTRIBUTING and installed entry points import, and is elsewhere now.
PROMISED = {
    "vlcheck.plugin.behavior",
    "vlcheck.tables",
    "vlcheck.judge",
    "vlcheck.policy.Policy",
    "vlcheck.suite.BIASES",
    "vlcheck.cases.open_source",
    "vlcheck.models.load_model",
    "vlcheck.models.hosted",
    "vlcheck.models.pretrained",
    "vlcheck.models.albef",
    "vlcheck.zoo.shelf",
}
# What README, docs, CONTRIBUTING and suite of 0.1 imported, as module:name; other names inside modules were private.
NAMES_OF_0_1 = (ROOT / "tests" / "data" / "names-of-0.1.txt").read_text(encoding="utf-8").split()
MODULES_OF_0_1 = (ROOT / "tests" / "data" / "modules-of-0.1.txt").read_text(encoding="utf-8").split()
STILL_THERE = [
    "vlcheck.plugin.fixture:under_test",
    "vlcheck.zoo:PLANTED",
    "vlcheck.models.contract:examine",
    "vlcheck.models.protocol:KINDS",
]


def imported(old):
    """Import an old path as a user does: a module, or a name from its module."""
    if ":" not in {**KEPT, **MOVED}[old]:
        return importlib.import_module(old)
    module, _, name = old.rpartition(".")
    return getattr(importlib.import_module(module), name)


def statements(node):
    """The statements inside a node; expressions, of which there are many more, hold no import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from statements(child)


def names_in(code):
    """What a text imports, each as a dotted path."""
    for node in statements(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("old", sorted(KEPT))
def test_a_kept_path_gives_the_same_object_and_a_warning(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"^{re.escape(old)} is vlcheck.* now; its old name goes") as told:
        found = imported(old)
    assert found is resolve_name(KEPT[old])
    assert told[0].filename == (importlib.__file__ if ":" not in KEPT[old] else __file__)


@pytest.mark.parametrize("old", sorted(MOVED))
def test_any_other_path_names_the_new_one(old):
    resolve_name(MOVED[old])
    gone = old.rpartition(".")[0] if old.rpartition(".")[0] in MOVED else old
    new = MOVED[gone].replace(":", ".")
    with pytest.raises(ImportError, match=rf"^{re.escape(gone)} has moved to {re.escape(new)}\b"):
        imported(old)


def test_a_module_whose_names_parted_says_where_they_are():
    with pytest.raises(ImportError, match=r"vlcheck\.stats\.verdict; some of its names are in .*vlcheck\.stats\.power"):
        importlib.import_module("vlcheck.verdict")


def test_no_module_of_an_earlier_release_is_unknown():
    gone = {*MODULES_OF_0_1} - MODULES.keys()
    assert len(gone) == 177
    assert gone - {*KEPT, *MOVED} == set()


def test_what_was_promised_is_kept():
    assert KEPT.keys() >= PROMISED
    assert all(resolve_name(path) for path in STILL_THERE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", NAMES_OF_0_1)
def test_a_name_that_pages_and_suite_imported_works(name):
    assert resolve_name(name) is not None


@pytest.mark.parametrize("name", ["vlcheck.nothing", "vlcheck.models.nothing"])
def test_a_module_that_never_was_is_not_found(name):
    with pytest.raises(ModuleNotFoundError, match=f"^No module named '{name}'$"):
        importlib.import_module(name)


def old_paths_in(code):
    """The old paths that a text imports; `vlcheck.behavior` is a public name, and was a module."""
    return {*names_in(code)} & {*KEPT, *MOVED} - {f"vlcheck.{name}" for name in vlcheck.__all__}


def test_our_own_code_imports_no_old_path():
    found = {str(path): old_paths_in(path.read_text(encoding="utf-8")) for path in OURS}
    assert {path: old for path, old in found.items() if old} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_pages_import_no_old_path(page):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [old for block in blocks for old in old_paths_in(block)] == []


def run(folder, *arguments):
    about = ["--vl-model", "tiny", "--vl-data", "scenes:50"]
    command = [warm_python().command, "-m", "pytest", "behavior_tests", *about, *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_a_suite_that_init_wrote_before_runs_unchanged(tmp_path):
    """It says what to import instead; what it asks and finds is as before."""
    suite = shutil.copytree(SUITE, tmp_path / "mine")
    done = run(suite, "-k", "grayscale_preserves_objects or mirror_swaps_sides")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert "DeprecationWarning: vlcheck.plugin.behavior is vlcheck.behavior now" in done.stdout


def test_a_suite_of_today_warns_of_nothing(tmp_path):
    """Where a user makes errors of warnings, none comes of an import of ours."""
    for name in ("behavior_tests", "fixtures"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "conftest.py", tmp_path)
    done = run(tmp_path, "-k", "grayscale_preserves_objects", "-W", "error::DeprecationWarning")
    assert done.returncode == 0, done.stdout + done.stderr
