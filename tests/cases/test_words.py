"""Words, phrases, and the nouns that end where they seem to."""

import pytest

from vlcheck.cases.words import Phrasebook, tokenize, words_of
from vlcheck.datasets.coco.photograph import article
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.suite.shipped import lexicons_path


@pytest.fixture(scope="module")
def stops():
    return load_lexicons(lexicons_path()).stops


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A dog's Bone, re-used.", ["a", "dog", "bone", "re", "used"]),
        ("It's the dog\u2019s", ["it", "the", "dog"]),
        ("don't  caf\u00e9 3 x_y", ["don't", "caf\u00e9", "3", "x", "y"]),
        ("", []),
        ("...", []),
    ],
)
def test_words_are_lower_case_without_possessive(text, words):
    assert [token.word for token in tokenize(text)] == words
    assert words_of(text) == set(words)


def test_a_token_knows_what_follows_and_whether_it_owns():
    dog, bone, reused = tokenize("dog's bone, used")
    assert (dog.possessive, dog.gap) == (True, " ")
    assert (bone.possessive, bone.gap) == (False, ", ")
    assert reused.gap == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a hot dog and a dog", ["food", "pet"]),
        ("a hot-dog", ["food"]),
        ("hot, dog", ["pet"]),
        ("a hot dogma", []),
        ("dog dog", ["pet", "pet"]),
    ],
)
def test_the_longest_phrase_hides_the_shorter(text, found):
    book = Phrasebook({"dog": "pet", "hot dog": "food"})
    assert [one.meaning for one in book.find(tokenize(text))] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a fire hydrant cap", [(1, 4, "cap")]),
        ("a fire hydrant", [(1, 3, "hydrant")]),
        ("a fire, hydrant", [(1, 2, "fire")]),
        ("a fire hydrant, cap", [(1, 3, "hydrant")]),
        ("a fire truck and a fire", [(1, 3, "truck"), (5, 6, "fire")]),
    ],
)
def test_of_phrases_with_one_first_word_the_longest_that_is_there_is_found(text, found):
    meanings = {"fire": "fire", "fire truck": "truck", "fire hydrant": "hydrant", "fire hydrant cap": "cap"}
    assert list(Phrasebook(meanings).find(tokenize(text))) == found


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("bus", True),
        ("bus.", True),
        ("bus, parked", True),
        ("bus on a road", True),
        ("bus parked there", True),
        ("bus driving by", True),
        ("bus stop", False),
        ("bus-stop", False),
        ("bus's door", False),
        ("bus thing", False),
    ],
)
def test_a_noun_ends_unless_it_goes_on(stops, text, closes):
    assert stops.closes(tokenize(text), 0) is closes


@pytest.mark.parametrize(
    ("noun", "said"), [("apple", "an apple"), ("dog", "a dog"), ("umbrella", "an umbrella"), ("uniform", "a uniform")]
)
def test_articles(noun, said):
    assert article(noun) == said
