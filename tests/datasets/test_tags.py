"""What one's own cases mean: the target against its tags, and all that is wrong with a file in one go."""

import json

import pytest
from PIL import Image

from vlcheck.cases import Case, with_target
from vlcheck.cases.words import OPPOSITES
from vlcheck.cli.offered import offered
from vlcheck.datasets.complaints import MOST_SAID
from vlcheck.datasets.registry import open_source
from vlcheck.datasets.tags import NEEDS, TAGS, WORDS, compared_with_nothing, strange_tags, wanting
from vlcheck.errors import UsageError
from vlcheck.perturb import Solid


@pytest.fixture
def read(tmp_path):
    """Read lines, each a target and its tags, or fields in place of these."""

    def read(*lines):
        Image.new("RGB", (40, 30), "red").save(tmp_path / "one.png")
        texts = [json.dumps({"image": "one.png", "caption": f"A {line.get('target')} is it."} | line) for line in lines]
        (tmp_path / "cases.jsonl").write_text("\n".join(texts), encoding="utf-8")
        return open_source(f"jsonl:{tmp_path}/cases.jsonl")

    return read


def refusals(read, *lines):
    with pytest.raises(UsageError) as raised:
        read(*lines)
    return str(raised.value).split("\n")


def case(target, *tags, **fields):
    picture = Solid((1, 1), (0, 0, 0))
    return Case(id=target, image=picture, caption=f"a {target}", target=target, tags=frozenset(tags), **fields)


@pytest.mark.parametrize(
    ("target", "tags", "said"),
    [
        ("lft", ["side"], "'lft' is no word of the tag 'side'; it has to be left or right (did you mean 'left'?)."),
        ("above", ["side"], "'above' is no word of the tag 'side'; it has to be left or right"),
        ("left", ["vertical"], "'left' is no word of the tag 'vertical'; it has to be above or below"),
        ("over", ["vertical"], "it has to be above or below"),
        ("Left", ["hand"], "'Left' is no word of the tag 'hand'; it has to be left or right"),
        ("frisbee", ["hand", "own-side"], "'frisbee' is no word of the tag 'hand'"),
        ("left", ["side", "vertical"], "'left' is no word of the tag 'vertical'"),
        ("left", ["object"], "'left' is no word of the tag 'object', which names a thing or a color"),
        ("Above", ["color", "chromatic"], "'Above' is no word of the tag 'color'"),
        ("red", ["color", "achromatic"], "'red' is chromatic; the tag 'achromatic' is for black, gray, grey, white"),
        ("Grey", ["color", "chromatic"], "'Grey' is achromatic; the tag 'chromatic' is for blue, brown, green"),
        ("white", ["color", "chromatic", "achromatic"], "'white' is achromatic; the tag 'chromatic'"),
    ],
)
def test_a_target_that_is_not_what_its_tag_says_is_named_with_what_is(read, tmp_path, target, tags, said):
    (message,) = refusals(read, {"target": "dog", "tags": ["object"]}, {"target": target, "tags": tags})
    assert message.startswith(f"{tmp_path}/cases.jsonl:2: target: ")
    assert said in message


@pytest.mark.parametrize(
    ("target", "tags"),
    [
        ("left", ["side", "names-side"]),
        ("right", ["hand"]),
        ("below", ["vertical"]),
        ("violet", ["object"]),  # a flower
        ("orange", ["single", "object"]),
        ("teal", ["color", "chromatic"]),
        ("silver", ["color", "achromatic"]),
        ("red", ["color", "chromatic"]),
        ("red", ["binding"]),
        ("left", ["kitchen"]),  # a tag of one's own says what its tests make of it
    ],
)
def test_what_may_be_meant_is_taken(read, target, tags):
    assert [one.target for one in read({"target": target, "tags": tags}).cases] == [target]


def test_the_words_of_sides_are_those_that_have_opposites():
    assert {word for words in WORDS.values() for word in words} == OPPOSITES.keys()
    assert NEEDS.keys() | WORDS.keys() < TAGS


