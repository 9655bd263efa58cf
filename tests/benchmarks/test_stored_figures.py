"""The documentation's sentences about the zoo's matrix, held against the stored measurement."""

import re

import pytest

from benchmarks import proof_page
from tests.conftest import ROOT
from tests.studies.test_power import examined
from vlcheck.studies.power import PowerMatrix, as_json, from_json
from vlcheck.zoo import CONTROL, PLANTED

PAGE = (ROOT / "docs" / "explanation" / "proof.md").read_text(encoding="utf-8")
PAGES = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]
# Without what is made of the measurement itself, which `python -m benchmarks.table --check` guards.
PROSE = re.sub(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", "", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def matrix():
    return from_json((ROOT / "benchmarks" / "matrix.json").read_text(encoding="utf-8"))


def test_the_sentence_about_the_matrix_stands_in_the_documentation():
    said = (
        "fail tests of that bias and none of another, in every seed, and the clean one that they come from fails none"
    )
    assert said in re.sub(r"\s+", " ", PROSE)


def test_what_is_planted_fails_in_every_seed_and_nothing_else_does(matrix):
    assert set(matrix.variants) == set(PLANTED)
    for variant in matrix.variants:
        failing = {bias: matrix.failing(variant, bias) for bias in matrix.biases}
        assert failing == {bias: matrix.seeds(variant) * (bias in PLANTED[variant]) for bias in matrix.biases}, variant


def test_everything_is_only_said_to_pass_in_every_seed_where_it_does(matrix):
    claims = [claim for page in PAGES for claim in re.findall(r"[^.]*passes everything[^.]*", page)]
    assert matrix.green(CONTROL) == matrix.seeds(CONTROL) or not any(
        re.search("every (one of its|seed)", claim) for claim in claims
    )


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ("pass pass", "`tiny` passes everything, in every one of its 2 seeds."),
        ("pass inconclusive", "`tiny` passes everything in 1 of 2 seeds; in the others some tests are inconclusive."),
    ],
)
def test_the_block_says_in_how_many_seeds_the_control_passes_everything(seeds, said):
    rows = (examined("tiny", "color", seeds, "pass"), examined("tiny", "order", "pass pass", "pass"))
    assert said in proof_page.power(as_json(PowerMatrix(40, rows)))
