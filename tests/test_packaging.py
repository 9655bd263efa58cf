"""The wheel carries the suite, so that whoever only installs vlcheck has it."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from vlcheck import __version__
from vlcheck.zoo import PLANTED


@pytest.fixture
def wheel(wheel_path):
    with zipfile.ZipFile(wheel_path) as file:
        yield file


def test_the_wheel_carries_the_suite_and_its_data(wheel):
    suite = {name.removeprefix("vlcheck/_suite/") for name in wheel.namelist() if name.startswith("vlcheck/_suite/")}
    wanted = [
        path for folder in ("behavior_tests", "fixtures") for path in (ROOT / folder).rglob("*") if path.is_file()
    ]
    wanted = {str(path.relative_to(ROOT)) for path in wanted if "__pycache__" not in path.parts}
    assert suite == wanted | {"conftest.py"}
    assert {"behavior_tests/test_color.py", "fixtures/policy.toml", "fixtures/lexicons/colors.toml"} <= suite


def test_the_wheel_carries_the_zoo(wheel):
    there = {name.removeprefix("vlcheck/zoo/weights/") for name in wheel.namelist() if "/weights/" in name}
    files = {"SHA256SUMS", "vocab.txt", "config.json", "config_bert.json"}
    each = {f"{name}{suffix}" for name in PLANTED for suffix in (".safetensors", ".md", ".losses.csv")}
    assert there == files | each


def test_the_wheel_carries_what_pages_are_drawn_with(wheel):
    start = "vlcheck/report/templates/"
    there = {name.removeprefix(start) for name in wheel.namelist() if name.startswith(start)}
    assert there == {path.name for path in (ROOT / start).iterdir()} > {"page.html", "page.css", "page.js"}


def test_every_floor_is_a_version_that_is_run():
    """A floor stands with as many figures as tell it: numpy>=2.0 is 2.0.0."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = dict(floor.split(">=") for floor in project["dependencies"])
    pinned = dict(line.split("==") for line in (ROOT / ".ci" / "lowest.txt").read_text().splitlines() if "==" in line)
    assert pinned == {name: ".".join([*floor.split("."), "0", "0"][:3]) for name, floor in floors.items()}


# The first versions without the holes, in what vlcheck does with them, that were known when the floors were set.
MENDED = {
    "filelock": (3, 20, 3),  # CVE-2025-68146, CVE-2026-22701: a lock file that is a link
    "jinja2": (3, 1, 6),  # CVE-2025-27516: out of the sandbox
    "pillow": (12, 3),  # CVE-2025-48379, CVE-2026-25990, CVE-2026-40192, CVE-2026-59197 to 59200: decoders
    "protobuf": (6, 33, 5),  # CVE-2025-4565, CVE-2026-0994: recursion without end
    "pytest": (9, 0, 3),  # CVE-2025-71176: temporary folders whose name is known
    "sentencepiece": (0, 2, 1),  # CVE-2026-1260: a model file that writes past its memory
    "torch": (2, 10),  # CVE-2025-32434, CVE-2026-24747: weights that run code
}


def test_floors_are_above_holes_that_are_known():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    floors = {name: tuple(map(int, floor.split("."))) for name, floor in (one.split(">=") for one in asked)}
    assert {name: floor for name, floor in MENDED.items() if floors[name] < floor} == {}


def test_nothing_of_the_checkout_clashes_at_the_top(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert top == {"vlcheck", f"vlcheck-{__version__}.dist-info"}


def test_the_version_stands_in_one_place_and_is_repeated_where_it_has_to_be(wheel):
    """The project's table has none; what names a version for others is held against it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    metadata = wheel.read(f"vlcheck-{__version__}.dist-info/METADATA").decode()
    assert (
        re.search(r"^Version: (.*)$", metadata, re.MULTILINE)[1] == __version__ == importlib.metadata.version("vlcheck")
    )
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == __version__
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0].rstrip(",") == __version__
    named = {
        name
        for path in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.yml")]
        for name in re.findall(r"vlcheck-(\d[\w.]*)-py3", path.read_text(encoding="utf-8"))
    }
    assert named == {__version__}


@pytest.mark.slow
def test_a_suite_unpacked_from_the_wheel_finds_its_data_and_runs(wheel, tmp_path, coco_root):
    wheel.extractall(tmp_path)
    # -S leaves out the editable install, so that nothing but the wheel's own files can be found.
    code = f"""
import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({str(Path(pytest.__file__).parents[1])!r})
import pytest, vlcheck
from vlcheck.suite.shipped import suite_folder
assert vlcheck.__file__.startswith({str(tmp_path)!r})
arguments = ["--vl-plan", "--vl-data=coco:{coco_root}:20", "-p", "no:cacheprovider"]
sys.exit(pytest.main([str(suite_folder() / "behavior_tests"), *arguments]))
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "pictures to encode" in done.stdout, done.stdout + done.stderr


def test_hooks_of_a_commit_are_programs_of_the_lint_group():
    """No hook is fetched from elsewhere: the group says the versions."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    group = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["lint"]
    installed = {requirement.partition(">")[0] for requirement in group}
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in hooks.values()} == {"system"}
    assert installed == {"check-jsonschema", "pre-commit", "pre-commit-hooks", "ruff", "twine", "typos", "zizmor"}
    plain = {"ruff-check", "ruff-format", "typos", "large-files", "private-keys", "end-of-files"}
    assert hooks.keys() == plain | {"workflows", "workflow-schema", "action-schema"}


def test_the_changelog_says_what_was_added_changed_and_fixed():
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:3] == "###"]
    assert headings
    assert set(headings) <= {"### Added", "### Changed", "### Fixed"}
