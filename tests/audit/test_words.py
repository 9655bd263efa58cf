"""Words for sides, hands and colors are found in their own sense."""

import pytest

from tests.audit.corpora import WORDS
from vlcheck.audit.words import split_words


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("A passenger bus that is leaning to the right.", ["right"]),
        ("a dog to the left of a ball", ["left"]),
        ("A man with a kite in his left hand, his right arm up", ["left", "right"]),
        ("The man's left", ["left"]),
        ("The right side of a road", ["right"]),
        ("A left-hand turn", ["left"]),
        ("The laptop was left open on the desk.", []),
        ("A toilet right next to a shower stall.", []),
        ("Several street signs stating road names and the right ways to go.", []),
        ("A cake with one slice left.", []),
        ("a giraffe staring right into the camera", []),
    ],
)
def test_a_side_is_told_from_other_senses(text, sides):
    assert [*WORDS.sides_of(text)] == sides


def test_hands_have_a_side_and_a_part():
    assert [*WORDS.hands_of("a man holds a cup in his right hand, left of a foot")] == ["right"]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("a red bus and a grey dog", [("red", "bus"), ("gray", "dog")]),
        ("a red fire hydrant", [("red", "fire hydrant")]),
        ("a white, wooden boat", [("white", "")]),
        ("a black man", [("black", "")]),
        ("a glass of white wine", []),
        ("a black and white photograph", []),
        ("a red zzyzx", [("red", "")]),
    ],
)
def test_colors_have_the_noun_directly_after_them(text, mentions):
    assert WORDS.colors_of(text) == mentions


def test_words_are_in_lower_case_without_punctuation():
    assert split_words("A Man\u2019s RED-hot cup, 2 of_them!") == ["a", "man's", "red", "hot", "cup", "2", "of", "them"]
