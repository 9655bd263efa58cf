"""Which files a board draws, and which it leaves out with the reason."""

import shutil

import pytest

from tests.report.board.boards import board_runs, kept, run_of
from tests.report.pages import passing, verdict
from vlcheck.errors import UsageError
from vlcheck.report.board.runs import gather_runs


def test_runs_are_numbered_in_the_order_of_their_files(tmp_path):
    found = gather_runs(kept(tmp_path, b=run_of(day=2), a=run_of(day=1)))
    assert [(run.number, run.source.name) for run in found.runs] == [(1, "b.jsonl"), (2, "a.jsonl")]
    assert found.left_out == ()


def test_a_damaged_file_is_left_out_with_its_reason_and_the_others_are_drawn(tmp_path):
    good, bad, later = kept(tmp_path, good=run_of(), bad=run_of(day=2), later=run_of(day=3))
    bad.write_text("".join(bad.read_text().splitlines(keepends=True)[:-1]))
    later.write_text(later.read_text().replace('"schema": 1', '"schema": 7', 1))
    found = gather_runs([bad, later, good])
    assert [(run.number, run.source) for run in found.runs] == [(1, good)]
    assert [reason.partition(": ")[0] for reason in found.left_out] == [f"{bad}:1", f"{later}:1"]
    assert "the file was cut short" in found.left_out[0]
    assert "schema 7; this vlcheck reads schema 1" in found.left_out[1]


def test_a_file_that_is_named_twice_and_a_copy_count_once(tmp_path):
    (path,) = kept(tmp_path, one=run_of())
    shutil.copy(path, tmp_path / "copy.jsonl")
    (tmp_path / "link.jsonl").symlink_to(path)
    found = gather_runs([path, path, tmp_path / "copy.jsonl", tmp_path / "link.jsonl"])
    assert len(found.runs) == 1
    assert found.left_out == (
        f"{path}: is named twice; it is run 1.",
        f"{tmp_path / 'copy.jsonl'}: is of the same run as {path}, which is run 1.",
        f"{tmp_path / 'link.jsonl'}: is named twice; it is run 1.",
    )


def test_equal_verdicts_of_another_day_are_another_run(tmp_path):
    assert len(gather_runs(kept(tmp_path, one=run_of(day=1), two=run_of(day=2))).runs) == 2


def test_a_file_that_is_not_there_ends_it_and_so_does_a_board_of_nothing(tmp_path):
    (path,) = kept(tmp_path, one=run_of())
    for absent in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(UsageError, match=f"{absent}: cannot be read"):
            gather_runs([path, absent])
    (tmp_path / "other.jsonl").write_text("{}")
    with pytest.raises(UsageError, match=r"Nothing can be drawn[^$]*other.jsonl:1: no line of a results file"):
        gather_runs([tmp_path / "other.jsonl"])


@pytest.mark.parametrize(
    ("text", "dated"), [("2026-01-02T03:04:05+00:00", True), ("2026-01-02", False), ("today", False)]
)
def test_a_date_has_a_time_zone(text, dated):
    (run,) = board_runs(run_of(started=text))
    assert (run.date is not None) == dated


def test_tests_are_known_by_name_wherever_pytest_was_started_and_those_without_a_verdict_as_well():
    stated = {"behavior_tests/test_it.py::test_late[mlm]": {"bias": "color", "metric": "mlm"}}
    elsewhere = verdict() | {"test": "test_it.py::test_grey_preserves[mlm]"}
    (run,) = board_runs(run_of(elsewhere, passing(), unjudged=[*stated], stated=stated))
    tests = run.tests("color", "mlm")
    assert tests.keys() == {"test_grey_preserves[mlm]", "test_late[mlm]"}
    assert tests["test_late[mlm]"] is None
