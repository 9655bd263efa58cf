"""A team that only installs vlcheck gets the suite to edit; what is theirs is never overwritten."""

import contextlib
import json
import os
import pty
import resource
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import ROOT
from vlcheck.cli import app
from vlcheck.errors import UsageError
from vlcheck.suite import install
from vlcheck.suite.diff import RECORD, Taken, compare_files, read_record
from vlcheck.suite.shipped import suite_files

pytestmark = pytest.mark.slow

SHIPPED = suite_files()
COLOR, POLICY = "behavior_tests/test_color.py", "fixtures/policy.toml"
INIT = [sys.executable, "-m", "vlcheck.cli", "init"]


def init(*arguments, cwd):
    """The command, in this process: what it imports takes seconds."""
    with contextlib.chdir(cwd):
        return CliRunner().invoke(app, ["init", *map(str, arguments)])


def run(*arguments, cwd, **options):
    """The command, as a process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    return subprocess.run([*INIT, *arguments], check=False, cwd=cwd, env=environment, **options)


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(done):
    assert (done.exit_code, done.stdout) == (4, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def mine(tmp_path):
    """A repository with a fresh copy."""
    folder = tmp_path / "mine"
    install.write_copy(folder, install.read_copy(folder))
    return folder


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def age(folder, path):
    """Make a file one of an older vlcheck's, and its record say so."""
    content = b"# as it was\n" + SHIPPED[path]
    (folder / path).write_bytes(content)
    record = json.loads((folder / RECORD).read_text())
    old = compare_files("0.0.9", {path: content}, {}, [], {}).recorded()
    (folder / RECORD).write_text(json.dumps(record | json.loads(old)))


# What is written, and what is not.


def test_the_whole_suite_is_written_with_its_record(tmp_path):
    done = init("new/repository", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    found = files_in(tmp_path / "new" / "repository")
    record = json.loads(found.pop(RECORD))
    ignored = found.pop(".gitignore").decode().splitlines()
    assert {"vlcheck-results*.jsonl", "report.html", ".vlcheck/"} <= set(ignored)
    assert found == SHIPPED
    assert record.keys() == SHIPPED.keys()
    assert {COLOR, POLICY, "fixtures/model.py", "fixtures/lexicons/colors.toml", "conftest.py"} <= found.keys()
    assert f"{len(SHIPPED)} of {len(SHIPPED)} files written to new/repository" in done.stdout
    for step in ("pytest behavior_tests --vl-model", "vl_model =", "vl_data =", POLICY):
        assert step in done.stdout


def test_what_is_there_is_left_alone_and_named(tmp_path):
    (tmp_path / "behavior_tests").mkdir()
    (tmp_path / COLOR).write_text("mine = 1\n")
    (tmp_path / "conftest.py").write_text("import sys\n")
    (tmp_path / "behavior_tests" / "test_own.py").write_text("")
    done = init(cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / COLOR).read_text() == "mine = 1\n"
    assert (tmp_path / "conftest.py").read_text() == "import sys\n"
    assert f"{len(SHIPPED) - 2} of {len(SHIPPED)} files written" in done.stdout
    assert f"  {COLOR}\n" in done.stdout
    assert '  conftest.py (add pytest_plugins = ["fixtures.model"]' in done.stdout
    assert "files of your own in behavior_tests/ and fixtures/: 1 file\n" in done.stdout
    assert "vlcheck init --diff" in done.stdout


def test_fixtures_of_ones_own_are_kept_and_the_clash_is_named(tmp_path):
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "model.py").write_text("A = 1\n")
    done = init(cwd=tmp_path)
    assert (tmp_path / "fixtures" / "model.py").read_text() == "A = 1\n"
    assert "fixtures/model.py (is a module of yours" in done.stdout


