"""Does the model look at the picture to tell a true sentence from a false one?

The tests are collected for data with foils, e.g. `--vl-data sugarcrepe:FOLDER@coco:ROOT`, and such a run collects these
alone. Stated before the first run: `tiny` and its variants know drawn scenes alone, and pass none of them on
photographs.
"""

from vlcheck import behavior, with_target
from vlcheck.expect import BeatsBlind
from vlcheck.perturb import Sentences

BIAS = "grounding"


def foils(phenomenon):
    """Return the cases whose foils are wrong about one thing."""
    return with_target(phenomenon, having=("foil",))


@behavior(cases=foils("replaced-object"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_replaced_object(verdict):
    """ "A dog on a sofa" is false if it is a cat: a model that takes either has not looked at the animal."""
    assert verdict.passed


@behavior(cases=foils("replaced-attribute"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_replaced_attribute(verdict):
    """ "A red bus" and "a blue bus", or "a small dog" and "a large dog": the picture decides, and not what is usual."""
    assert verdict.passed


@behavior(cases=foils("replaced-relation"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_replaced_relation(verdict):
    """ "A man rides a horse" and "a man feeds a horse" name the same things, and only the picture tells them apart."""
    assert verdict.passed


@behavior(cases=foils("swapped-object"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",), bias="order")
def test_caption_beats_swapped_objects(verdict):
    """ "A man feeds a giraffe" is not "a giraffe feeds a man", though the words are the same."""
    assert verdict.passed


@behavior(cases=foils("swapped-attribute"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",), bias="order")
def test_caption_beats_swapped_attributes(verdict):
    """ "A red ball and a blue box" is not "a blue ball and a red box": each thing has its own attribute."""
    assert verdict.passed


@behavior(cases=foils("added-object"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_added_object(verdict):
    """A sentence that names one more thing, which is not there, is no better description for being longer."""
    assert verdict.passed


@behavior(cases=foils("added-attribute"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_added_attribute(verdict):
    """ "A wooden table" says more than "a table", and is false of one of glass."""
    assert verdict.passed


@behavior(cases=foils("existence"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_denied_existence(verdict):
    """ "There are animals" and "there are no animals" differ in one word, and in all that matters."""
    assert verdict.passed


@behavior(cases=foils("plurality"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_wrong_number(verdict):
    """One dog is not several dogs: a caption with the wrong number is false."""
    assert verdict.passed


@behavior(cases=foils("counting"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_wrong_count(verdict):
    """Four people are not six: a model that prefers the usual number has not counted."""
    assert verdict.passed


@behavior(cases=foils("spatial-relation"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",), bias="position")
def test_caption_beats_wrong_relation(verdict):
    """A cup under the table is not on it, and what is left of a plate is not right of it."""
    assert verdict.passed


@behavior(cases=foils("action"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_wrong_action(verdict):
    """The picture shows an action: a sentence with another verb, or with the two people exchanged, is false of it."""
    assert verdict.passed


@behavior(cases=foils("coreference"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",))
def test_caption_beats_wrong_answer(verdict):
    """ "A woman with a child. Is she sitting? No." speaks of what is seen: with "Yes" it is false."""
    assert verdict.passed


@behavior(cases=foils("word-order"), given=Sentences(), expect=BeatsBlind(), metrics=("itm",), bias="order")
def test_caption_beats_other_word_order(verdict):
    """ "The grass is eating the horse" has the words of the caption, and not its sense."""
    assert verdict.passed
