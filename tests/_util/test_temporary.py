"""Temporary folders: gone at the end, and swept where a kill left them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vlcheck._util.temporary import Scratch, sweep
from vlcheck.errors import UsageError

HOLDS = """
from vlcheck._util.temporary import Scratch
import time
scratch = Scratch()
folder = scratch.path
(folder / "thumbnails").mkdir()
(folder / "thumbnails" / "private.jpg").touch()
print(folder, flush=True)
time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An empty folder in the place of the one for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture
def killed(temporary):
    """A folder whose process was killed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=environment) as process:
        folder = Path(process.stdout.readline().strip())
        sweep(temporary)
        assert (folder / "thumbnails" / "private.jpg").exists()  # it lives
        process.kill()
    return folder


def test_a_folder_is_gone_at_the_end(temporary):
    with Scratch() as folder:
        (folder / "scores").touch()
        with Scratch():
            assert (folder / "scores").exists()
    assert [*temporary.iterdir()] == []


def test_what_a_kill_left_is_swept_by_the_next(temporary, killed):
    with Scratch() as folder:
        assert [*temporary.iterdir()] == [folder]


def test_what_has_to_stay_is_not_swept(temporary):
    scratch = Scratch()
    (scratch.path / "main.part.jsonl").touch()
    scratch.keep()
    sweep(temporary)
    assert (scratch.path / "main.part.jsonl").exists()


def test_nothing_but_ours_is_swept(temporary, killed, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    killed.rename(elsewhere)
    (temporary / "vlcheck-link").symlink_to(elsewhere)
    (temporary / "vlcheck-file").write_text("a file")
    unmarked = temporary / "vlcheck-of-an-older-version"
    unmarked.mkdir()
    (unmarked / "scores.sqlite").touch()
    sweep(temporary)
    assert (elsewhere / "thumbnails" / "private.jpg").exists()
    assert len([*temporary.iterdir()]) == 3


def test_links_in_a_folder_are_not_followed(temporary, killed, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (killed / "link").symlink_to(tmp_path / "mine")
    (killed / "thumbnails" / "link").symlink_to(tmp_path / "mine" / "file")
    sweep(temporary)
    assert [*temporary.iterdir()] == []
    assert (tmp_path / "mine" / "file").exists()


def test_what_another_host_holds_is_not_swept(temporary, killed):
    (killed / "owner").write_text("another-host\na-boot-of-its-own")
    sweep(temporary)
    assert killed.exists()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder to another user")
def test_what_is_another_users_is_not_swept(temporary, killed):
    os.chown(killed, 65534, 65534)
    sweep(temporary)
    assert killed.exists()


def test_no_room_for_a_folder_names_the_variable_that_moves_it(temporary, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "gone"))
    with pytest.raises(UsageError, match=r"^TMPDIR .*: no temporary folder can be made there \(No such file"):
        Scratch()
