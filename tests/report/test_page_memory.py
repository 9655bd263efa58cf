"""The memory that a page takes does not grow with the rows of the evidence that it leaves out."""

import tracemalloc

import pytest

from tests.report.pages import image, passing, results, row, verdict
from vlcheck.report.page import draw, stream
from vlcheck.report.page.row_budget import MOST
from vlcheck.results import spooled

FEW, MANY = 300, 2_000


@pytest.fixture(autouse=True)
def in_a_file(monkeypatch):
    monkeypatch.setattr(spooled, "IN_MEMORY", 1_000)


def made(count):
    """The results of a test whose rows have pictures of their own."""
    pictures = [image(f"p{number}", jpeg=f"{number:04}" * 500) for number in range(count)]
    evidence = [row(f"case {number}", 0.1, image=f"p{number}") for number in range(count)]
    return results((passing(), evidence), images=pictures)


def peak(found):
    """The most bytes while the page is written, beyond those of the results."""
    tracemalloc.start()
    try:
        for _ in stream(found, source="r"):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_row_that_is_not_shown_takes_a_few_numbers():
    peak(made(3))  # what is loaded once
    few, many = (peak(made(count)) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < 400  # a row as a record takes 3,000 bytes, and its picture 2,000


def test_pieces_are_at_most_a_verdict():
    shown = [verdict(f"test_{number}") for number in range(5)]
    margins = {f"case {number}": -0.1 for number in range(MOST["fail"])}
    found = results(*((one, [row(case, margin) for case, margin in margins.items()]) for one in shown))
    page = draw(found, source="r")
    assert page == "".join(stream(found, source="r"))
    assert max(map(len, stream(found, source="r"))) < len(page) / len(shown)