def test_all_errors_of_a_file_are_said_by_line(read, tmp_path):
    said = refusals(
        read,
        {"target": "lft", "tags": ["side"], "candidates": ["Lft"]},
        {"target": 5, "tags": [], "captoin": "x"},
        {"target": "dog", "tags": ["object"], "id": "a"},
        {"target": "dogs", "caption": "a dog", "tags": ["object"]},
        {"target": "dog", "tags": ["object"], "image": "../x.png"},
        {"target": "dog", "tags": ["object"], "id": "a"},
    )
    where = [message.removeprefix(f"{tmp_path}/cases.jsonl:").split(":")[:2] for message in said]
    assert where == [
        ["1", " target"],
        ["1", " candidates"],
        ["2", " target"],
        ["2", " tags"],
        ["2", " captoin"],
        ["4", " case line-4"],
        ["5", " image"],
        ["6", " id"],
    ]


def test_lines_that_are_no_objects_are_said_with_the_others(tmp_path):
    texts = ["{", "[1]", "x" * 1_000_001, '{"image": "a.png"}', "\xff"]
    (tmp_path / "cases.jsonl").write_bytes("\n".join(texts).encode("latin-1"))
    with pytest.raises(UsageError) as raised:
        open_source(f"jsonl:{tmp_path}/cases.jsonl")
    said = str(raised.value).split("\n")
    assert [message.split("cases.jsonl:")[1].split(" ")[0] for message in said] == ["1:", "2:", "3:", *["4:"] * 3, "5:"]


@pytest.mark.parametrize(("wrong", "more"), [(MOST_SAID, []), (MOST_SAID + 3, ["... and 3 more"])])
def test_of_many_errors_the_first_are_said_and_the_others_counted(read, wrong, more):
    said = refusals(read, *[{"target": "lft", "tags": ["side"]}] * wrong)
    assert len(said) == MOST_SAID + len(more)
    assert said[MOST_SAID:] == more


def test_what_tags_need_is_missed_and_counted():
    cases = [
        case("red", "color", "chromatic"),
        case("blue", "color", "chromatic", candidates=("red",)),
        case("ball", "role", candidates=("box",)),
        case("dog", "object"),
        case("left", "side"),
    ]
    assert list(wanting(cases)) == [
        "color without candidates, which that tag needs",
        "role without bare, which that tag needs",
    ]
    assert [one.target for one in cases if compared_with_nothing(one)] == ["red", "dog"]


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ({"target": "red", "tags": ["object"]}, "target is a color"),
        ({"target": "Violet", "tags": ["single"]}, "target is a color"),
        ({"target": "orange", "tags": ["object"]}, None),
        ({"target": "red", "tags": ["object", "color"]}, None),
        ({"target": "bus", "tags": ["color"]}, "target is a thing"),
        ({"target": "carrot", "tags": ["color"]}, None),
        ({"target": "dog", "tags": ["object"], "candidates": ["it"]}, "a candidate is said of the picture"),
        ({"target": "dog", "tags": ["object"], "candidates": ["Cat"], "present": ["dog", "cat"]}, "a candidate is"),
        ({"target": "dog", "tags": ["object"], "candidates": ["cat"]}, None),
        ({"target": "red", "tags": ["binding"], "candidates": ["it"]}, None),
        ({"target": "dog", "tags": ["object"], "about": ["zebra"]}, "about has a word"),
        ({"target": "dog", "tags": ["object"], "present": ["cat"]}, "about has a word"),
        ({"target": "dog", "tags": ["object"], "about": ["zebra"], "present": ["zebra", "dog"]}, None),
    ],
    ids=str,
)
def test_what_may_not_be_meant_is_counted_with_a_case(read, line, doubt):
    source = read(line)
    said = [text.strip() for text in offered(source, [])]
    assert [list(ids) for ids in source.offer.doubts.values()] == ([["line-1"]] if doubt else [])
    assert any(text.startswith(f"1 {doubt}") and text.endswith(", e.g. line-1") for text in said) == bool(doubt)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (with_target("minral"), "no case has the tag 'minral' (did you mean 'mineral'?)"),
        (with_target("minral", "mineral"), ""),
        (with_target("mineral", having=["chromtic"]), "no case has the tag 'chromtic' (did you mean 'chromatic'?)"),
        (with_target("xylem", having=["qqq"]), "no case has the tag 'xylem', no case has the tag 'qqq'"),
        (with_target("hand"), ""),
        (with_target("mineral", lacking=["qqq"]), ""),
    ],
    ids=str,
)
def test_a_tag_that_a_test_needs_and_nothing_has_is_named_with_the_nearest(selection, said):
    picture = Solid((64, 48), (200, 0, 0))
    case = Case(id="ore", image=picture, caption="an ore", target="ore", tags=frozenset({"mineral"}))
    assert strange_tags(selection, case.tags) == said
