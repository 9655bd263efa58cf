"""What is told of a scene is held against its boxes, by a reader of its own."""

import re
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from vlcheck.datasets.scenes.cases import VERBS
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import ACHROMATIC, COLORS, SIDES, WORDS
from vlcheck.zoo.captions import invent, true_caption, vocabulary
from vlcheck.zoo.curriculum import KINDS, Stage

STAGE = Stage(steps=1, kinds={}, places=0.3)
THING = rf"a (?:({'|'.join(COLORS)}) )?({'|'.join(WORDS)})"
VERB = "|".join(VERBS.values())


def holds(text, picture, *, mirrored=False, upside_down=False, grey=False):
    """Whether a sentence is true of a picture, read off its boxes."""
    scene = picture.source

    def middle(thing):
        box = picture.edits[0].place(scene.size) if picture.edits else thing.box
        x, y = box.x + box.width / 2, box.y + box.height / 2
        return SIDE - x if mirrored else x, SIDE - y if upside_down else y

    def there(color, word):
        fitting = [one for one in scene.things if one.word == word and color in (None, one.color)]
        return fitting[0] if fitting and not (grey and color and color not in ACHROMATIC) else None

    if match := re.fullmatch(rf"(?:a photo of )?{THING}(?: on the (left|right|top|bottom))?", text):
        thing = there(match[1], match[2])
        if thing is None or match[3] is None:
            return thing is not None
        x, y = middle(thing)
        where = {"left": x < SIDE / 2, "right": x > SIDE / 2, "top": y < SIDE / 2, "bottom": y > SIDE / 2}
        return where[match[3]]
    if match := re.fullmatch(rf"{THING} (to the left of|to the right of|above|below|and) {THING}", text):
        one, other = there(match[1], match[2]), there(match[4], match[5])
        if one is None or other is None:
            return False
        (x, y), (u, v) = middle(one), middle(other)
        relation = match[3].removeprefix("to the ").removesuffix(" of")
        return {"left": x < u, "right": x > u, "above": y < v, "below": y > v, "and": True}[relation]
    return all(done(scene, clause, there, middle, mirrored) for clause in re.split(" and (?=a man|a woman)", text))


def done(scene, clause, there, middle, mirrored):
    """Whether somebody does something with a thing."""
    match = re.fullmatch(rf"a (man|woman) ({VERB}|holds|stops) {THING}(?: (?:in|with) (\w+) (\w+) (\w+))?", clause)
    if not match:
        return False
    thing = there(match[3], match[4])
    doing = [person for person, held in zip(scene.people, scene.things, strict=True) if held is thing]
    if not doing or doing[0].word != match[1] or (match[2] in VERBS.values() and VERBS[thing.word] != match[2]):
        return False
    (person,) = doing
    foot = person.look.kick != 0
    if match[2] in ("holds", "stops") and foot != (match[2] == "stops"):
        return False
    if match[5] is None:
        return True
    x, _ = middle(thing)
    center = person.box.x + person.box.width / 2
    on_right = x > (SIDE - center if mirrored else center)
    side = "left" if on_right != person.back else "right"
    return match[5] == {"man": "his", "woman": "her"}[person.word] and (match[6], match[7] == "foot") == (side, foot)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("grey", [False, True])
def test_a_true_sentence_is_true_and_a_changed_one_is_not(mirrored, grey):
    for number in range(1500):
        rng = Random(number)
        picture, facts = invent(rng, KINDS[number % len(KINDS)])
        upside_down = not facts.who and rng.random() < 0.5
        facts = facts.mirrored() if mirrored else facts
        facts = replace(facts.upside_down() if upside_down else facts, grey=grey)
        sentence = true_caption(facts, rng, STAGE)
        shown = {"mirrored": mirrored, "upside_down": upside_down, "grey": grey}
        assert holds(sentence.text, picture, **shown), (sentence.text, picture, shown)
        wrong = sentence.falsified(rng, STAGE)
        assert not holds(wrong, picture, **shown), (wrong, picture, shown)


def test_a_masked_sentence_asks_for_a_word_that_makes_it_true_and_hides_no_other():
    for number in range(500):
        rng = Random(number)
        picture, facts = invent(rng, KINDS[number % len(KINDS)])
        question, words = true_caption(facts, rng, STAGE).masked(rng, STAGE)
        assert question.count("[MASK]") == 1
        assert holds(question.replace("[MASK]", *words), picture)


def test_several_masked_words_are_named_in_their_order():
    several = 0
    for number in range(500):
        rng = Random(number)
        picture, facts = invent(rng, KINDS[number % len(KINDS)])
        question, words = true_caption(facts, rng, STAGE).masked(rng, replace(STAGE, masks=0.5))
        assert question.count("[MASK]") == len(words)
        several += len(words) > 1
        for word in words:
            question = question.replace("[MASK]", word, 1)
        assert holds(question, picture)
    assert several > 100


def test_twice_mirrored_is_as_before():
    for number in range(100):
        _, facts = invent(Random(number), KINDS[number % len(KINDS)])
        assert facts.mirrored().mirrored() == facts
        assert facts.upside_down().upside_down() == facts


def test_sides_are_true_equally_often_and_no_color_belongs_to_a_thing():
    sides, colors = Counter(), Counter()
    for number in range(4000):
        rng = Random(number)
        _, facts = invent(rng, KINDS[number % len(KINDS)])
        sides[facts.side] += facts.kind == "act"
        colors.update(facts.things)
    assert abs(sides["left"] / sum(sides.values()) - 0.5) < 0.04
    assert set(SIDES) == set(sides)
    assert len(colors) == len(WORDS) * len(COLORS)
    assert max(colors.values()) < 3 * min(colors.values())


def test_the_vocabulary_has_every_word_once():
    words = vocabulary()
    assert len(set(words)) == len(words)
    assert words[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for number in range(500):
        rng = Random(number)
        _, facts = invent(rng, KINDS[number % len(KINDS)])
        sentence = true_caption(facts, rng, STAGE)
        assert set(sentence.text.split()) | set(sentence.falsified(rng, STAGE).split()) <= set(words)
