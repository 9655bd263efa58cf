"""Lexicons are data: they can be replaced, and each key is checked."""

import pytest

from vlcheck.cases.words import tokenize
from vlcheck.datasets.lexicons.toml_files import FILES, load_lexicons
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.suite.shipped import lexicons_path


@pytest.fixture
def own(tmp_path):
    """Write a lexicon of one's own; returns its folder."""

    def write(name, text):
        (tmp_path / f"{name}.toml").write_text(text)
        return tmp_path

    return write


def refusal(folder):
    with pytest.raises(UsageError) as raised:
        load_lexicons(lexicons_path(), folder)
    return str(raised.value)


def test_the_shipped_ones_are_whole():
    lexicons = load_lexicons(lexicons_path())
    assert {path.stem for path in lexicons_path().glob("*.toml")} == set(FILES)
    assert len(lexicons.objects) == 80
    kinds = {name: color.kind for name, color in lexicons.colors.items()}
    assert {name for name, kind in kinds.items() if kind == "achromatic"} == {"white", "black", "gray"}
    assert lexicons.sides.words == {"left", "right"}
    assert lexicons.held.keys() | lexicons.aloft.keys() | lexicons.writing.categories.keys() <= lexicons.objects.keys()
    assert {held.limb for held in lexicons.held.values()} == {"hand", "foot"}


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("a player at bat, another up to bat", []),
        ("a player swings a bat at a ball", ["bat", "ball"]),
        ("a fruit bat", []),
        ("sea horses and a saw horse", []),
        ("a woman on a motorcycle with a side car", ["woman", "motorcycle"]),
        ("a train with tanker cars, freight cars", ["train"]),
        ("a model train, toy trains, a paper airplane", []),
        ("chili dogs, a cheese dog and crab cakes", []),
        ("a Beanie Baby and a snow man", []),
        ("head phones beside a wall phone", []),
        ("onion balls and cotton balls", []),
        ("a hair tie, a pitch fork", []),
        ("a man on a jet ski", ["man"]),
        ("a cow boy on a horse", ["horse"]),
    ],
)
def test_a_word_in_a_phrase_that_means_something_else_is_no_target(text, targets):
    lexicons = load_lexicons(lexicons_path())
    book = lexicons.phrasebook(tuple(lexicons.objects))
    named = [sense.target for found in book.find(tokenize(text)) for sense in found.meaning if sense.target]
    assert named == targets


def test_who_is_at_bat_may_have_one():
    lexicons = load_lexicons(lexicons_path())
    (found,) = lexicons.phrasebook(("baseball bat",)).find(tokenize("A boy at bat."))
    assert [sense.category for sense in found.meaning] == ["baseball bat"]


def test_one_file_of_ones_own_takes_the_place_of_one(own):
    folder = own("colors", '[teal]\nkind = "chromatic"\nwords = ["Teal"]\n')
    lexicons = load_lexicons(lexicons_path(), folder)
    assert list(lexicons.colors) == ["teal"]
    assert lexicons.colors_of("teal") == {"teal"}
    assert len(lexicons.objects) == 80


