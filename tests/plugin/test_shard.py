"""--vl-shard: machines without a common store ask a part of the questions each, and a run on all parts asks nothing."""

import subprocess

import pytest

from tests.conftest import ROOT
from tests.plugin.conftest import lines
from tests.warm_python import warm_python
from vlcheck.results.file import read
from vlcheck.scoring.stores.merge import merge_stores

pytestmark = pytest.mark.slow


def ask_parts(project, log, *options, model="counting"):
    """Ask three parts, the second with two workers; return what was asked, by part."""
    asked = []
    for number in (1, 2, 3):
        log.unlink(missing_ok=True)
        said = (f"--vl-shard={number}/3", f"--vl-store={number}.sqlite", "-q", *(("-n2",) if number == 2 else ()))
        result = project.run(*said, *options, model=model, subprocess=True)
        assert result.ret == 0
        result.stdout.fnmatch_lines([f"part {number} of 3: * questions of 240 about * pictures answered, *"])
        assert not result.parseoutcomes().keys() & {"passed", "failed", "errors"}
        asked.append({*lines(log)})
    return asked


def test_a_run_on_the_merged_parts_asks_nothing_and_ends_as_one_machine_does(project, log):
    project.run(model="counting", subprocess=True)
    whole = {*lines(log)}
    alone = project.results("verdict"), project.results("evidence")
    (project.folder / "vlcheck-results.jsonl").unlink()

    asked = ask_parts(project, log)
    assert set.union(*asked) == whole
    assert sum(map(len, asked)) == len(whole)
    assert not [*project.folder.glob("vlcheck-results*")]  # a part judges nothing
    stores = [project.folder / f"{number}.sqlite" for number in (1, 2, 3)]
    merged = merge_stores(stores, project.folder / "all.sqlite")
    assert (merged.answers, merged.missing, merged.disagreements) == (240, [], [])

    log.unlink()
    result = project.run("--vl-store=all.sqlite", model="counting", subprocess=True)
    assert result.ret == 0
    assert not log.exists()
    assert (project.results("verdict"), project.results("evidence")) == alone
    again = project.run("--vl-store=all.sqlite", "--vl-shard=1/3", model="counting", subprocess=True)
    again.stdout.fnmatch_lines(["Nothing is left to ask: run without --vl-shard, with --vl-store *"])


def test_a_worker_that_is_killed_costs_no_answer(project, log):
    result = project.run("-n2", "--vl-shard=1/1", "--vl-store=1.sqlite", model="dies_once", subprocess=True)
    assert log.with_suffix(".killed").exists()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["part 1 of 1: 240 questions of 240 about 80 pictures *"])
    merged = merge_stores([project.folder / "1.sqlite"], project.folder / "all.sqlite")
    assert (merged.answers, merged.missing) == (240, [])
    log.unlink()
    project.run("--vl-store=all.sqlite", model="dies_once", subprocess=True)
    assert not log.exists()  # all that the verdicts need was asked by the part


def test_errors_are_no_part_that_is_scored(project):
    result = project.run("--vl-shard=1/1", "--vl-store=1.sqlite", model="raises")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--vl-shard 1/1: * answers of this part are errors, which no store keeps, e.g.: *"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vl-shard=5/4"], "--vl-shard 5/4: has to be I/N, the I-th of N parts"),
        (["--vl-shard=0/4"], "--vl-shard 0/4: has to be I/N"),
        (["--vl-shard=x"], "--vl-shard x: has to be I/N"),
        (["--vl-shard=1/2", "--vl-report=r.html"], "--vl-shard 1/2: a part judges nothing. Leave out --vl-report"),
        (["--vl-shard=1/2", "--vl-sequential"], "--vl-shard 1/2: does not go with --vl-sequential"),
    ],
)
def test_what_does_not_go_with_a_shard_is_refused_before_anything_is_asked(project, log, options, said):
    result = project.run("--vl-store=1.sqlite", *options, model="counting")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()
    assert not log.exists()


@pytest.mark.parametrize("options", [("-n2",), ("--collect-only",)])
def test_a_shard_that_does_not_exist_is_refused_before_workers_start_and_where_tests_are_listed(project, options):
    result = project.run("--vl-store=1.sqlite", "--vl-shard=5/4", *options, model="counting")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-shard 5/4: has to be I/N, the I-th of N parts" in result.stderr.str()


def test_a_shard_needs_a_store(project):
    result = project.run("--vl-shard=1/2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-shard 1/2: needs --vl-store FILE, a store of this part alone" in result.stderr.str()


def run_tiny(folder, *options):
    command = [warm_python().command, "-m", "pytest", str(ROOT / "behavior_tests" / "test_color.py"), "-q"]
    said = ["-p", "no:cacheprovider", "--vl-model=tiny", "--vl-data=scenes:30", *options]
    return subprocess.run([*command, *said], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.nightly
def test_later_questions_depend_on_answers_and_are_asked_in_another_pass(tmp_path):
    """A scene that does not count is replaced by another one, which is known once all answers are."""
    whole = run_tiny(tmp_path, f"--vl-results={tmp_path / 'whole.jsonl'}", f"--vl-store={tmp_path / 'one.sqlite'}")
    merged, stores = tmp_path / "all.sqlite", [tmp_path / f"{number}.sqlite" for number in (1, 2, 3)]
    answers = []
    for turn in range(4):
        for number, store in enumerate(stores, 1):
            if turn:
                store.write_bytes(merged.read_bytes())
            workers = ("-n2",) if (turn, number) == (0, 2) else ()
            done = run_tiny(tmp_path, f"--vl-shard={number}/3", f"--vl-store={store}", *workers)
            assert done.returncode == 0, done.stdout + done.stderr
        if "Nothing is left to ask" in done.stdout:
            break
        answers.append(merge_stores(stores, merged).answers)
    assert len(answers) > 1
    assert answers == sorted({*answers})
    apart = merge_stores([tmp_path / "one.sqlite", merged], tmp_path / "both.sqlite")
    assert (apart.answers, apart.disagreements) == (answers[-1], [])  # as many answers, equal to 1e-5
    last = run_tiny(tmp_path, f"--vl-results={tmp_path / 'last.jsonl'}", f"--vl-store={merged}")
    assert (last.returncode, merge_stores([], merged).answers) == (whole.returncode, answers[-1])
    found, wanted = (read(next(tmp_path.glob(f"{name}*.jsonl"))) for name in ("last", "whole"))
    assert found.verdicts.keys() == wanted.verdicts.keys()
    for name, verdict in wanted.verdicts.items():
        assert (found.verdicts[name].status, found.verdicts[name].n) == (verdict.status, verdict.n)
        assert found.verdicts[name].effect == pytest.approx(verdict.effect, abs=1e-5)
