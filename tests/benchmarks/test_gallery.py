"""The gallery of docs/: a page for each planted bias, and how evidence is thinned out for it."""

from benchmarks import gallery
from vlcheck.zoo import PLANTED


def test_each_planted_bias_has_a_page_and_all_are_small():
    pages = {page.stem: page.stat().st_size for page in gallery.PAGES.glob("*.html")}
    assert pages.keys() == {variant for variant, biases in PLANTED.items() if biases}
    assert sum(pages.values()) < 2_000_000
    index = (gallery.PAGES / "index.md").read_text(encoding="utf-8")
    assert all(f"({variant}.html)" in index for variant in pages)


def test_the_worst_cases_of_each_verdict_are_kept_with_their_pictures():
    def case(test, margin, image):
        return {"kind": "evidence", "test": test, "metric": "itm", "margin": margin, "image": image, "perturbed": None}

    rows = [case("test_a", margin, f"picture {margin}") for margin in (0.5, -0.2, None, 0.1, -0.9)]
    images = [{"kind": "image", "key": row["image"]} for row in rows]
    verdict = {"kind": "verdict", "status": "fail"}
    run, *kept = gallery.small([{"kind": "run", "lines": 99}, *images, *rows, verdict])
    assert run == {"kind": "run", "lines": 8}
    assert [line["margin"] for line in kept if line["kind"] == "evidence"] == [-0.2, 0.1, -0.9]
    assert [line["key"] for line in kept if line["kind"] == "image"] == ["picture -0.2", "picture 0.1", "picture -0.9"]
    assert kept[-1] == verdict
