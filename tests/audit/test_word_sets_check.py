"""Captions with the same words: exchanged, in other captions, and repeated."""

from tests.audit.corpora import audited, rows
from vlcheck.audit.checks import word_sets
from vlcheck.audit.checks.word_sets import FREE, UNNEEDED, statement

ONE, OTHER = "a red ball and a blue box", "a blue ball and a red box"
PLAIN = [f"a man with cup number {at}" for at in range(1000)]


def test_a_picture_told_in_two_orders_is_counted():
    captions = rows(ONE, OTHER, ONE, "a box", images=["1", "1", "2", "2"])
    found = audited(captions, "order-exchanged")
    assert (found.n, found.count) == (2, 1)
    assert found.examples == (f"{OTHER} / {ONE}",)


def test_an_exchange_around_and_is_the_same_statement():
    assert statement(ONE) == statement("a blue box and a red ball")
    assert statement(ONE) != statement(OTHER)
    captions = rows(ONE, "a blue box and a red ball", images=["1", "1"])
    assert audited(captions, "order-exchanged").count == 0
    assert audited(captions, "order-pairs").count == 0


def test_free_order_is_named_beyond_the_limit_alone():
    many = rows(*[ONE, OTHER] * 20, images=[str(at // 2) for at in range(40)])
    assert audited(many, "order-exchanged").cause == FREE
    few = rows(ONE, OTHER, *PLAIN, images=["a", "a", *(str(at // 2) for at in range(1000))])
    assert audited(few, "order-exchanged").cause == ""


def test_without_two_captions_of_a_picture_nothing_is_exchanged():
    assert audited(rows(ONE, OTHER), "order-exchanged").n == 0
    assert "No caption names its picture" in audited(rows(ONE, images=[""]), "order-exchanged").says


def test_pairs_of_captions_are_sorted_by_what_is_exchanged():
    captions = rows(ONE, OTHER, "a cup above a cat", "a cat above a cup", "cups", "a dog")
    found = audited(captions, "order-pairs")
    assert (found.n, found.count) == (4, 2)
    assert {part.name: part.count for part in found.parts} == {"exchanged colors": 1, "exchanged things": 1}


def test_a_corpus_that_needs_no_order_is_named():
    assert audited(rows(*PLAIN), "order-pairs").cause == UNNEEDED
    assert audited(rows(*PLAIN[:50]), "order-pairs").cause == ""


def test_repeated_captions_are_counted_by_text():
    found = audited(rows("A bus.", "a  BUS", "a bus", "a cup"), "duplicates")
    assert (found.n, found.count, found.examples) == (2, 1, ("a bus",))
    assert "50 % of the captions repeat another one" in found.says
    assert not found.bias


def test_beyond_its_places_the_sample_estimates_the_same_share(monkeypatch):
    monkeypatch.setattr(word_sets, "SETS", 256)
    twice = [f"a man with cup number {at}" for at in range(4000)] + [
        f"a man with cup number {at}" for at in range(1000)
    ]
    found = audited(rows(*twice), "duplicates")
    assert 128 <= found.n <= 256
    assert found.low < 0.25 < found.high
