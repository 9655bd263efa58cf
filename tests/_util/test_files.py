"""What is replaced is replaced whole, and together with what belongs to it; what is not ours is not replaced."""

import errno
import os
import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from vlcheck._util.files import begins, demand_place, demand_room, placing, replace_all, replacing
from vlcheck.errors import UsageError

NOBODY = 65534


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
        "import sys; from pathlib import Path; from vlcheck._util.files import replace_all\n"
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


def complaint(path, **options):
    """Why a report cannot go there, or ""."""
    try:
        demand_place(path, "--to", "report", **options)
    except UsageError as error:
        return str(error)
    return ""


def complaint_without_permission(path):
    if os.getuid() == 0:  # permissions do not bind root
        os.setuid(NOBODY)
    return complaint(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "older").write_text("ours, and more")
    (tmp_path / "empty").touch()
    (tmp_path / "foreign").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name, target in {"to-older": "older", "to-foreign": "foreign", "to-folder": "folder"}.items():
        (tmp_path / name).symlink_to(target)
    for name, target in {"to-come": "folder/new", "to-nowhere": "absent/new", "circle": "circle"}.items():
        (tmp_path / name).symlink_to(target)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("new", ""),
        ("older", ""),
        ("empty", ""),
        ("to-older", ""),
        ("to-come", ""),
        ("foreign", "is there and is no report of vlcheck's; name another path, or delete it"),
        ("to-foreign", "is there and is no report of vlcheck's; name another path, or delete it"),
        ("folder", "is no file that a report could be written to"),
        (".", "is no file that a report could be written to"),
        ("to-folder", "is no file that a report could be written to"),
        ("/dev/null", "is no file that a report could be written to"),
        ("absent/new", "there is no folder absent"),
        ("older/new", "older is no folder"),
        ("/proc/new", "nothing can be written to the folder /proc (No such file or directory)"),
        ("to-nowhere", "there is no folder {here}/absent"),
        ("circle", "is a link that leads in a circle"),
        ("x" * 300, "cannot be looked at (File name too long)"),
        ("results", "is what RESULTS names as well"),
    ],
)
def test_a_place_is_refused_for_what_is_there(here, path, said):
    (here / "results").write_text("ours as well")
    others = {"--baseline": None, "RESULTS": here / "results"}
    found = complaint(Path(path), is_ours=lambda there: begins(there, b"ours"), others=others)
    assert found == (f"--to {path}: {said.format(here=here)}." if said else "")


@pytest.mark.parametrize("path", ["older", "empty", "to-older"])
def test_where_nothing_is_ours_nothing_may_be_there(here, path):
    assert complaint(Path(path)) == f"--to {path}: is there already; name a file that is not."
    assert complaint(here / "to-come") == ""


def test_another_options_file_is_found_behind_links_also_before_it_is_there(here):
    assert "is what --store names as well" in complaint(here / "to-come", others={"--store": here / "folder" / "new"})


def test_a_folder_without_permission_is_found_out_before_anything_is_written():
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        Path(folder).chmod(0o555)  # that of tmp_path lets nobody look inside
        said = pool.submit(complaint_without_permission, Path(folder) / "new").result(timeout=60)
    assert said == f"--to {folder}/new: nothing can be written to the folder {folder} (Permission denied)."


@pytest.mark.parametrize("path", ["new", "older", "to-older", "to-come"])
def test_what_is_placed_goes_where_a_link_leads_which_stays_one(here, path):
    links = {one.name for one in here.iterdir() if one.is_symlink()}
    with placing(Path(path), "--to") as draft:
        draft.write_text("new")
    assert Path(path).read_text() == "new"
    assert {one.name for one in here.iterdir() if one.is_symlink()} == links


@pytest.mark.parametrize("path", ["to-nowhere", "folder"])
def test_what_cannot_be_placed_is_told_by_its_option(here, path):
    with pytest.raises(UsageError, match=rf"^--to {path}: cannot be written \("), placing(Path(path), "--to") as draft:
        draft.write_text("new")
    assert not any(one.name.endswith(".draft") for one in here.rglob("*"))


def test_the_errors_of_another_library_name_no_draft(here):
    with pytest.raises(UsageError) as caught, placing(Path("new"), "--to") as draft:
        raise OSError(errno.EACCES, f"Failed to open local file '{draft}'. Detail: [errno 13] Permission denied")
    assert str(caught.value) == "--to new: cannot be written (Permission denied)."


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("new", ""),
        ("absent/below/new", ""),
        ("foreign", ""),
        ("to-come", ""),
        ("folder", "is a folder"),
        ("foreign/new", "{here}/foreign is no folder"),
        ("/proc/absent/new", "nothing can be written to the folder /proc (No such file or directory)"),
        ("x" * 300, "cannot be looked at (File name too long)"),
    ],
)
def test_a_file_of_another_program_needs_room(here, path, said):
    before = sorted(here.rglob("*"))
    try:
        demand_room(Path(path), "--junit-xml")
        found = ""
    except UsageError as error:
        found = str(error)
    assert found == (f"--junit-xml {path}: {said.format(here=here)}." if said else "")
    assert sorted(here.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs the files of Linux's kernel")
def test_a_file_that_is_there_is_written_anew_where_no_other_could_be_made():
    open_, closed = Path("/proc/self/comm"), Path("/sys/devices/system/cpu/online")
    for folder in (open_.parent, closed.parent):
        with pytest.raises(UsageError, match="nothing can be written to the folder"):
            demand_room(folder / "new", "--junit-xml")
    demand_room(open_, "--junit-xml")
    with pytest.raises(UsageError, match=r"online: cannot be written \(Permission denied\)\.$"):
        demand_room(closed, "--junit-xml")


def test_the_draft_of_a_killed_process_goes_with_the_next_and_no_other_does(tmp_path):
    code = "import os, sys; from pathlib import Path; from vlcheck._util.files import replacing\n"
    code += "with replacing(Path(sys.argv[1])) as draft: draft.write_bytes(b'private'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "file"], check=False)
    (left,) = tmp_path.iterdir()
    of_another_host = tmp_path / ".file.another-host.999999999.draft"
    of_another_file = tmp_path / left.name.replace(".file.", ".other.")
    of_a_living_one = tmp_path / left.name.replace(left.name.split(".")[-2], str(os.getppid()))
    for draft in (of_another_host, of_another_file, of_a_living_one):
        draft.touch()
    with replacing(tmp_path / "file") as draft:
        draft.write_bytes(b"new")
    assert {*tmp_path.iterdir()} == {tmp_path / "file", of_another_host, of_another_file, of_a_living_one}
