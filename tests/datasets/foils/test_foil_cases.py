"""From a caption and its foils to a case."""

import pytest

from vlcheck.datasets.foils.offer import foil_case
from vlcheck.errors import NotApplicable
from vlcheck.perturb import Solid

PICTURE = Solid((1, 1), (0, 0, 0))


def case(caption, *foils):
    return foil_case("a", PICTURE, caption, foils, "word-order", "somebody", "CC0")


@pytest.mark.parametrize(
    ("caption", "foils", "target"),
    [
        ("A cat on a mat.", ["A dog on a mat."], "cat"),  # replaced
        ("A dog chases a cat.", ["A cat chases a dog."], "dog"),  # swapped
        ("A drawing of a woman.", ["A drawing of a tattooed woman."], "woman"),  # one is added before it
        ("A cat on a mat.", ["A cat on a mat and a dog."], "cat"),  # all words are at the same places
        ("A red cat and a red dog.", ["A blue cat and a red dog."], "cat"),  # "red" is there twice
        ("A mug on a table.", ["A mug under a table.", "A mug left of a table."], "on"),
        ("A mug on a table.", ["A mug on a table, none.", "A mug under a table."], "on"),
        ("The cat's mat.", ["The dog's mat."], "cat"),
        ("A man-made man sits.", ["A man-made man stands."], "sits"),
    ],
)
def test_the_target_is_the_first_word_that_a_foil_changes_and_that_is_there_once(caption, foils, target):
    assert case(caption, *foils).target == target


def test_a_case_has_the_tags_of_its_phenomenon_and_no_kind_of_target():
    made = case("  A cat\n on a mat. ", "A dog on  a mat.", "a DOG on a mat.")
    assert (made.caption, made.foils) == ("A cat on a mat.", ("A dog on a mat.",))
    assert made.tags == {"foil", "word-order"}
    assert made.present == {"a", "cat", "on", "mat"}
    assert (made.source, made.licence) == ("somebody", "CC0")


@pytest.mark.parametrize(
    ("caption", "foils", "why"),
    [
        ("A cat.", ["a  CAT."], "foil is the caption itself"),
        ("A cat.", [], "pair has no foil"),
        ("dogs, dogs", ["cats, dogs"], "caption has no word that occurs once"),
        ("A cat.", [" ?! "], "text has no words"),
        ("A \ud800cat.", ["A dog."], "text has no words"),
        ("A [MASK].", ["A dog."], "text holds [MASK]"),
        ("A red\0 dog.", ["A dog."], "text holds a NUL character"),
        ("A cat.", ["dog " * 501], "text has more than 2000 characters"),
    ],
)
def test_texts_that_make_no_case_are_left_out_for_a_reason(caption, foils, why):
    with pytest.raises(NotApplicable) as raised:
        case(caption, *foils)
    assert str(raised.value) == why
