"""`vlcheck report`, as typed."""

import pytest

from tests.cli.test_cli import run
from tests.report.pages import passing, results, rows, small
from vlcheck.report.page import draw
from vlcheck.results.file import write_results


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "results.jsonl"
    write_results(path, small())
    return path


def test_it_is_drawn_beside_the_results_unless_said(kept, tmp_path):
    done = run("report", kept)
    assert (done.returncode, done.stdout) == (0, f"report: {tmp_path / 'results.html'}\n")
    assert (tmp_path / "results.html").read_text(encoding="utf-8") == draw(small(), source="results.jsonl")


def test_the_ending_of_a_page_may_be_in_any_case(kept, tmp_path):
    done = run("report", kept, "--to", tmp_path / "page.HTML")
    assert (done.returncode, done.stdout) == (0, f"report: {tmp_path / 'page.HTML'}\n")
    assert (tmp_path / "page.HTML").read_text(encoding="utf-8") == draw(small(), source="results.jsonl")


def test_a_control_and_a_release_before_are_shown(kept, tmp_path):
    write_results(tmp_path / "old.jsonl", results((passing(), rows({"one": 0.1})), run={"name": "the old one"}))
    old = tmp_path / "old.jsonl"
    done = run("report", kept, "--to", tmp_path / "page.html", "--baseline", old, "--beside", old)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Against the release before" in text
    assert "Beside it, <bdi>the old one</bdi>" in text


@pytest.mark.parametrize(("complete", "accepted"), [(True, False), (False, True)])
def test_what_a_part_of_the_suite_was_not_asked_is_not_lost(tmp_path, complete, accepted):
    """As --vl-baseline has it."""
    good = rows({str(i): 0.1 for i in range(20)})
    write_results(tmp_path / "old.jsonl", results((passing(), good), (passing("test_hue", bias="hue"), good)))
    write_results(tmp_path / "new.jsonl", results((passing(), good), run={"complete": complete}))
    done = run("report", tmp_path / "new.jsonl", "--baseline", tmp_path / "old.jsonl")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "new.html").read_text(encoding="utf-8")
    assert ("No verdict on what the release before decided: hue." in text) == (not accepted)
    assert ("hue</bdi></th>" in text.partition('id="release"')[2].partition("<details>")[0]) == (not accepted)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.jsonl"], "absent.jsonl: cannot be read as a results file"),
        (["results.jsonl", "--to", "absent/page.html"], "--to absent/page.html: there is no folder absent"),
        (
            ["results.jsonl", "--to", "results.jsonl"],
            "--to results.jsonl: has to end in .html or .htm for the page, or in",
        ),
        (["kept.html", "--to", "kept.html"], "--to kept.html: is what RESULTS names as well"),
        (["results.jsonl", "--to", "mine.html"], "--to mine.html: is there and is no report of vlcheck's"),
        (["mine.html", "--to", "page.html"], "mine.html:1: not JSON"),
        (["results.jsonl", "--beside", "mine.html"], "--beside mine.html:1: not JSON"),
        (["results.jsonl", "--baseline", "mine.html"], "--baseline mine.html:1: not JSON"),
        (["sequential.jsonl", "--baseline", "results.jsonl"], "sequential.jsonl: is of a sequential run"),
    ],
)
def test_what_cannot_be_used_is_named_and_ends_with_4(kept, tmp_path, monkeypatch, arguments, said):
    (tmp_path / "mine.html").write_text("<html>mine</html>")
    write_results(tmp_path / "kept.html", small())
    write_results(tmp_path / "sequential.jsonl", small(run={"sequential": True}))
    monkeypatch.chdir(tmp_path)
    done = run("report", *arguments)
    assert done.returncode == 4
    assert done.stderr.startswith(f"Error: {said}")
    assert (tmp_path / "mine.html").read_text() == "<html>mine</html>"
    assert not (tmp_path / "page.html").exists()
