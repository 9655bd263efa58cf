"""`vlcheck board`, as typed."""

import pytest

from tests.cli.test_cli import run
from tests.report.board.boards import kept, run_of
from tests.report.pages import small
from vlcheck.report.board import BOARD_START
from vlcheck.report.page import draw
from vlcheck.results.file import write_results


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_runs_are_drawn_on_one_page_in_the_current_folder_unless_said(tmp_path):
    paths = kept(tmp_path, one=run_of(), two=run_of(name="b", day=2))
    done = run("board", *paths)
    latest = "Of the latest run of each model: 2 with a fail."
    assert (done.returncode, done.stdout, done.stderr) == (0, f"board: board.html, 2 models in 2 runs\n{latest}\n", "")
    text = (tmp_path / "board.html").read_text(encoding="utf-8")
    assert text.startswith(BOARD_START)
    assert "2 models in 2 runs" in text
    assert run("board", *paths, "--to", "board.html").returncode == 0  # an older board is replaced
    assert (tmp_path / "board.html").read_text(encoding="utf-8") == text


def test_a_page_beside_the_results_is_linked_and_pages_elsewhere_are_where_they_are_said_to_be(tmp_path):
    write_results(tmp_path / "one.jsonl", small())
    (tmp_path / "one.html").write_text(draw(small(), source="one.jsonl"), encoding="utf-8")
    run("board", "one.jsonl")
    assert 'href="one.html#grey-preserves-mlm' in (tmp_path / "board.html").read_text(encoding="utf-8")
    run("board", "one.jsonl", "--pages", "https://ci.example/{name}/report.html")
    assert 'href="https://ci.example/one/report.html#grey-' in (tmp_path / "board.html").read_text(encoding="utf-8")


def test_models_and_data_of_several_specs_are_named(tmp_path):
    paths = kept(tmp_path, one=run_of(name="1", data="coco:/a"), two=run_of(name="2", data="coco:/b", day=2))
    assert "2 models in 2 runs\n" in run("board", *paths).stdout
    done = run("board", *paths, "--same-model", "ours=?", "--same-data", "val=coco:*")
    assert done.stdout.splitlines() == [
        "board: board.html, 1 model in 2 runs",
        "Of the latest run of each model: 1 with a fail.",
    ]
    refused = run("board", *paths, "--same-model", "ours=albef:*")
    said = "Error: --same-model ours=albef:*: fits no spec; there are e.g. 1, 2.\n"
    assert (refused.returncode, refused.stderr) == (4, said)
    assert run("board", *paths, "--same-data", "val").stderr.startswith("Error: --same-data val: NAME=PATTERN is")


def test_a_damaged_file_is_named_left_out_and_ends_it_with_1(tmp_path):
    good, bad = kept(tmp_path, good=run_of(), bad=run_of(day=2))
    bad.write_text(bad.read_text()[:-40])
    done = run("board", good, bad, good)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "board: board.html, 1 model in 1 run")
    assert done.stdout.endswith("2 files are left out.\n")
    left_out = done.stderr.splitlines()
    assert left_out[0].startswith(f"left out: {bad}:")
    assert left_out[1] == f"left out: {good}: is named twice; it is run 1."
    text = (tmp_path / "board.html").read_text(encoding="utf-8")
    assert "2 files are left out." in text
    assert "One run alone" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'results'"),
        (["absent.jsonl"], "absent.jsonl: cannot be read"),
        (["one.jsonl", "."], ".: cannot be read (Is a directory)"),
        (["mine.html"], "Nothing can be drawn"),
        (["one.jsonl", "--to", "one.jsonl"], "--to one.jsonl: is a results file, one.jsonl; name another file."),
        (["one.jsonl", "--to", "link.html"], "--to link.html: is a results file, one.jsonl; name another file."),
        (["one.jsonl", "--to", "mine.html"], "--to mine.html: is there and is no board of vlcheck's"),
        (["one.jsonl", "--to", "page.html"], "--to page.html: is there and is no board of vlcheck's"),
        (["one.jsonl", "--to", "absent/board.html"], "--to absent/board.html: there is no folder absent"),
        (["one.jsonl", "--to", "."], "--to .: is no file that a board could be written to"),
        (["one.jsonl", "--pages", "javascript:alert(1)"], "--pages javascript:alert(1): is no address to link to"),
        (["one.jsonl", "two.jsonl", "--pages", "https://ci.example/"], "--pages https://ci.example/: https://ci.exam"),
    ],
)
def test_what_cannot_be_used_is_named_and_ends_with_4(tmp_path, arguments, said):
    kept(tmp_path, one=run_of(), two=run_of(name="b"))
    (tmp_path / "mine.html").write_text("<html>mine</html>")
    (tmp_path / "page.html").write_text(draw(small(), source="r"), encoding="utf-8")
    (tmp_path / "link.html").symlink_to("one.jsonl")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("board", *arguments)
    assert done.returncode == 4
    assert done.stderr.startswith(f"Error: {said}")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
