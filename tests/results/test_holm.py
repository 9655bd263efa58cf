"""Where a verdict and the corrected p beside it do not say the same, the sentence says which of them decides."""

import pytest

from tests.report.pages import passing, results, rows, verdict
from vlcheck.report.page import draw
from vlcheck.report.text import summary
from vlcheck.stats.multiple_testing import holm
from vlcheck.stats.verdict import judge

PAGE = ">would not let this one fail<"  # beside p (Holm) of a verdict


def run(*p):
    return results(*((verdict(f"test_{at}", p=one), rows()) for at, one in enumerate(p)), (passing(p=1.0), rows()))


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ((0.03, 0.04), "2 tests fail by p and would not by p (Holm): p decides, and of as many tests as these one may"),
        ((0.001, 0.04), "1 test fails by p and would not by p (Holm): p decides"),
        ((0.001, 0.002), ""),
    ],
)
def test_it_is_said_which_p_decides_where_they_disagree(p, said):
    found = run(*p)
    lines = [line for line in summary.each(list(found.verdicts.values())) if "p decides" in line]
    assert [line[: len(said)] for line in lines] == ([said] if said else [])
    corrected = holm([*p, 1.0])[:2]
    assert draw(found, source="r.jsonl").count(PAGE) == sum(one >= 0.05 for one in corrected)


def test_the_legend_says_that_the_corrected_p_decides_nothing():
    (*_, legend) = summary.each(list(run(0.001).verdicts.values()))
    meaning = "A test fails by p alone. p (Holm): p corrected for the number of tests of the run. It decides nothing."
    assert legend.endswith(meaning)
    assert meaning.rpartition(": ")[2] in draw(run(0.001), source="r.jsonl")


def test_a_real_verdict_disagrees_with_its_corrected_p():
    """7 of 30 images fail at 10 %; among 60 tests Holm's p of it is above alpha."""
    edge = judge([-1.0] * 7 + [1.0] * 23)
    assert (edge.status, edge.p < 0.05 < min(1.0, 60 * edge.p)) == ("fail", True)
    found = results(*((verdict(f"t{at}", p=edge.p if at == 0 else 1.0), rows()) for at in range(60)))
    disputed = [
        one
        for one, p in zip(found.verdicts.values(), summary.corrected(list(found.verdicts.values())), strict=True)
        if summary.is_disputed(one, p)
    ]
    assert "t0" in {one.behavior for one in disputed}
