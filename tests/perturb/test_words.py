"""What the edits of texts do to words."""

import pytest

from vlcheck.cases import MASK, Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb import OPENINGS, Bare, Compose, Exchange, Opening, ShuffleWords, Solid, SwapSides, opposite
from vlcheck.perturb.combine import Each

IMAGE = Solid((8, 8), (1, 2, 3))


def view(caption="a red ball and a blue box", target="red", name="one", **details):
    return View.of(Case(id=name, image=IMAGE, caption=caption, target=target, **details))


@pytest.mark.parametrize("tokens", list(OPENINGS))
def test_an_opening_has_as_many_tokens_as_it_says(tokens):
    words = OPENINGS[tokens].split()
    assert len(words) == tokens
    assert all(word.isalpha() or word in ",:" for word in words)
    opened = Opening(tokens)(view(), ())
    assert opened.template == f"{OPENINGS[tokens]} a {MASK} ball and a blue box"


def test_there_is_no_opening_of_another_length():
    with pytest.raises(ValueError, match="tokens is 7; it has to be one of 5, 10, 15, 20"):
        Opening(7)


def test_shuffled_words_are_the_same_words_in_an_order_that_depends_on_the_case():
    before = view()
    after = ShuffleWords()(before, ())
    assert sorted(after.template.split()) == sorted(before.template.split())
    assert after.template == ShuffleWords()(before, ()).template
    orders = {ShuffleWords()(view(name=str(number)), ()).template for number in range(20)}
    assert len(orders) > 15
    assert after.target == "red"


def test_shuffled_words_are_never_in_their_old_order():
    before = [view("a red hat", name=str(number)) for number in range(50)]
    assert all(ShuffleWords()(one, ()).template != one.template for one in before)
    with pytest.raises(NotApplicable, match="no two words"):
        ShuffleWords()(view("red"), ())


def test_exchanged_colors_are_each_the_others_things():
    after = Exchange()(view(candidates=("blue",)), ())
    assert (after.filled(after.target), after.target) == ("a blue ball and a red box", "blue")
    assert after.candidates == ("red",)


def test_twice_exchanged_is_as_before():
    before = view(candidates=("blue",))
    twice = Compose(Exchange(), Exchange())(before, ())
    assert twice == before


@pytest.mark.parametrize(
    ("caption", "target", "rival", "said"),
    [
        ("an orange cat on a blue mat", "orange", "blue", "a blue cat on an orange mat"),
        ("A man feeding an elephant", "elephant", "man", "An elephant feeding a man"),
        ("the orange cat on a blue mat", "orange", "blue", "the blue cat on an orange mat"),
        ("a man on an old elephant", "elephant", "man", "an elephant on an old man"),
        ("a ball and a orange box", "ball", "orange", "a orange and a ball box"),
        ("Man near an elephant", "elephant", "man", "Elephant near a man"),
    ],
)
def test_exchanged_words_keep_articles_and_capitals_right(caption, target, rival, said):
    before = view(caption, target, candidates=(rival,))
    after = Exchange()(before, ())
    assert after.filled(after.target) == said
    assert Exchange()(after, ()) == before


@pytest.mark.parametrize(
    ("candidates", "said"),
    [((), "names no words"), (("green",), "names no words"), (("ball", "blue"), "names 2 words")],
    ids=["no candidate", "not named", "two named"],
)
def test_what_is_exchanged_has_to_be_clear(candidates, said):
    with pytest.raises(NotApplicable, match=said):
        Exchange()(view(candidates=candidates), ())


def test_swapped_sides_leave_above_and_below():
    with pytest.raises(NotApplicable, match="names no side"):
        SwapSides()(view("a ball above a box", "above"), ())
    assert (opposite("above"), opposite("below")) == ("below", "above")


def test_each_of_none_is_nothing():
    with pytest.raises(ValueError, match="needs at least one perturbation"):
        Each()
    assert Each(Bare(), Opening(5)).label == "each of bare v1, opening(5) v1"
    assert Each(Bare()) == Each(Bare()) != Each(Opening(5))
