"""Shuffled captions are found by their neighbors, although others like them were counted, too."""

import json
from random import Random

from tests.mitigate.training.test_foils import true_captions
from vlcheck.mitigate.training import WordOrder
from vlcheck.zoo.captions import shuffled


def test_nearly_all_shuffled_captions_are_found_and_hardly_a_true_one():
    captions = [caption for _, caption, _ in true_captions(600)]
    jumbled = [shuffled(caption, Random(at)) for at, caption in enumerate(captions)]
    order = WordOrder.of([*captions, *jumbled[:200]])
    found = sum(map(order.is_shuffled, jumbled))
    wrong = sum(map(order.is_shuffled, captions))
    assert found > 0.85 * len(jumbled)
    assert wrong < 0.02 * len(captions)


def test_the_same_caption_is_judged_alike():
    order = WordOrder.of(["a red ball on a box", "a blue ball"])
    assert len({order.is_shuffled("a red box on a ball") for _ in range(5)}) == 1
    assert not order.is_shuffled("")
    assert not order.is_shuffled("ball")


def test_few_captions_of_coco_are_left_out_and_their_shuffled_words_are_found(captions_path):
    read = json.loads(captions_path.read_text(encoding="utf-8"))["annotations"]
    captions = [one["caption"] for one in read]
    order = WordOrder.of(captions)
    chosen = captions[::100]
    jumbled = [" ".join(Random(at).sample(words := one.split(), len(words))) for at, one in enumerate(chosen)]
    assert sum(map(order.is_shuffled, chosen)) < 0.02 * len(chosen)
    assert sum(map(order.is_shuffled, jumbled)) > 0.88 * len(chosen)
