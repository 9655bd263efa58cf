"""What is replaced is replaced whole, and together with what belongs to it."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vlcheck.drafts import replace_all, replacing


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_draft_takes_the_files_place_and_is_gone(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with replacing(tmp_path / "file") as draft:
        draft.write_bytes(b"new")
        assert (tmp_path / "file").read_bytes() == b"old"
    assert contents(tmp_path) == {"file": b"new"}


@pytest.mark.parametrize("raised", [OSError, KeyboardInterrupt])
def test_what_is_broken_off_changes_nothing(tmp_path, raised):
    (tmp_path / "file").write_bytes(b"old")

    def write(draft):
        draft.write_bytes(b"ne")
        raise raised

    with pytest.raises(raised), replacing(tmp_path / "file") as draft:
        write(draft)
    assert contents(tmp_path) == {"file": b"old"}


def test_several_are_put_in_place_in_their_order(tmp_path, monkeypatch):
    placed = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda draft, path: (placed.append(path.name), replace(draft, path)))
    replace_all({tmp_path / name: name.encode() for name in ("c", "a", "b")})
    assert placed == ["c", "a", "b"]
    assert contents(tmp_path) == {"a": b"a", "b": b"b", "c": b"c"}


def test_a_full_disk_leaves_all_of_them_as_they_were_and_is_told_by_the_files_name(tmp_path):
    """The limit of a file's size stands for it: what is written first fits, what comes after it does not."""
    code = (
        "import sys; from pathlib import Path; from vlcheck.drafts import replace_all\n"
        "folder = Path(sys.argv[1])\n"
        "try:\n    replace_all({folder / 'small': b'new', folder / 'large': b'new' * 1000, folder / 'last': b'new'})\n"
        "except OSError as error:\n    print(error.filename)"
    )
    before = {"small": b"old", "large": b"old", "last": b"old"}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert done.stdout == f"{tmp_path}/large\n"
    assert contents(tmp_path) == before


def test_a_folder_in_a_files_place_is_named(tmp_path):
    (tmp_path / "one").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        replace_all({tmp_path / "one": b"new", tmp_path / "other": b"new"})
    assert caught.value.filename == str(tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
