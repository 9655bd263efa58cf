"""Two files of kept answers: same, different or inconclusive, and what is said of it."""

import json

import pytest

from tests.conftest import ROOT
from tests.equivalence.sides import KINDS, case, match, side, words, written
from vlcheck._util.typed import convert, json_schema
from vlcheck.equivalence.records import ParityReport
from vlcheck.equivalence.report import report_on
from vlcheck.equivalence.text import conclusion_of, report_lines, report_markdown
from vlcheck.errors import UsageError
from vlcheck.policy.policy import Margins

MARGINS = Margins()


def sides(tmp_path, n, moved=0, *, a=None, b=None):
    """Write the answers of two models to n cases, of which some are answered otherwise."""
    own = [case(f"case {at}", match(0.9, 0.1), words(0.5, 0.25)) for at in range(n)]
    other = [case(f"case {at}", match(0.2, 0.1), words(0.25, 0.5)) for at in range(moved)] + own[moved:]
    return written(tmp_path / "a.parity", own, **(a or {})), written(tmp_path / "b.parity", other, **(b or {}))


@pytest.mark.parametrize(
    ("n", "moved", "status", "said"),
    [
        (149, 0, "same", "every difference is within its margin, on 149 images"),
        (
            148,
            0,
            "inconclusive",
            "148 images cannot show sameness at these margins, even without a difference: 149 are",
        ),
        (200, 100, "different", "itm: the mean largest difference of scores is 0.350, shown to be beyond 0.03, on 200"),
        (200, 1, "inconclusive", "images would decide"),
        (30, 15, "different", "on 30 images"),  # few images may show a difference
    ],
)
def test_sameness_is_shown_refuted_or_open(tmp_path, n, moved, status, said):
    report = report_on(*sides(tmp_path, n, moved), MARGINS)
    assert report.status == status
    assert said in report.reason
    assert report.same == (status == "same")
    assert [one.metric for one in report.metrics] == ["itm", "mlm"]


def test_nothing_green_comes_of_nothing(tmp_path):
    refused = [case(f"case {at}", match(refused="too long")) for at in range(200)]
    report = report_on(written(tmp_path / "a.parity", refused), written(tmp_path / "b.parity", refused), MARGINS)
    assert (report.status, report.reason) == ("inconclusive", "nothing could be compared")
    assert "itm: 200 questions that neither answers: too long" in list(report_lines(report))


def unanswered(tmp_path, lacking, of, **why):
    """Report on a model against itself, both of whose answers under mlm lack to some of the cases."""
    own = [case(f"case {at}", match(0.9, 0.1), words(**why) if at < lacking else words(0.5, 0.25)) for at in range(of)]
    return report_on(written(tmp_path / "a.parity", own), written(tmp_path / "b.parity", own), MARGINS)


@pytest.mark.parametrize("why", [{"refused": "too long"}, {"failed": "status 500"}])
def test_sameness_is_not_shown_by_the_few_questions_that_were_answered(tmp_path, why):
    report = unanswered(tmp_path, 850, 1000, **why)
    (reason,) = why.values()
    assert report.status == "inconclusive"
    assert report.reason.startswith(f"mlm: 850 of 1,000 questions not compared ({reason}): sameness is shown only if")
    assert [metric.status for metric in report.metrics] == ["same", "inconclusive"]


def test_a_metric_without_an_answer_leaves_all_open(tmp_path):
    assert unanswered(tmp_path, 200, 200, refused="no such word").status == "inconclusive"


@pytest.mark.parametrize(("lacking", "status"), [(10, "same"), (11, "inconclusive")])
def test_a_twentieth_of_the_questions_may_lack_an_answer_and_is_said(tmp_path, lacking, status):
    report = unanswered(tmp_path, lacking, 200, failed="status 500")
    assert report.status == status
    assert f"mlm: {lacking} of 200 questions not compared (status 500)" in report.reason
    assert f"mlm: {lacking} questions without an answer, by an error: status 500" in list(report_lines(report))


def test_a_shown_difference_stays_one_whatever_else_lacks_an_answer(tmp_path):
    own = [case(f"case {at}", match(0.9, 0.1), words(refused="no such word")) for at in range(100)]
    other = [case(f"case {at}", match(0.1, 0.9), words(refused="no such word")) for at in range(100)]
    report = report_on(written(tmp_path / "a.parity", own), written(tmp_path / "b.parity", other), MARGINS)
    assert report.status == "different"


def test_kinds_that_differ_and_metrics_that_one_lacks_are_not_compared(tmp_path):
    b = {"side": side(kinds={"itm": "yes-no"})}
    report = report_on(*sides(tmp_path, 200, b=b), MARGINS)
    assert report.not_compared == {
        "itm": "A's scores are of the kind match-head, B's of the kind yes-no",
        "mlm": "B has no mlm",
    }
    assert (report.status, report.metrics) == ("inconclusive", ())


def test_one_metric_that_both_have_is_compared_and_the_other_said(tmp_path):
    report = report_on(*sides(tmp_path, 200, b={"side": side(kinds=KINDS | {"mlm": "choice"})}), MARGINS)
    assert report.status == "same"
    assert "mlm is not compared: A's scores are of the kind masked-lm, B's of the kind choice" in "\n".join(
        report_lines(report)
    )


def test_differences_of_both_setups_are_listed(tmp_path):
    b = side(
        dtype="bfloat16",
        batch_size=4,
        fingerprint="g",
        setup={"precision": "bfloat16", "adapter": "lora"},
        versions={"torch": "2.15"},
    )
    a = side(setup={"precision": "float32"})
    report = report_on(*sides(tmp_path, 20, a={"side": a}, b={"side": b}), MARGINS)
    assert report.differs == (
        "dtype: float32 and bfloat16",
        "batch_size: 16 and 4",
        "precision: float32 and bfloat16",
        "adapter: not said and lora",
        "torch 2.14 before, 2.15 now",
        "their fingerprints: weights, preprocessing, precision or device",
    )


def test_other_questions_are_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"are not asked the same questions \(a model on scenes:3, 3 images; a model on"
    ):
        report_on(*sides(tmp_path, 3, b={"questions": "others", "data": "scenes:4"}), MARGINS)


def test_a_file_that_lost_a_line_is_refused(tmp_path):
    a, b = sides(tmp_path, 3)
    b.path.write_text("".join(b.path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(UsageError, match=r"a.parity:4: is not about the same questions as .*b.parity:4"):
        report_on(a, b, MARGINS)


def test_the_report_has_the_published_schema(tmp_path):
    assert json.loads((ROOT / "docs" / "parity.schema.json").read_text(encoding="utf-8")) == json_schema(ParityReport)
    report = report_on(*sides(tmp_path, 20, 3), MARGINS)
    assert convert(json.loads(report.to_json()), ParityReport) == report


def test_lines_and_markdown_say_the_figures(tmp_path):
    report = report_on(*sides(tmp_path, 200, 100), MARGINS)
    lines = "\n".join(report_lines(report))
    assert "50 % (44 to 56 %; margin 5 %)" in lines
    assert "case 0, own, itm: 'text 0' 0.900 / 0.200, 'text 1' 0.100 / 0.100 (changed)" in lines
    assert lines.endswith(conclusion_of(report))
    page = report_markdown(report)
    assert page.startswith("## Parity: different\n")
    assert "| itm | match-head | different | 200 | 50 %" in page
