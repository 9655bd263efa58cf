from __future__ import annotations

import os
import shutil
import subprocess
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


def test_what_git_ignores_is_not_sent(project):
    (project / ".gitignore").write_text("local_*.py\nparts/\n")
    for name in ("local_keys.py", "local_but_known.py"):
        (project / name).write_text("KEY = 1")
    if not (git := shutil.which("git")):
        pytest.skip("needs git")
    subprocess.run([git, "init", "-q", project], check=True)
    subprocess.run([git, "-C", project, "add", "-f", "local_but_known.py"], check=True)

    assert Code.of(project).files.keys() == {"mine.py", "local_but_known.py"}


def test_no_other_environment_is_sent(project):
    for name in ("conda/conda-meta/history", "conda/lib/a.py", "a/node_modules/b.py", "__pycache__/c.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()

    assert Code.of(project).files.keys() == {"mine.py", "parts/helper.py"}


def test_what_is_no_file_is_left_out_and_not_waited_for(project):
    """An editor's lock is a link to nowhere, and to read a pipe takes forever."""
    (project / ".#mine.py").symlink_to("me@machine.1234")
    (project / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(project / "pipe.py")
    (project / "folder.py").mkdir()

    assert Code.of(project).files.keys() == {"mine.py", "parts/helper.py"}


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("MOST_FILES", "it has more than 1 Python files"),
        ("MOST_BYTES", "its Python files have more than 1 bytes"),
        ("MOST_ENTRIES", "it has more than 1 files and folders"),
    ],
)
def test_a_folder_that_has_too_much_is_not_sent_and_a_node_that_misses_it_says_so(project, monkeypatch, limit, said):
    monkeypatch.setattr(code, limit, 1)

    found = Code.of(project)

    assert (found.files, found.unsent, found.lacking) == ({}, said, "")
    project.rename(project.with_name("elsewhere"))
    assert found.lacking == f"This node does not see the run's folder {project}, whose files were not sent: {said}."
