"""The gallery of docs/: a small page for each planted bias."""

from benchmarks import gallery
from tests.report.pages import passing, results, rows, verdict
from vlcheck.results.file import write_results
from vlcheck.zoo import PLANTED


def test_each_planted_bias_has_a_page_and_all_are_small():
    pages = {page.stem: page.stat().st_size for page in gallery.PAGES.glob("*.html")}
    assert pages.keys() == {variant for variant, biases in PLANTED.items() if biases}
    assert sum(pages.values()) < 2_500_000
    index = (gallery.PAGES / "index.md").read_text(encoding="utf-8")
    assert all(f"({variant}.html)" in index for variant in pages)


def test_a_page_shows_three_cases_of_each_verdict_and_draws_all_of_them(tmp_path):
    margins = {f"case {number}": 0.3 - number / 10 for number in range(9)}
    write_results(
        tmp_path / "r.jsonl", results((verdict(), rows(margins)), (passing(), rows(dict.fromkeys(margins, 0.1))))
    )
    page = gallery.page_of(tmp_path / "r.jsonl")
    assert page.count('<article class="row"') == 6
    assert "6 of 9 rows violate" in page
