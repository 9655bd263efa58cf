"""The summary of a step: short, whatever was asked, and no place for what a text would like to be."""

import re
from html.parser import HTMLParser

import pytest

from vlcheck.report.markdown.markdown import MOST_BYTES, MOST_ROWS, summary, text
from vlcheck.results.file import ResultLines, key_of
from vlcheck.results.schema import record_of

HOSTILE = "a|b`c`<img src=x onerror=y>\r\n# x **y** [z](http://e) \u202egnp\x1b[2J ~~s~~ &amp; \\"


def verdict(test="test_a", metric="mlm", **changes):
    named = {"test": f"tests/test_x.py::{test}[{metric}]", "bias": "color", "behavior": test, "metric": metric}
    judged = {"status": "fail", "claim": "rate", "rate": 0.4, "rate_low": 0.31, "rate_high": 0.5, "allowed": 0.1}
    return {"kind": "verdict", "score_kind": "masked-lm", "reason": ""} | named | judged | changes


def results(*verdicts, **run):
    header = {"kind": "run", "schema": 1, "name": "mine", "fingerprint": "f", "data": "scenes", "started": "today"}
    header |= {"score_kinds": {"mlm": "masked-lm"}, "complete": True}
    return ResultLines(record_of(header | run), verdicts={key_of(one): one for one in map(record_of, verdicts)})


def rows(page):
    """The cells of all tables, without their heads."""
    lines = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0] not in ("bias", "test")]


def test_it_says_what_was_found_by_bias_and_by_test():
    page = summary(
        results(
            verdict(),
            verdict(metric="itm", status="pass"),
            verdict("test_b", bias="order", status="inconclusive", rate=0.1, rate_low=0.05, rate_high=0.3),
        ),
        ["worse: none"],
    )
    assert page.startswith("## vlcheck: mine on scenes")
    sentence = "Fails 1 of 2 biases (color), the other is inconclusive; none passes."
    assert f"\n**{sentence}** Of 3 verdicts, 1 fails, 1 is inconclusive, 1 passes.\n" in page
    assert "\nInconclusive (in order): too few images to tell.\n" in page
    assert "\nworse: none\n" in page
    assert rows(page) == [
        ["color", "fail", "pass"],
        ["order", "inconclusive", "-"],
        ["test\\_a\\[mlm\\]", "mlm", "fail", "0.400", "0.31 to 0.50", "0.100"],
        ["test\\_b\\[mlm\\]", "mlm", "inconclusive", "0.100", "0.05 to 0.30", "0.100"],
    ]


def test_a_run_that_passes_lists_no_test():
    assert rows(summary(results(verdict(status="pass")))) == [["color", "pass", "-"]]


def test_a_known_fail_beside_a_pass_is_a_known_fail():
    known = verdict("known", known={"reason": "x", "expired": False})
    expired = verdict("known", known={"reason": "x", "expired": True})
    passes = verdict("passes", status="pass")
    assert rows(summary(results(known, passes)))[0] == ["color", "fail (known)", "-"]
    assert rows(summary(results(expired, passes)))[0] == ["color", "fail", "-"]
    assert [row[0] for row in rows(summary(results(known, verdict("clear"))))[1:]] == [
        "clear\\[mlm\\]",
        "known\\[mlm\\]",
    ]


def test_what_was_not_asked_is_counted_beside_a_pass_and_listed_last():
    few = [verdict(f"few_{number}", status="not asked") for number in range(2)]
    page = summary(results(*few, verdict("passes", status="pass"), verdict("unclear", status="inconclusive")))
    assert rows(page)[0] == ["color", "inconclusive", "-"]
    assert [row[0] for row in rows(page)[1:]] == ["unclear\\[mlm\\]", "few\\_0\\[mlm\\]", "few\\_1\\[mlm\\]"]
    assert rows(summary(results(*few, verdict("passes", status="pass"))))[0] == ["color", "pass (2 not asked)", "-"]


def test_a_part_of_the_suite_says_so():
    page = summary(results(verdict(status="pass"), complete=False, unjudged=["t.py::test_b[mlm]"]))
    assert "**Stopped: 1 of 2 tests has no verdict. Passes what was asked of 1 bias, which is not the whole" in page
    assert "Without a verdict: test\\_b\\[mlm\\]." in page


def test_at_most_fifty_rows_are_shown_and_the_rest_is_counted():
    page = summary(results(*(verdict(f"test_{number}", rate=1 - number / 100) for number in range(80))))
    assert len(rows(page)) == MOST_ROWS
    assert "test\\_48\\[mlm\\]" in page
    assert "test\\_49\\[mlm\\]" not in page
    assert "31 more rows are left out here; the results file has all." in page
    many = summary(results(*(verdict(f"test_{number}", bias=f"bias{number}") for number in range(80))))
    assert len(rows(many)) == MOST_ROWS
    assert many.count("more rows are left out") == 2


@pytest.mark.parametrize("sign", ["_", "é", "😀", "\u202e", "|"])
def test_it_is_small_whatever_the_names_are(sign):
    named = [verdict(f"{number}{sign * 9000}", bias=f"{number}{sign * 9000}") for number in range(80)]
    metrics = [verdict(metric=f"{number}{sign * 9000}", bias="b") for number in range(20)]
    page = summary(results(*named, *metrics, name=sign * 9000, data=sign * 9000), [sign * 9000] * 3)
    assert len(page.encode()) < MOST_BYTES
    assert "left out" in page


def test_no_text_becomes_markup():
    page = summary(results(verdict(f"{HOSTILE}", bias=HOSTILE, metric=HOSTILE), name=HOSTILE, data=HOSTILE), [HOSTILE])
    assert all(line.isprintable() for line in page.split("\n"))
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)
    parser.feed(page)
    assert found == []
    assert "://" not in page
    assert len({line.count(" | ") for line in page.splitlines() if line.startswith("| a")}) == 2  # of either table


@pytest.mark.parametrize("sign", "\\`*_[]|~#!$")
def test_every_sign_that_begins_markup_is_escaped(sign):
    assert text(f"a{sign}b") == f"a\\{sign}b"


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("see http://e.org", "see http&#58;//e.org"),
        ("WWW.e.org", "WWW&#46;e.org"),
        ("a@b.org", "a&#64;b.org"),
        ("a\r\nb\u202ec", "a b\\\\u202ec"),
        ("👩\u200d👧 \u0645\u06cc\u200c\u062e", "👩\u200d👧 \u0645\u06cc\u200c\u062e"),
        ("x" * 200, "x" * 96 + " ..."),
        (None, "None"),
    ],
)
def test_foreign_text_is_one_line_of_text(foreign, shown):
    assert text(foreign) == shown
