"""The wheel carries the suite, so that whoever only installs vlcheck has it."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from vlcheck.zoo import PLANTED

ROOT = Path(__file__).parents[1]


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


def test_the_wheel_carries_what_the_reviewer_page_is_drawn_with(wheel):
    start = "vlcheck/report/templates/"
    there = {name.removeprefix(start) for name in wheel.namelist() if name.startswith(start)}
    assert there == {"page.html", "parts.html", "page.css", "page.js"}


def test_every_floor_is_a_version_that_is_run():
    """A floor stands with as many figures as tell it: numpy>=2.0 is 2.0.0."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = dict(floor.split(">=") for floor in project["dependencies"])
    pinned = dict(line.split("==") for line in (ROOT / ".ci" / "lowest.txt").read_text().splitlines() if "==" in line)
    assert pinned == {name: ".".join([*floor.split("."), "0", "0"][:3]) for name, floor in floors.items()}


def test_nothing_of_the_checkout_clashes_at_the_top(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert top == {"vlcheck", "vlcheck-0.1.0.dist-info"}


def test_a_suite_unpacked_from_the_wheel_finds_its_data_and_runs(wheel, tmp_path, coco_root):
    wheel.extractall(tmp_path)
    # -S leaves out the editable install, so that nothing but the wheel's own files can be found.
    code = f"""
import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({str(Path(pytest.__file__).parents[1])!r})
import pytest, vlcheck
from vlcheck.suite import suite_folder
assert vlcheck.__file__.startswith({str(tmp_path)!r})
arguments = ["--vl-plan", "--vl-data=coco:{coco_root}:20", "-p", "no:cacheprovider"]
sys.exit(pytest.main([str(suite_folder() / "behavior_tests"), *arguments]))
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "pictures to encode" in done.stdout, done.stdout + done.stderr