def test_what_runs_write_is_ignored_by_git(mine):
    subprocess.run(["git", "init", "-q"], cwd=mine, check=True)  # noqa: S607
    names = ["vlcheck-results.jsonl", "vlcheck-results.part.jsonl", "vlcheck-results.unfinished.jsonl", "report.html"]
    names += ["junit.xml", ".vlcheck/scores.sqlite", "scores.sqlite.lock", ".report.html.77.draft"]
    done = subprocess.run(["git", "check-ignore", *names], cwd=mine, capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stdout.split() == names
    (mine / "released.jsonl").touch()  # a baseline is to be committed
    status = subprocess.run(["git", "status", "--short"], cwd=mine, capture_output=True, text=True, check=True)  # noqa: S607
    assert "?? released.jsonl\n" in status.stdout
    assert "?? .gitignore\n" in status.stdout


def test_a_gitignore_of_ones_own_is_left_alone_and_what_it_lacks_is_said(tmp_path):
    own = "*.html\n/vlcheck-results.*\n.vlcheck\n"
    (tmp_path / ".gitignore").write_text(own)
    said = init(cwd=tmp_path).stdout
    assert (tmp_path / ".gitignore").read_text() == own
    _, _, after = said.partition("your .gitignore is left alone; add these lines")
    lacking = [line.strip() for line in after.partition("\n\n")[0].splitlines()[1:]]
    assert lacking == ["vlcheck-results*.jsonl", "junit.xml", "scores.sqlite*", ".*.draft"]
    (tmp_path / ".gitignore").write_text("\n".join([own, *lacking]))
    assert ".gitignore" not in init(cwd=tmp_path).stdout


def test_a_second_init_writes_nothing(mine):
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*")}
    assert f"0 of {len(SHIPPED)} files written" in init(cwd=mine).stdout
    assert {path: path.stat().st_mtime_ns for path in mine.rglob("*")} == before


# Who changed what.


def test_a_fresh_copy_does_not_differ(mine):
    done = init("--diff", cwd=mine)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"0 differ, 0 missing, {len(SHIPPED)} as vlcheck" in done.stdout


def test_line_ends_that_version_control_made_are_no_difference(mine):
    (mine / POLICY).write_bytes(SHIPPED[POLICY].replace(b"\n", b"\r\n"))
    assert init("--diff", cwd=mine).exit_code == 0


def test_the_diff_tells_whose_change_it_is(mine):
    edit(mine / POLICY, "allowed = 0.10 ", "allowed = 0.20 ")
    age(mine, COLOR)
    age(mine, "fixtures/model.py")
    edit(mine / "fixtures/model.py", "import pytest", "import pytest  # mine")
    done = init("--diff", cwd=mine)
    assert done.exit_code == 1
    said = done.stdout.splitlines()
    assert f"{POLICY}: only you changed it since 0.1.0" in said
    assert f"{COLOR}: only vlcheck changed it since 0.0.9" in said
    assert "fixtures/model.py: you and vlcheck changed it since 0.0.9" in said
    assert {"-# as it was", "-allowed = 0.20          # share of images that may violate the statement"} <= set(said)
    assert f"3 differ, 0 missing, {len(SHIPPED) - 3} as vlcheck 0.1.0 has them" in said
    assert "\x1b" not in done.stdout


def test_what_is_missing_and_what_is_unknown_is_named(mine):
    (mine / COLOR).unlink()
    (mine / "behavior_tests" / "test_own.py").write_text("")
    done = init("--diff", cwd=mine)
    assert done.exit_code == 1
    assert f"{COLOR}: missing, and was written by vlcheck 0.1.0" in done.stdout
    assert "behavior_tests/test_own.py: unknown to vlcheck" in done.stdout
    assert not (mine / COLOR).exists()


def test_a_test_of_ones_own_is_no_difference(mine):
    (mine / "behavior_tests" / "test_own.py").write_text("")
    assert init("--diff", cwd=mine).exit_code == 0


def test_the_diff_is_a_patch_that_makes_the_copy_as_it_is_shipped(mine):
    age(mine, COLOR)
    (mine / POLICY).write_bytes(SHIPPED[POLICY].rstrip(b"\n"))
    patch = init("--diff", cwd=mine).stdout
    subprocess.run(["git", "init", "-q"], cwd=mine, check=True)  # noqa: S607
    subprocess.run(["git", "apply"], cwd=mine, check=True, input=patch, text=True)  # noqa: S607
    assert {path: (mine / path).read_bytes() for path in SHIPPED} == SHIPPED


def test_a_file_that_only_vlcheck_changed_is_new_once_it_is_deleted(mine):
    age(mine, COLOR)
    assert init(cwd=mine).exit_code == 0
    assert (mine / COLOR).read_bytes() != SHIPPED[COLOR]
    (mine / COLOR).unlink()
    assert init(cwd=mine).exit_code == 0
    assert init("--diff", cwd=mine).exit_code == 0


def test_what_was_merged_by_hand_counts_from_then_on_as_taken(mine):
    age(mine, COLOR)
    (mine / COLOR).write_bytes(SHIPPED[COLOR] + b"# mine\n")
    assert f"{COLOR}: you and vlcheck changed it since 0.0.9" in init("--diff", cwd=mine).stdout
    record = json.loads((mine / RECORD).read_text())
    (mine / RECORD).write_text(json.dumps({path: taken for path, taken in record.items() if path != COLOR}))
    init(cwd=mine)
    assert f"{COLOR}: only you changed it since 0.1.0" in init("--diff", cwd=mine).stdout


def test_a_file_that_vlcheck_no_longer_has_is_told_from_ones_own():
    record = {"behavior_tests/test_gone.py": Taken("0.0.9", "x")}
    copy = compare_files("0.1.0", {"conftest.py": b""}, {}, ["behavior_tests/test_gone.py", "conftest.py"], record)
    assert copy.unknown == ("behavior_tests/test_gone.py",)
    assert json.loads(copy.recorded()).keys() == {"conftest.py"}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b'{"a": {}}', b"\xff"])
