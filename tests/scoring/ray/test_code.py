from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vlcheck.scoring.engines.ray import code
from vlcheck.scoring.engines.ray.code import Code


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go back to the current folder, and to the modules that are importable."""
    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("mine.py", "parts/helper.py", ".hidden/secret.py", "venv/lib/other.py", "data/key.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"NAME = {name!r}")
    (folder / "venv" / "pyvenv.cfg").touch()
    return folder


def test_python_files_are_sent_and_nothing_else(project):
    assert Code.of(project) == Code(
        str(project), {"mine.py": b"NAME = 'mine.py'", "parts/helper.py": b"NAME = 'parts/helper.py'"}
    )


def test_a_node_that_sees_the_folder_uses_it(project, here):
    with Code.of(project).in_place():
        assert Path.cwd() == project
        assert sys.path[0] == str(project)


def test_another_node_gets_the_files_for_as_long_as_it_needs_them(project, here):
    sent = Code.of(project)
    project.rename(project.with_name("elsewhere"))

    with sent.in_place():
        place = Path.cwd()
        assert sys.path[0] == str(place)
        assert (place / "parts" / "helper.py").read_text() == "NAME = 'parts/helper.py'"
    os.chdir("/")

    assert not place.exists()


def test_a_folder_with_too_many_files_is_not_sent(project, monkeypatch):
    monkeypatch.setattr(code, "MOST_FILES", 1)

    assert Code.of(project).files is None
