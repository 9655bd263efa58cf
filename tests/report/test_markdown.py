"""The summary of a step: short, whatever was asked, and no place for what a text would like to be."""

import re
from html.parser import HTMLParser

import pytest

from vlcheck.report.markdown import MOST_BYTES, MOST_ROWS, escaped, gravest_first, status, summary
from vlcheck.report.results import Results

HOSTILE = "a|b`c`<img src=x onerror=y>\r\n# x **y** [z](http://e) \u202egnp\x1b[2J ~~s~~ &amp; \\"


def verdict(test="test_a", metric="mlm", **changes):
    named = {"test": f"tests/test_x.py::{test}[{metric}]", "bias": "color", "behavior": test, "metric": metric}
    judged = {"status": "fail", "claim": "rate", "rate": 0.4, "rate_low": 0.31, "rate_high": 0.5, "allowed": 0.1}
    return {"kind": "verdict"} | named | judged | changes


def results(*verdicts, **run):
    header = {"name": "mine", "data": "scenes", "score_kinds": {"mlm": "masked-lm"}} | run
    keyed = {(one["test"], one["behavior"], one["metric"]): one for one in verdicts}
    return Results(header, verdicts=keyed)


def rows(text):
    """The cells of all tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0] not in ("bias", "test")]


def test_it_says_what_was_found_by_bias_and_by_test():
    text = summary(
        results(
            verdict(),
            verdict(metric="itm", status="pass"),
            verdict("test_b", bias="order", status="inconclusive", rate=0.1, rate_low=0.05, rate_high=0.3),
        ),
        ["worse: none"],
    )
    assert text.startswith("## vlcheck: mine on scenes")
    assert "bias\\: color; of 3 verdicts" in text.replace("\\;", ";")
    assert "worse\\: none" in text
    assert rows(text) == [
        ["color", "fail", "pass"],
        ["order", "inconclusive", "-"],
        ["test\\_a\\[mlm\\]", "mlm", "fail", "0.400", "0.31 to 0.50", "0.100"],
        ["test\\_b\\[mlm\\]", "mlm", "inconclusive", "0.100", "0.05 to 0.30", "0.100"],
    ]


def test_a_run_that_passes_lists_no_test():
    assert rows(summary(results(verdict(status="pass")))) == [["color", "pass", "-"]]


def test_the_gravest_come_first_and_what_is_known_last():
    known = verdict("known", known={"reason": "x", "expired": False}, rate_low=0.9)
    expired = verdict("expired", known={"reason": "x", "expired": True}, rate_low=0.2)
    verdicts = [known, verdict("undecided", status="inconclusive"), verdict("clear", rate_low=0.8), expired]
    verdicts += [verdict("nothing", status="invalid", rate=None, rate_low=None), verdict("passes", status="pass")]
    order = [one["behavior"] for one in gravest_first(verdicts)]
    assert order == ["clear", "expired", "nothing", "undecided", "passes", "known"]
    assert [status(one) for one in (known, expired)] == ["fail (known)", "fail"]
    assert ["color", "fail", "-"] in rows(summary(results(*verdicts)))
    assert ["color", "fail \\(known\\)", "-"] in rows(summary(results(known)))


def test_at_most_fifty_rows_are_shown_and_the_rest_is_counted():
    text = summary(results(*(verdict(f"test_{number}", rate_low=1 - number / 100) for number in range(80))))
    assert len(rows(text)) == MOST_ROWS
    assert "test\\_48\\[mlm\\]" in text
    assert "test\\_49\\[mlm\\]" not in text
    assert "31 more rows are left out here; the results file has all." in text
    many = summary(results(*(verdict(f"test_{number}", bias=f"bias{number}") for number in range(80))))
    assert len(rows(many)) == MOST_ROWS
    assert many.count("more rows are left out") == 2


@pytest.mark.parametrize("sign", ["_", "é", "😀", "\u202e", "|"])
def test_it_is_small_whatever_the_names_are(sign):
    named = [verdict(f"{number}{sign * 9000}", bias=f"{number}{sign * 9000}") for number in range(80)]
    metrics = [verdict(metric=f"{number}{sign * 9000}", bias="b") for number in range(20)]
    text = summary(results(*named, *metrics, name=sign * 9000, data=sign * 9000), [sign * 9000] * 3)
    assert len(text.encode()) < MOST_BYTES
    assert "left out" in text


def test_no_text_becomes_markup():
    text = summary(results(verdict(f"{HOSTILE}", bias=HOSTILE, metric=HOSTILE), name=HOSTILE, data=HOSTILE), [HOSTILE])
    assert all(line.isprintable() for line in text.split("\n"))
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)
    parser.feed(text.replace("\\<", ""))  # which Markdown takes for the sign
    assert found == []
    assert len({line.count(" | ") for line in text.splitlines() if line.startswith("| a")}) == 2  # of either table


@pytest.mark.parametrize("sign", "\\`*_{}[]()<>#+!|~&$@:\"'^=;?")
def test_every_sign_of_markdown_is_escaped(sign):
    assert escaped(f"a{sign}b") == f"a\\{sign}b"


def test_lines_and_what_is_unseen_are_written_out():
    assert escaped("a\r\nb\u202ec") == "a\\\\r\\\\nb\\\\u202ec"
