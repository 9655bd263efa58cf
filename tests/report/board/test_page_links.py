"""Where a board links to for the page of each run."""

from pathlib import Path

import pytest

from tests.report.board.boards import run_of
from vlcheck.errors import UsageError
from vlcheck.report.board.page_links import PageLinks
from vlcheck.report.page import draw

RUN = run_of().run


@pytest.fixture
def page(tmp_path):
    """A page, beside the results that it is drawn from."""
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "a b#1.html"
    path.write_text(draw(run_of(), source="r"), encoding="utf-8")
    return path


def test_a_page_beside_its_results_is_linked_from_the_folder_of_the_board(tmp_path, page):
    results = page.with_suffix(".jsonl")
    assert PageLinks(tmp_path / "board.html")(results, RUN) == "runs/a%20b%231.html"
    assert PageLinks(tmp_path / "runs" / "board.html")(results, RUN) == "a%20b%231.html"
    (tmp_path / "other").mkdir()
    assert PageLinks(tmp_path / "other" / "board.html")(results, RUN) == "../runs/a%20b%231.html"


def test_what_is_no_page_of_vlchecks_is_not_linked(tmp_path):
    links = PageLinks(tmp_path / "board.html")
    (tmp_path / "mine.html").write_text("<html>mine")
    (tmp_path / "folder.html").mkdir()
    assert [links(tmp_path / f"{name}.jsonl", RUN) for name in ("mine", "folder", "absent")] == ["", "", ""]


def test_a_path_with_names_is_looked_at_and_an_address_is_not(tmp_path, page):
    results = Path("elsewhere/a b#1.jsonl")
    assert PageLinks(tmp_path / "board.html", f"{page.parent}/{{name}}.html")(results, RUN) == "runs/a%20b%231.html"
    links = PageLinks(tmp_path / "board.html", "https://ci.example/{folder}/{name}?of={run_id}")
    assert links(results, RUN) == "https://ci.example/elsewhere/a%20b%231?of=a-model%201%20f1f1"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("https://ci.example/{model}", "pages=https://ci.example/{model}: {model} is not known; {name}, {folder}"),
        ("javascript:alert(1)//{name}", "is no address to link to"),
        ("https://ci.example/{name}#top", "is no address to link to"),
        ("https://ci.example/a b/{name}", "is no address to link to"),
        ("file:///{name}.html", "is no address to link to"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(tmp_path, pattern, said):
    with pytest.raises(UsageError) as raised:
        PageLinks(tmp_path / "board.html", pattern)
    assert said in str(raised.value)


def test_two_runs_with_one_page_are_refused(tmp_path):
    links = PageLinks(tmp_path / "board.html", "https://ci.example/{name}.html")
    links(Path("one/r.jsonl"), RUN)
    with pytest.raises(
        UsageError, match=r"https://ci.example/r.html would be the page of one/r.jsonl and of two/r.jsonl"
    ):
        links(Path("two/r.jsonl"), RUN)