def test_other_words_make_other_cases(coco_root, own):
    folder = own("colors", '[white]\nkind = "achromatic"\nwords = ["white"]\n')
    theirs = open_source(f"coco:{coco_root}", lexicons=folder).cases
    assert {case.target for case in theirs if "color" in case.tags} == {"white"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("colors", "[red", "colors.toml: is not TOML"),
        ("colors", "red = 1", "unknown key 'red'; the file holds tables"),
        ("colors", '[red]\nkind = "loud"\nwords = ["red"]', "[red]: kind is 'loud'; it has to be chromatic"),
        ("colors", '[red]\nkind = "chromatic"\nwords = []', "[red]: words has to hold the color's name"),
        ("colors", '[red]\nkind = "chromatic"\nword = ["red"]', "[red]: has no words"),
        ("colors", '[red]\nkind = "chromatic"\nwords = ["red"]\nnaer = []', "unknown key 'naer'. Did you mean 'near'?"),
        ("colors", '[red]\nkind = "chromatic"\nwords = ["red"]\nnear = ["pink"]', "near has an unknown name 'pink'"),
        ("objects", '[dog]\none = "dog"', "[dog]: one has to be a list of words"),
        ("objects", '[dog]\none = ["big dog"]', "'big dog' is a phrase; one and many hold single words"),
        ("objects", '[dog]\none = ["dog"]\nphrases = ["big cat"]', "has none of the words in one and many"),
        ("objects", '[dog]\none = ["dog"]\ncandidate = "no"', "candidate has to be true or false"),
        ("objects", "[dog]\nname = 3", "name has to be a text"),
        ("persons", 'category = "person"\ncontrary = []', "contrary has to be a table of lists of words"),
        ("sides", 'words = ["left"]', "has no possessors"),
        ("held", '[cup]\nword = "in"\nlimb = "arm"', "[cup]: limb is 'arm'; it has to be hand or foot"),
        ("held", "[cup]", "[cup]: has no word"),
        ("aloft", "[kite]\nsaid = 1", "[kite]: said has to be a list of words"),
        ("aloft", '[kite]\nsays = ["flying"]', "unknown key 'says'. Known: said"),
        ("roles", 'determiners = ["a"]\nacts = ["feeds"]', "acts has to be a table of lists of words"),
        ("roles", 'determiners = ["a"]\n[acts]\nfeed = "feeds"', "[acts]: feed has to be a list of words"),
        ("roles", 'determiners = ["a"]\n[acts]\n[persons]\n[animals]\n[sexes]', "has no ages"),
        ("writing", 'words = []\ncategories = ["bus"]', "categories has to be a table of shares from 0 to 1"),
        ("writing", "words = []\n[categories]\nbus = 1.5", "categories has to be a table of shares from 0 to 1"),
        ("writing", "words = []\n[categories]\nbus = true", "categories has to be a table of shares from 0 to 1"),
        ("colours", "", "there is no such lexicon. Did you mean 'colors'?"),
    ],
)
def test_what_a_lexicon_cannot_hold_is_named(own, name, text, said):
    folder = own(name, text)
    message = refusal(folder)
    assert str(folder / f"{name}.toml") in message
    assert said in message


def test_a_folder_without_lexicons_is_told_their_names(tmp_path):
    assert "colors.toml" in refusal(tmp_path)
    assert "there is no such folder" in refusal(tmp_path / "absent")


@pytest.mark.parametrize(
    "text",
    [
        "his right shoulder",
        "a car in the far right lane",
        "Left of the dog",
        "a cup sits to the left of a ball",
        "a cat with its left ear up",
        "A left-hand turn",
        "a left-handed batter",
        "the upper-left corner",
        "at the top left of a page",
        "the man's left",
        "the man on the right to the woman's left",
        "from left to right",
        "a dog facing left",
        "on the right, a bus",
        "the dog on her right while she sleeps",
    ],
)
def test_a_side_is_one(text):
    lexicons, tokens = load_lexicons(lexicons_path()), tokenize(text)
    named = [at for at, token in enumerate(tokens) if token.word in lexicons.sides.words]
    assert named
    assert all(lexicons.is_side(tokens, at) for at in named)


@pytest.mark.parametrize(
    "text",
    [
        "the right answer",
        "a cup right side up",
        "a sign about the right of way",
        "the left over pizza on the right size plate",
        "someone left of course",
        "the right to protest",
        "the laptop was left open",
        "a toilet right next to a shower",
        "what's left of the cake",
        "a cake with one slice left",
        "two left on a plate",
        "a giraffe facing right into the camera",
        "this left a mess",
        "the right ways to go",
        "a man who left",
    ],
)
def test_another_sense_is_no_side(text):
    lexicons, tokens = load_lexicons(lexicons_path()), tokenize(text)
    named = [at for at, token in enumerate(tokens) if token.word in lexicons.sides.words]
    assert named
    assert not any(lexicons.is_side(tokens, at) for at in named)


def test_a_replaced_list_decides_what_is_a_side(own):
    folder = own("sides", 'words = ["left"]\npossessors = []\nparts = ["fin"]\nnever = ["left fin soup"]\n')
    lexicons = load_lexicons(lexicons_path(), folder)
    assert [lexicons.is_side(tokenize(text), 0) for text in ("left fin", "left fin soup", "left side")] == [
        True,
        False,
        False,
    ]
