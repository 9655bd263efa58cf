"""The terminal: folded without -v, causes in place of tests, no line too wide, and the conclusion last."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest

from tests.plugin.conftest import ROOT
from tests.warm_python import warm_python

COUNTS = re.compile(r"\d+ (passed|failed|skipped).* in [\d.]+s")
PASSES = "Passes 1 bias: color. Of 4 verdicts, 4 pass."
SHORT = 8_000  # characters of a green run


def few(project, n):
    """Leave the project n photographs."""
    path = project.folder / "data" / "cases.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:n]))


def own_part(text):
    """The lines between the head of the summary and pytest's counts."""
    return text.partition("= vlcheck =")[2].splitlines()[1:]


def on_a_terminal(command, folder, width):
    """Run a command on a terminal of a width; return what it shows."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=its, stdout=its, stderr=subprocess.DEVNULL):
        os.close(its)
        shown = b""
        with suppress(OSError):  # EIO, once nobody writes any more
            while piece := os.read(ours, 65_536):
                shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("said", [(), ("-v",), ("-q",), ("-qq",), ("-n", "2")], ids=" ".join)
def test_the_conclusion_is_the_very_last_line_below_the_counts(project, said):
    lines = project.run(*said, subprocess="-n" in said).stdout.str().splitlines()
    assert lines[-1] == PASSES
    assert lines.count(PASSES) == 1
    assert bool(COUNTS.search(lines[-2])) == ("-qq" not in said)  # with which pytest prints none


def test_the_conclusion_of_a_run_that_fails_is_last_too(project):
    lines = project.run(model="loves_color").stdout.str().splitlines()
    assert lines[-1] == "Fails 1 of 1 bias: color. Of 4 verdicts, 2 fail, 2 pass."
    assert COUNTS.search(lines[-2])


def test_without_v_nothing_that_passes_has_a_line_and_with_v_everything_has(project):
    brief = own_part(project.run().stdout.str())
    everything = own_part(project.run("-v").stdout.str())
    assert "-v lists all 4 verdicts, with tables and scales." in brief
    assert [line for line in brief if line.startswith("test_")] == []
    kept = [line for line in brief if line and not line.startswith(("-v lists", "====", "results: "))]
    assert [line for line in kept if line not in everything] == []
    assert [line.split()[:3] for line in everything if line.startswith("test_")] == [
        [f"test_{name}", metric, "pass"]
        for name in ("grayscale_preserves", "another_image_drops")
        for metric in ("mlm", "itm")
    ]
    assert any(line.startswith("scale of ") for line in everything)
    assert not any(line.startswith("scale of ") for line in brief)


def test_what_fails_keeps_its_figures_reason_and_cases(project):
    text = project.run(model="loves_color").stdout.str()
    rows = [line.split()[:3] for line in own_part(text) if line.startswith("test_")]
    assert rows == [["test_grayscale_preserves", metric, "fail"] for metric in ("mlm", "itm")]
    assert "color, mlm: fail: 40 of 40 violate" in text
    assert "violated: the loss from" in text


def failure(text, test):
    """The report of a failed test, without its head."""
    return re.split(rf"_+ {re.escape(test)} _+\n", text)[1].partition("\n____")[0].partition("\n====")[0]


def test_a_failed_test_has_its_sentence_its_verdict_and_its_cases_once_and_its_source_with_v(project):
    brief, everything = (
        failure(project.run(*said, model="loves_color").stdout.str(), "test_grayscale_preserves[itm]")
        for said in ((), ("-v",))
    )
    summary = "fail: 40 of 40 violate"
    assert (brief.count(summary), everything.count(summary)) == (1, 3)
    assert brief.count("A red bus is still a bus.") == everything.count("A red bus is still a bus.") == 1
    assert ("@behavior(" in brief, "@behavior(" in everything) == (False, True)
    assert brief.count("AssertionError") == 1
    cases = brief.partition("- vlcheck -")[2].partition("\n")[2]
    assert cases.count("violated: ") == 3
    assert cases in everything
    assert cases.count("  same text") == 3


@pytest.mark.parametrize("said", ["--tb=long", "--showlocals"])
def test_whoever_asks_for_a_traceback_has_it(project, said):
    text = project.run(said, "-k", "grayscale and itm", model="loves_color").stdout.str()
    assert ">       assert verdict.passed" in text


def test_a_test_that_fails_for_another_reason_shows_its_source(project):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("assert verdict.passed", "assert verdict.passed; assert 1 == 2"))
    text = project.run("-k", "grayscale and itm").stdout.str()
    assert ">       assert verdict.passed; assert 1 == 2" in text


def test_a_behavior_without_a_docstring_shows_its_source(project):
    path = project.folder / "test_states.py"
    path.write_text(path.read_text().replace("    '''A red bus is still a bus.'''\n", ""))
    text = project.run("-k", "grayscale and itm", model="loves_color").stdout.str()
    assert ">       assert verdict.passed" in text


def test_a_behavior_whose_source_cannot_be_read_fails_as_any_other(project):
    path = project.folder / "test_states.py"
    path.write_text(f"exec(compile({path.read_text()!r}, '<made>', 'exec'), globals())")
    result = project.run("-k", "grayscale and itm", model="loves_color")
    result.assert_outcomes(failed=1)
    assert "INTERNALERROR" not in result.stdout.str()


def test_with_q_the_matrix_and_the_notes_are_left(project):
    lines = own_part(project.run("-q", model="loves_color").stdout.str())
    assert lines[0].split() == ["bias", "mlm", "itm"]
    assert any(line.startswith("No test was run on ") for line in lines)
    assert [line for line in lines if line.startswith("test_")] == []


def test_tests_that_cannot_pass_are_counted_by_cause_and_named_with_v(project):
    few(project, 20)
    cause = "20 images, a pass needs 29"
    text = project.run().stdout.str()
    assert f"4 tests (color 4) cannot pass, and are not asked unless they fail: {cause}" in text.splitlines()
    assert text.count("cannot pass") == 1
    named = [line for line in project.run("-v").stdout.str().splitlines() if "cannot pass" in line]
    assert [line.partition(" cannot")[0] for line in named] == [
        f"test_{name}[{metric}]" for name in ("grayscale_preserves", "another_image_drops") for metric in ("mlm", "itm")
    ]
    (alone,) = [line for line in project.run("-k", "grayscale and itm").stdout.lines if "cannot pass" in line]
    assert alone == f"test_grayscale_preserves[itm] cannot pass, and is not asked unless it fails: {cause}"


def test_workers_say_once_what_cannot_pass_and_the_rest_is_the_same(project):
    few(project, 20)
    alone = project.run().stdout.str()
    shared = project.run("-n", "2", subprocess=True).stdout.str()
    assert shared.count("4 tests (color 4) cannot pass") == alone.count("4 tests (color 4) cannot pass") == 1
    ends = [[line for line in own_part(text) if not COUNTS.search(line)] for text in (alone, shared)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("said", [(), ("-v",)], ids=["brief", "everything"])
def test_no_line_is_wider_than_the_terminal(project, monkeypatch, said):
    monkeypatch.delenv("CI", raising=False)  # there pytest writes a line for each failure, however long
    command = [sys.executable, "-mpytest", "-p", "no:cacheprovider", "--color=no", "-k", "grayscale and mlm"]
    command += [f"--vl-model={project.spec('loves_color')}", f"--vl-data={project.data}", *said]
    text = on_a_terminal(command, project.folder, width=72)
    lines = own_part(text)
    assert any(line.startswith("  ") for line in lines)  # something was wrapped
    assert [line for line in lines if len(line) > 72 and " " in line.strip()] == []
    assert " ".join(text.split()).endswith("Fails 1 of 1 bias: color. Of 1 verdict, 1 fails.")


def scored(text):
    """The pictures done and the totals of the lines of progress."""
    found = re.findall(r"scoring: ([\d,]+) of ([\d,]+) pictures? in", text)
    return [(int(done.replace(",", "")), int(total.replace(",", ""))) for done, total in found]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_short_run_has_one_line_of_progress_in_a_log(project, workers):
    """Its rounds and batches take a second each."""
    text = project.run("-n", workers, "--vl-sequential", subprocess=workers != "0").stdout.str()
    ((done, total),) = scored(text)
    assert done == total
    assert len(re.findall(r"^scoring: ", text, re.MULTILINE)) == 1  # on a line of its own


def test_the_progress_is_one_count_over_all_rounds_and_control(project, monkeypatch):
    monkeypatch.setattr("vlcheck.plugin.reporters.progress._SECONDS_BETWEEN_LINES", 0.0)
    found = scored(project.run("--vl-sequential", f"--vl-control={project.spec('reads_only')}").stdout.str())
    assert len(found) > 3
    assert found == sorted(found)
    assert len({total for _, total in found}) > 1


def test_a_terminal_has_one_line_of_progress(project):
    command = [sys.executable, "-mpytest", "-p", "no:cacheprovider", "--color=no", "--vl-sequential", "-q"]
    command += [f"--vl-model={project.spec('competent')}", f"--vl-data={project.data}"]
    lines = on_a_terminal(command, project.folder, width=100).split("\n")
    (progress,) = [line for line in lines if "scoring: " in line]
    assert len(scored(progress)) > 1
    assert re.search(r"pictures in \d+ seconds? *$", progress)  # and no dots of tests behind it


def test_a_comparison_lists_what_changed_and_with_v_what_is_the_same(project):
    project.run("--vl-results=old.jsonl")
    brief, everything = (own_part(project.run("--vl-baseline=old.jsonl", *said).stdout.str()) for said in ((), ("-v",)))
    same = [line for line in everything if line.startswith("test_") and line.split()[2] == "same"]
    assert len(same) == 4
    assert not {*same} & {*brief}
    assert "-v lists the 4 tests that are the same, too." in brief
    assert brief[-2] == "Against the release before: worse: none; better: none; 4 same, 0 not comparable"


@pytest.mark.slow
@pytest.mark.nightly  # the whole suite on 200 scenes a test
def test_a_green_run_of_the_whole_suite_is_short(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "PYTEST_ADDOPTS")}
    command = [warm_python().command, "-mpytest", f"{ROOT}/behavior_tests", "-p", "no:cacheprovider"]
    command += ["--vl-model=tiny", "--vl-data=scenes", f"--vl-store={tmp_path}/store"]
    for place, said in enumerate([(), ("-n", "2"), ("--vl-baseline=0.jsonl",), ("--vl-control=tiny-blind",)]):
        done = subprocess.run(
            [*command, f"--vl-results={place}.jsonl", *said],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1].startswith("Passes all 6 biases: ")
        assert len(done.stdout) < SHORT, said