def test_a_broken_record_is_named(content):
    with pytest.raises(UsageError, match=r"mine: is no record of vlcheck init"):
        read_record(content, "mine")


def test_the_diff_is_colored_on_a_terminal_alone(mine):
    edit(mine / POLICY, "allowed = 0.10 ", "allowed = 0.20 ")
    controller, terminal = pty.openpty()
    run("--diff", cwd=mine, stdout=terminal)
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert "\x1b[31m-allowed = 0.20" in shown
    assert "\x1b[32m+allowed = 0.10" in shown


# What is in the way.


@pytest.mark.parametrize("folder", ["file", "nowhere"])
def test_a_place_that_is_no_folder(tmp_path, folder):
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to("absent")
    assert f"{folder}: is no folder" in complaint(init(folder, cwd=tmp_path))


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert "file/below/behavior_tests: cannot be written (Not a directory)" in complaint(
        init("file/below", cwd=tmp_path)
    )


def test_a_folder_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("needs a user whom file permissions hold")
    tmp_path.chmod(0o500)
    assert "cannot be written (Permission denied)" in complaint(init(cwd=tmp_path))


def test_a_disk_that_is_full_leaves_no_file(tmp_path):
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    done = run("mine", cwd=tmp_path, preexec_fn=small, capture_output=True, text=True)
    assert done.returncode == 4
    assert "cannot be written (File too large)" in done.stderr
    assert files_in(tmp_path) == {}


def test_a_link_that_leads_out_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "fixtures").symlink_to("../elsewhere")
    assert "mine/fixtures: is a link that leads out of mine" in complaint(init("mine", cwd=tmp_path))
    assert files_in(tmp_path) == {}


def test_a_link_to_nothing_is_not_replaced(tmp_path):
    (tmp_path / "conftest.py").symlink_to("absent.py")
    assert "conftest.py: is a link to" in complaint(init(cwd=tmp_path))
    assert (tmp_path / "conftest.py").is_symlink()


def test_a_folder_in_a_files_place(tmp_path):
    (tmp_path / "conftest.py").mkdir()
    assert "conftest.py: is no file" in complaint(init(cwd=tmp_path))


def test_a_module_that_the_fixtures_would_hide(tmp_path):
    (tmp_path / "fixtures.py").write_text("")
    assert "would hide this module" in complaint(init(cwd=tmp_path))
    assert files_in(tmp_path) == {"fixtures.py": b""}


def test_the_shipped_suite_is_no_copy():
    assert "is where vlcheck itself keeps the suite" in complaint(init(cwd=ROOT))


# As a team has it: nothing but the wheel, in an environment of its own.


@pytest.fixture(scope="module")
def installed(wheel_path, tmp_path_factory):
    """The programs of an environment with the wheel; what vlcheck needs is linked from this one, and vlcheck is not."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv")
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    needed = folder / "needed"
    needed.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "vlcheck" not in path.name and path.suffix != ".pth":
            (needed / path.name).symlink_to(path)
    (site / "needed.pth").write_text(f"{needed}\n")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel_path)], check=True)
    return python.parent


@pytest.fixture
def alone(installed, tmp_path):
    """Runs a program of that environment in a folder of its own."""

    def run(program, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
        command = [str(installed / program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)

    return run


def verdicts(folder):
    lines = map(json.loads, (folder / "vlcheck-results.jsonl").read_text().splitlines())
    return {(line["behavior"], line["metric"]): line["status"] for line in lines if line["kind"] == "verdict"}


def test_the_copied_suite_runs_where_only_the_wheel_is_installed(alone, installed, tmp_path):
    where = alone("python", "-c", "import vlcheck; print(vlcheck.__file__)").stdout
    assert Path(where).is_relative_to(installed.parent), where
    assert alone("vlcheck", "init").returncode == 0
    assert {path: (tmp_path / path).read_bytes() for path in SHIPPED} == SHIPPED
    asks = ("-m", "pytest", "behavior_tests", "--vl-model", "tiny", "--vl-data", "scenes:30", "-k", "color")
    done = alone("python", *asks, "--vl-store=scores")
    assert f"policy: {tmp_path}/fixtures/policy.toml" in done.stdout, done.stdout + done.stderr
    found = verdicts(tmp_path)
    assert len(found) == 17
    assert found["test_grayscale_preserves_objects", "itm"] == "pass"

    edit(tmp_path / POLICY, "allowed = 0.10 ", "allowed = 0.00 ")
    again = alone("python", *asks, "--vl-store=scores")
    assert again.returncode == 1
    assert verdicts(tmp_path)["test_grayscale_preserves_objects", "itm"] == "inconclusive"
