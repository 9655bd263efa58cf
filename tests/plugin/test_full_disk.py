"""A run whose store has no room left goes on, and says so; it ends as one with room does."""

import resource
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from tests.plugin.conftest import lines

pytestmark = pytest.mark.slow


@pytest.fixture
def ended(project, log):
    """The verdicts and the evidence of a run with room."""
    project.run(model="counting", subprocess=True)
    log.unlink()
    return project.results("verdict"), project.results("evidence")


@contextmanager
def disk(place, options):
    """Mount a disk in memory."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    place.mkdir()
    said = ("-t", "tmpfs", "-o", options, "none", place)
    if not mount or not umount or subprocess.run([mount, *said], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    try:
        yield place
    finally:
        subprocess.run([umount, place], check=True)


@pytest.fixture
def small_disk(project):
    with disk(project.folder / "small", "size=160k") as place:
        yield place


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_disk_that_fills_up_costs_no_verdict_and_no_question_twice(project, log, ended, small_disk, workers):
    result = project.run("-n", workers, "--vl-store=small/scores.sqlite", model="counting", subprocess=True)
    said = result.stdout.str() + result.stderr.str()
    assert f"--vl-store {small_disk / 'scores.sqlite'}: there is no room left on its disk (" in said
    assert "The run goes on, with its further answers in a temporary file." in said
    assert result.ret == 0
    assert (project.results("verdict"), project.results("evidence")) == ended
    assert max(map(lines(log).count, lines(log))) == 1


def test_where_no_file_may_grow_the_answers_are_in_memory(project, log, ended):
    """A limit of file sizes, as a quota has, that the results do not reach and a store does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        result = project.run("--vl-store=scores.sqlite", model="counting", subprocess=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = result.stdout.str() + result.stderr.str()
    assert said.count("there is no room left on its disk (") == 2
    assert "The run goes on, with its further answers in the memory of this process." in said
    assert result.ret == 0
    assert (project.results("verdict"), project.results("evidence")) == ended


@pytest.mark.parametrize(
    "option",
    ["--vl-report=disk/x.html", "--vl-results=disk/x.jsonl", "--junit-xml=disk/new/x.xml", "--html=disk/new/x.html"],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_disk_that_is_read_only_is_found_before_a_model_is_asked(project, log, option, workers):
    with disk(project.folder / "disk", "ro") as place:
        result = project.run("-n", workers, option, model="counting", subprocess=True)
    name, _, path = option.partition("=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = f"{name} {project.folder / path}: nothing can be written to the folder {place} (Read-only file system)."
    assert told in result.stderr.str()
    assert not log.exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_model_of_the_ini_file_is_no_reason_to_find_it_late(project, log, workers):
    project.pytester.makeini(f"[pytest]\nvl_model = {project.spec('counting')}")
    with disk(project.folder / "disk", "ro"):
        result = project.run("-n", workers, "--vl-report=disk/x.html", model="", subprocess=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--vl-report {project.folder / 'disk' / 'x.html'}: nothing can be written to the fol" in result.stderr.str()
    assert not log.exists()


@pytest.mark.parametrize("pictures", [(), ("--vl-no-images",)], ids=["no room for the results twice", "room for them"])
def test_a_disk_without_room_for_the_page_keeps_the_results_and_says_how_to_draw_it(project, pictures):
    project.run(*pictures, "--vl-report=x.html", subprocess=True)
    whole, before = project.results("verdict"), (project.folder / "vlcheck-results.jsonl").stat().st_size
    page = (project.folder / "x.html").stat().st_size
    assert (before < page) == bool(pictures)
    with disk(
        project.folder / "disk", f"size={before + (before + page) // 2 if pictures else before + page * 9 // 10}"
    ):
        result = project.run(*pictures, "--vl-results=disk/x.jsonl", "--vl-report=disk/x.html", subprocess=True)
        assert project.results("verdict", "disk/x.jsonl") == whole
        assert [path.name for path in (project.folder / "disk").iterdir()] == ["x.jsonl"]
        (run,) = project.results("run", "disk/x.jsonl")
    said, results = result.stdout.str(), project.folder / "disk" / "x.jsonl"
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--vl-report {results.with_suffix('.html')}: cannot be written (No space left on device)." in said
    assert f"The results are kept: `vlcheck report {results} --to FILE.html` draws the page." in said
    assert ("x.jsonl holds every verdict, and an exit status from before that." in said) == (not pictures)
    assert run["exit_status"] == (pytest.ExitCode.USAGE_ERROR if pictures else pytest.ExitCode.OK)
