"""Where results go when several runs write to one place."""

import pytest

from tests.report.pages import passing, results, rows
from vlcheck.results.file import read
from vlcheck.results.gate import refusals
from vlcheck.results.places import Places

GOOD = rows({str(i): 0.1 for i in range(30)})
FIRST, SECOND = ({"run_id": name, "started": f"2026-01-02T03:04:0{name}.000+00:00"} for name in "12")


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "results.jsonl")


def begin(places, run):
    places.begin(**run, model="m", data="d", tests={"t.py::test_x[itm]": ("color", "itm")})


def judged(run, **changes):
    return results((passing(), GOOD), run=run | {"exit_status": 0} | changes)


def end(places, run, **changes):
    found = judged(run, **changes)
    places.write(places.choose(found), found)


def refused(path, run_id=""):
    return list(refusals(path, read(path), run_id=run_id, part=False))


def test_of_two_runs_at_once_each_ends_its_own_and_the_gate_waits_for_the_later_one(places):
    begin(places, FIRST)
    begin(places, SECOND)
    end(places, FIRST)
    assert read(places.unfinished).run.run_id == "2"
    assert ["A later run began" in one for one in refused(places.named)] == [True]
    assert refused(places.named, "1") == []
    end(places, SECOND)
    assert not places.unfinished.exists()
    assert refused(places.named) == []
    assert "It is of run 2" in refused(places.named, "1")[0]


def test_whoever_of_a_runs_processes_begins_it_begins_it_once(places):
    begin(places, FIRST)
    before = places.unfinished.stat().st_ino
    begin(places, FIRST)
    assert places.unfinished.stat().st_ino == before


def test_a_part_replaces_no_whole_run_and_anything_else(places):
    end(places, FIRST, complete=False)
    end(places, SECOND, complete=False)
    assert read(places.named).run.run_id == "2"
    end(places, FIRST)
    end(places, SECOND, unjudged=["test_x"])
    assert [read(path).run.run_id for path in (places.named, places.part)] == ["1", "2"]


@pytest.mark.parametrize("name", ["results.jsonl", "results.part.jsonl", "results.unfinished.jsonl"])
def test_each_of_the_files_names_the_others(tmp_path, name):
    assert [path.name for path in Places.around(tmp_path / name)] == [
        "results.jsonl",
        "results.part.jsonl",
        "results.unfinished.jsonl",
    ]
