"""The corpora of the worlds hold what a training sees, and the audit names their faults."""

from random import Random

import numpy as np
import pytest

from benchmarks.audit import EXPECTED
from vlcheck.audit.audit import audit_corpus
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.zoo.captions import opening
from vlcheck.zoo.corpus import WorldCorpus, augmentations
from vlcheck.zoo.recipe import RECIPES


def read(variant, **sizes):
    return [caption for chunk in WorldCorpus(RECIPES[variant], seed=1000, **sizes) for caption in chunk]


@pytest.mark.parametrize("variant", EXPECTED)
def test_the_audit_names_the_faults_of_each_world_and_no_other(variant):
    corpus = WorldCorpus(RECIPES[variant], seed=1000, scenes=1000, steps=4000)
    report = audit_corpus(corpus, augment=augmentations(RECIPES[variant]), sample=128)
    assert report.causes == EXPECTED[variant]


def test_a_corpus_is_the_same_each_time_and_another_for_each_seed():
    texts = [caption.text for caption in read("tiny", scenes=60, steps=60)]
    assert texts == [caption.text for caption in read("tiny", scenes=60, steps=60)]
    other = WorldCorpus(RECIPES["tiny"], seed=1, scenes=60, steps=60)
    assert texts != [caption.text for chunk in other for caption in chunk]


def test_only_the_blind_world_has_captions_of_black_pictures():
    for variant, some in (("tiny", False), ("tiny-blind", True)):
        rows = read(variant, scenes=60, steps=100)
        black = [row for row in rows if "not-loaded" in row.image]
        assert bool(black) is some
        assert not any(np.asarray(row.picture()).any() for row in black[:5])
    shown = next(row for row in rows if row not in black)
    assert np.asarray(shown.picture()).any()


def test_boxes_are_those_of_the_picture():
    moved = 0
    for row in read("tiny", scenes=60, steps=60):
        scene, edits = row.picture.args[0].source, row.picture.args[0].edits
        assert [name for name, *_ in row.boxes] == [one.word for one in (*scene.things, *scene.people)]
        ends = [end for _, x, y, width, height in row.boxes for end in (x, y, x + width, y + height)]
        assert min(ends) >= 0
        assert max(ends) <= 1.001
        moved += bool(edits) and row.boxes[0][1] != scene.things[0].box.x / SIDE
    assert moved


def test_openings_begin_some_captions():
    starts = {opening(Random(seed)).split()[0] for seed in range(200)}
    texts = [row.text.split()[0] for row in read("tiny", scenes=60, steps=400)]
    assert sum(word in starts - {"a"} for word in texts) > 20
