"""Addresses on the page: one for each verdict and each row, the same on each page of the same results."""

import base64

from tests.report.pages import RUN, explanation, passing, results, row, small, verdict
from tests.report.reading import HOSTILE, Elements, views
from vlcheck.report.page import draw
from vlcheck.report.page.searching import searched_text
from vlcheck.report.table import csv_text
from vlcheck.results.anchors import row_anchor, verdict_anchor
from vlcheck.results.comparison import compare_runs
from vlcheck.results.file import key_of
from vlcheck.results.schema import record_of

SWAPS = "behavior_tests/test_position.py::test_mirror_swaps_sides[itm]"
TWIN = SWAPS.replace("position", "order")


def odd():
    """Verdicts whose names are alike, and rows with odd names."""
    names = ("a b", "a-b", "A b", "日本", "\u202ea", HOSTILE)
    rows = [row(name, -0.1) for name in names] + [row("a b", -0.2, perturbation="mirror v1")]
    swaps = passing("test_mirror_swaps_sides", test=SWAPS)
    return small((swaps, rows), (passing("test_mirror_swaps_sides", test=TWIN), rows), (verdict(HOSTILE), rows))


def ids(page):
    return [attributes["id"] for _, attributes in Elements(page).elements if "id" in attributes]


def test_each_verdict_and_each_row_has_an_address_of_its_own():
    found = odd()
    there = ids(draw(found, source="r"))
    assert len(set(there)) == len(there)
    assert {verdict_anchor(*key) for key in found.verdicts} <= {*there}
    for key, one in found.verdicts.items():
        for its in (its for its in found.rows(key) if its.margin is not None):
            assert row_anchor(*key_of(one), its.case, its.perturbation or "") in there
    assert "mirror-swaps-sides-itm" in there
    assert len([one for one in there if one.startswith("mirror-swaps-sides-itm-")]) == 1 + 2 * 7


def test_rows_of_one_name_have_addresses_of_their_own():
    found = results((verdict(), [row("one", -0.1), row("one", -0.3), row("one", -0.2), row("two", 0.1)]))
    page = draw(found, source="r")
    shown = [one["id"] for one in Elements(page).all("article") if one["class"] == "row"]
    own = row_anchor(*next(iter(found.verdicts)), "one", "grayscale v1")
    assert sorted(shown)[:3] == [own, f"{own}-2", f"{own}-3"]
    assert len({*ids(page)}) == len(ids(page))


def test_each_address_on_the_page_leads_somewhere():
    page = draw(odd(), source="r", comparison=compare_runs(small(), odd()))
    there = {*ids(page)}
    lead = [one["href"] for one in Elements(page).all("a") if "download" not in one]
    assert [href for href in lead if href.removeprefix("#") not in there] == []
    rows = [one["id"] for one in Elements(page).all("article") if one["class"] == "row"]
    assert {f"#{one}" for one in rows} <= {*lead}


def test_pages_of_the_same_results_have_the_same_addresses():
    found, more = odd(), odd()
    more.explanations.clear()
    plain, compared = (
        draw(found, source="r"),
        draw(more, source="r", beside=small(), comparison=compare_runs(small(), more)),
    )
    verdicts = {verdict_anchor(*key) for key in found.verdicts}
    rows = [{one["id"] for one in Elements(page).all("article") if one["class"] == "row"} for page in (plain, compared)]
    assert rows[0] == rows[1]
    assert verdicts <= {*ids(plain)} & {*ids(compared)}


def test_a_row_has_what_a_search_compares_once_and_no_more_than_some():
    texts = ["A red BUS", "A red BUS", "x" * 9_999]
    one = record_of(row("Case 7", -0.1, texts=texts, targets=["bus", "bus"], scores=[{"bus": 1, "Car": 0}, {"van": 0}]))
    assert searched_text(one) == "\n".join(("case 7", "a red bus", "x" * 300, "bus", "grayscale v1", "car", "van"))
    assert len(searched_text(record_of(row("c" * 9_999, 0, texts=texts * 9, targets=["t" * 9_999])))) == 900
    hostile = draw(results((passing(), [row(HOSTILE, 0.1, texts=[HOSTILE])])), source="r")
    (shown,) = (one for one in Elements(hostile).all("article") if one["class"] == "row")
    assert shown["data-text"].startswith("<script>alert(1)</script>")
    assert "⟨u+202e⟩" in shown["data-text"]


def test_the_command_is_the_verdicts_and_a_name_that_is_no_text_has_none():
    found = small((verdict("test_quoted", test="it's/t.py::test_quoted[mlm]"), []), (verdict("test_bell\a"), []))
    shown = {title: one.command for (title, _), one in views(found).items()}
    options = "--vl-model=file.py:factory --vl-data=scenes:6 --vl-policy=policy.toml"
    assert shown["quoted"] == f"""pytest 'it'"'"'s/t.py::test_quoted[mlm]' {options}"""
    assert shown["bell␇"] == ""
    page = draw(found, source="r")
    assert page.count('data-copy="link"') == len(found.verdicts) == page.count('data-copy="command"') + 1


def test_a_run_of_python_objects_says_how_it_is_repeated_and_has_no_command():
    found = small(run={"objects": ["model"]})
    page = draw(found, source="r")
    assert {one.command for one in views(found).values()} == {""}
    assert page.count("Again: call vlcheck.evaluate as before, with tests=") == len(found.verdicts)
    assert "copy command" not in page.partition("<script>")[0]


def test_the_download_is_the_table_of_the_verdicts():
    found = small(run=RUN | {"name": "=1+1"})
    for page in (draw(found, source="r"), draw(found, source="r", comparison=compare_runs(odd(), found))):
        (link,) = (one for one in Elements(page).all("a") if "download" in one)
        start, _, encoded = link["href"].partition(",")
        assert (start, link["download"]) == ("data:text/csv;charset=utf-8;base64", "verdicts.csv")
        assert base64.b64decode(encoded).decode() == csv_text(found)


def test_a_row_with_a_map_is_the_first_explained_case():
    anchor = row_anchor(verdict()["test"], "test_grey_preserves", "mlm", "one", "grayscale v1")
    assert explanation("before")["case"] == "one"
    assert draw(small(), source="r").count(f'<a href="#{anchor}">') == 2  # one on top, one where it fails
