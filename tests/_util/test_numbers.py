"""No number reads as another one that says more, wherever it is written."""

import ast
import math
import random
import re

import pytest

from tests.conftest import ROOT
from vlcheck._util import numbers
from vlcheck._util.numbers import brief, chance, counted, duration, figure, rounded, share, shares, signed, whole
from vlcheck.stats.verdict import judge, judge_mean

RANDOM = random.Random(7)
RATES = sorted(
    {0.0, 1.0, 1e-300, 1e-9, 1e-5, 0.0004, 0.0005, 0.0499, 0.05, 0.0501, 0.1, 0.9995, 0.99951, 1 - 1e-7, 1 - 1e-9}
    | {x / n for n in (1, 2, 3, 7, 199, 200, 1_000, 10**6, 10**9) for x in (0, 1, n // 2, n - 1, n)}
    | {RANDOM.random() for _ in range(200)}
    | {10 ** -(300 * RANDOM.random()) for _ in range(200)}
    | {1 - 10 ** -(9 * RANDOM.random()) for _ in range(200)}
)


@pytest.mark.parametrize(
    "written",
    [figure, signed, share, lambda rate: figure(rate, 2), lambda rate: figure(rate, 4)],
    ids=["figure", "signed", "share", "two digits", "four digits"],
)
def test_only_what_is_0_or_1_is_written_so_and_greater_is_never_written_less(written):
    shown = [float(written(rate).removesuffix(" %")) for rate in RATES]
    one = 100.0 if written is share else 1.0
    assert [rate for rate, text in zip(RATES, shown, strict=True) if (text == 0) != (rate == 0)] == []
    assert [rate for rate, text in zip(RATES, shown, strict=True) if (text >= one) != (rate == 1)] == []
    assert shown == sorted(shown)


@pytest.mark.parametrize("limit", [0.05, 0.1, 0.15, 1 / 3])
def test_a_number_beside_a_limit_is_never_written_as_the_limit(limit):
    for step in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10):
        for near in (limit - step, limit + step):
            for text in (figure(near, apart=(limit,)), figure(near, 2, (limit,)), chance(near, limit)):
                assert (float(text) < limit) == (near < limit), (near, text)
            percent = float(share(near, (limit,)).removesuffix(" %"))
            assert (percent < 100 * limit) == (near < limit)
    assert share(limit * (1 - 1e-16), (limit,)) == share(limit)


def test_what_arithmetic_leaves_behind_is_not_shown():
    assert (-0.0050000000000000044, brief(-0.0050000000000000044)) == (-0.0050000000000000044, "-0.005")
    assert (rounded(-0.0050000000000000044), rounded(0.1 + 0.2), rounded(1e-17)) == (-0.005, 0.3, 1e-17)
    assert [written(-0.0) for written in (figure, signed, share, brief, whole)] == ["0.000", "0.000", "0 %", "0", "0"]
    assert str(rounded(-0.0)) == "0.0"
    assert [rounded(1 - 1e-8), rounded(1.0), rounded(2 / 3)] == [0.99999999, 1.0, 0.666667]


@pytest.mark.parametrize(
    ("number", "whole", "said"),
    [
        (0, 1, "0 of 1 tests pass"),
        (1, 1, "1 of 1 test passes"),
        (1, 2, "1 of 2 tests passes"),
        (2, 2, "2 of 2 tests pass"),
        (1_000, 2_000, "1,000 of 2,000 tests pass"),
    ],
)
def test_a_part_and_its_verb_agree_with_their_numbers(number, whole, said):
    assert f"{numbers.part_of(number, whole, 'test')} {numbers.verb(number, 'passes', 'pass')}" == said
    assert numbers.part_of(1, whole, "query", "queries").endswith("query" if whole == 1 else "queries")


def test_what_is_no_number_is_named_and_what_is_not_there_is_a_dash():
    assert [figure(math.nan), signed(math.inf), share(-math.inf), chance(math.nan)] == ["nan", "+inf", "-inf %", "nan"]
    assert [figure(None), signed(None), chance(None), whole(None), numbers.between(None, 1.0)] == ["-"] * 5
    assert math.isnan(rounded(math.nan))


def test_a_p_value_is_never_0():
    assert [chance(0.0), chance(1e-320), chance(1e-50), chance(0.0004)] == ["<1e-300", "<1e-300", "1e-50", "4e-04"]
    assert (chance(0.0496, 0.05), chance(0.04996, 0.05), chance(0.05, 0.05)) == ("0.0496", "0.04996", "0.050")


def test_large_and_whole_numbers():
    assert [whole(1_887), figure(1e20), share(3.0), counted(1, "case"), counted(0, "case"), counted(12_345, "row")] == [
        "1,887",
        "1e+20",
        "300 %",
        "1 case",
        "0 cases",
        "12,345 rows",
    ]
    assert shares(0.27134, 0.9372) == "27.1 to 93.7 %"


def test_a_length_of_time_is_never_0():
    said = [duration(seconds) for seconds in (0, 0.2, 1, 59.9, 60, 89, 3_600, 7_100, 9_000)]
    assert said[:4] == ["1 second", "1 second", "1 second", "59 seconds"]
    assert said[4:] == ["1 minute", "1 minute", "60 minutes", "118 minutes", "2.5 hours"]


def test_a_rate_names_images_where_each_is_whole_and_rows_where_it_is_not():
    margins = [-1.0] + [1.0] * 199
    assert judge(margins).reason == "1 of 200 violates (0.5 %, from 0.03 to 2.3 %); 10 % is allowed"
    assert judge([-1.0] * 199 + [1.0]).reason.startswith("199 of 200 violate (99.5 %, from 97.7 to 99.97 %)")
    several = judge([-1.0, 1.0, 1.0, 1.0] + [1.0] * 796, [image for image in range(200) for _ in range(4)])
    assert several.reason.startswith(
        "1 of 800 rows violates, on average 0.1 % of an image's (200 images, from 0.01 to 1.6 %)"
    )


def test_a_bound_that_decides_is_not_written_as_what_is_allowed():
    n = next(n for n in range(30, 400) if abs((judge([1.0] * n, allowed=0.0149).rate_high or 0) - 0.0149) < 5e-5)
    verdict = judge([1.0] * n, allowed=0.0149)
    high = float(re.search(r"to ([\d.]+) %", verdict.reason)[1])
    assert (high <= 1.49) == verdict.passed


def test_a_mean_is_written_without_what_arithmetic_leaves_behind():
    verdict = judge_mean([-0.0050000000000000044] * 60, band=(-0.15, 0.15))
    assert verdict.reason.startswith("mean -0.005 over 60 images, from -0.")
    assert re.search(r"\d{7}", verdict.reason) is None


def test_numbers_are_written_in_one_place():
    """Outside of `vlcheck._util.numbers`, no message says how many digits a number has."""
    found = [
        f"{path}: {ast.unparse(node)}"
        for path in sorted((ROOT / "vlcheck").rglob("*.py"))
        if not ELSEWHERE & {path.name, *path.parts}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None
        if re.search("[efg%]'$", ast.unparse(node.format_spec))
    ]
    assert found == []


ELSEWHERE = {
    "numbers.py",
    "charts",  # places in a drawing
    "case.py",  # megapixels
    "summary.py",  # a date
    *("models", "zoo", "perturb", "train.py"),  # what is learned and computed, and no result
    "_suite",
}


_GRAMMAR = re.compile(
    r"""["'](?:is|are|has|have|was|were|s|es|pass|passes|fail|fails|violates?|counts?)["'] if [^"']+ [!=]= 1 """
    r"""|(?:len\(\w+\)|:,)\} of \{counted\("""
)


def test_numbers_and_their_words_agree_by_one_module():
    """No module but `numbers` chooses between one and many, or puts a count before a counted whole."""
    assert [_GRAMMAR.search(one) is not None for one in ("""{'is' if len(a) == 1 else""", "{n:,} of {counted(")] == [
        True
    ] * 2
    said = {path: path.read_text(encoding="utf-8") for path in (ROOT / "vlcheck").rglob("*.py")}
    said |= {path: path.read_text(encoding="utf-8") for path in (ROOT / "vlcheck").rglob("*.html")}
    assert [(path.name, found[0]) for path, text in said.items() if (found := _GRAMMAR.search(text))] == []
