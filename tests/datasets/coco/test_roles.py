"""Roles from captions: who does what to whom, as the order of the words says it."""

import pytest

from vlcheck.cases import with_target
from vlcheck.cases.view import View
from vlcheck.datasets.registry import open_source
from vlcheck.perturb import Exchange

ACTS = [
    ("A man feeding a dog.", "A dog feeding a man.", "somebody feeding a [MASK]"),
    ("A man feeding an elephant.", "An elephant feeding a man.", "somebody feeding a [MASK]"),
    ("Man riding an elephant", "elephant riding a man", "somebody riding a [MASK]"),
    ("Two men are riding horses.", "Two horses are riding men.", "some people are riding [MASK]"),
    ("A group of kids petting some sheep", "A group of sheep petting some kids", "some people petting some [MASK]"),
    ("A cat eats a small bird.", "A bird eats a small cat.", "an animal eats a small [MASK]"),
    ("A boy in a red hat walks his dog.", "A dog in a red hat walks his boy.", "somebody walks his [MASK]"),
    ("A man that is holding a cat", "A cat that is holding a man", "somebody that is holding a [MASK]"),
    ("A jockey on a brown horse", "A horse on a brown jockey", "somebody on a brown [MASK]"),
    ("A dog being held by a woman", "A woman being held by a dog", "an animal being held by a [MASK]"),
    ("A woman holding a baby", "A baby holding a woman", "somebody holding a [MASK]"),
    (
        "A man holds a bat and a woman in a blue dress sits.",
        "A woman holds a bat and a man in a blue dress sits.",
        "a [MASK] in a blue dress sits",
    ),
]


def exchanged(case):
    after = Exchange()(View.of(case), ())
    return after.filled(after.target)


@pytest.mark.parametrize(("caption", "said", "bare"), ACTS)
def test_exchanged_beings_make_a_sentence(folder, caption, said, bare):
    folder.photograph(caption, annotated=False)
    (case,), reasons = folder.offered("role")
    assert (exchanged(case).lower(), case.bare, reasons) == (said.lower(), bare, {})


def test_who_is_acted_on_is_the_target(folder):
    folder.photograph("A man feeds a puppy.", instances=[("dog", 0, 0, 80, 80), ("person", 100, 0, 80, 80)])
    (case,), _ = folder.offered("role")
    assert (case.target, case.candidates, case.region) == ("puppy", ("man",), ((0, 0, 80, 80),))
    assert (case.about, case.tags) == ({"person", "dog"}, {"role", "person"})


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("A man standing next to a dog.", "act may hold both ways"),
        ("A man with a dog.", "act may hold both ways"),
        ("A man facing a woman.", "act may hold both ways"),
        ("A man kissing a woman.", "act may hold both ways"),
        ("A boy playing with a dog.", "act may hold both ways"),
        ("A cat looking at a bird.", "act may hold both ways"),
        ("A man and a dog.", "act may hold both ways"),
        ("A man vexing a dog.", "caption has no known act between the two"),
        ("A dog asleep, a cat on the floor.", "caption has no known act between the two"),
        ("A man beside somebody feeding a dog.", "caption has no known act between the two"),
        ("A lady explains the process of milking a cow.", "caption has no known act between the two"),
        ("Men keep watch on a herd of goats.", "caption has no known act between the two"),
        ("Two men feeding a dog.", "one and several cannot change places"),
        ("A man feeding dogs.", "one and several cannot change places"),
        ("A couple of men feeding a sheep.", "one and several cannot change places"),
        ("A woman and a man feeding a dog.", "act may hold both ways"),
        ("A box and a man feeding a dog.", "several act together"),
        ("A man filming a person.", "both words may be true of one being"),
        ("A lady helping a woman.", "both words may be true of one being"),
        ("A girl holding a child.", "both words may be true of one being"),
        ("A puppy chasing a dog.", "both words may be true of one being"),
        ("A dog chasing an animal.", "both words may be true of one being"),
        ("A man feeding a dog and another dog.", "caption names one of the two more than once"),
        ("A man riding a horse trailer.", "noun is part of a longer one"),
        ("A man holding a dog's ball.", "noun is part of a longer one"),
        ("There police man feeding a dog.", "noun is part of a longer one"),
        ("A statue of a man feeding a dog.", "caption is about a depiction"),
        ("A man who is not feeding a dog.", "caption says what is not there"),
    ],
)
def test_two_beings_make_no_case(folder, caption, reason):
    folder.photograph(caption, annotated=False)
    assert folder.offered("role") == ([], {reason: 1})


@pytest.mark.parametrize(
    "caption",
    [
        "A man and a woman in hats.",
        "A man standing and a woman.",
        "A man in a hat and a woman in a hat.",
        "A man in a hat and a person in a coat.",
        "A man holding his hat and a woman in a coat.",
        "A man sitting near a woman in a coat.",
        "A man in a hat and a woman in a coat with a boy.",
    ],
)
def test_two_persons_who_are_not_told_apart_make_no_case(folder, caption):
    folder.photograph(caption, annotated=False)
    assert folder.offered("role")[0] == []


def test_what_another_caption_says_the_other_way_round_makes_no_case(folder):
    folder.photograph("A dog chasing a cat.", "The cat chases the dog.", annotated=False)
    folder.photograph("A dog chasing a cat.", "A cat feeding the dog.", annotated=False)
    folder.photograph("A dog chasing a cat.", "The dog is being chased by the cat.", annotated=False)
    folder.photograph("A dog chasing a cat.", "The cat is being chased by the dog.", annotated=False)
    cases, reasons = folder.offered("role")
    assert [case.caption for case in cases] == [
        *("A dog chasing a cat.", "A cat feeding the dog."),
        *("A dog chasing a cat.", "The cat is being chased by the dog."),
    ]
    assert reasons == {"captions say it of both": 3}  # of three things, each dog and cat in one order


def test_a_likeness_does_nothing_to_anybody(folder):
    folder.photograph("A cat chasing a dog.", "A cat beside a dog statue.", annotated=False)
    assert folder.offered("role")[1]["a caption says that one of the two is a likeness"] == 1


def test_captions_that_disagree_about_the_person_make_no_case(folder):
    folder.photograph("A man feeding a dog.", "A woman with a dog.", annotated=False)
    folder.photograph("A woman holding a boy.", "A lady holding a child.", "A boy and a lady.", annotated=False)
    cases, reasons = folder.offered("role")
    assert reasons == {"act may hold both ways": 2, "captions disagree about the person": 1}
    assert [case.caption for case in cases] == ["A woman holding a boy.", "A lady holding a child."]


def test_a_lexicon_of_ones_own_has_other_acts(folder, tmp_path):
    folder.photograph("A man vexes a dog.", "A man feeds a cat.")
    root, own = folder.write(), tmp_path / "words"
    own.mkdir()
    lines = ['determiners = ["a"]', "[acts]", 'vex = ["vexes"]', "[persons]", "[animals]", "[sexes]", "[ages]"]
    (own / "roles.toml").write_text("\n".join(lines))
    cases = open_source(f"coco:{root}", lexicons=own).cases
    assert [case.caption for case in cases if "role" in case.tags] == ["A man vexes a dog."]


def test_photographs_have_roles(photographs_root):
    source = open_source(f"coco:{photographs_root}")
    found = {(case.caption, exchanged(case)) for case in source.cases if "role" in case.tags}
    assert ("The two young girls are petting the two goats.", "The two young goats are petting the two girls.") in found
    assert len(source.select(with_target("role"))) >= 1
