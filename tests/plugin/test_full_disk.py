"""A run whose store has no room left goes on, and says so; it ends as one with room does."""

import resource
import shutil
import subprocess

import pytest

from tests.plugin.conftest import lines

pytestmark = pytest.mark.slow


@pytest.fixture
def ended(project, log):
    """The verdicts and the evidence of a run with room."""
    project.run(model="counting", subprocess=True)
    log.unlink()
    return project.results("verdict"), project.results("evidence")


@pytest.fixture
def small_disk(project):
    mount, umount, place = shutil.which("mount"), shutil.which("umount"), project.folder / "small"
    place.mkdir()
    said = ("-t", "tmpfs", "-o", "size=160k", "none", place)
    if not mount or not umount or subprocess.run([mount, *said], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    yield place
    subprocess.run([umount, place], check=True)


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
