"""Captions whose words a model of words guesses."""

import numpy as np

from tests.audit.corpora import audited, rows

CAPTIONS = rows(*[f"a red bus number {at}" for at in range(30)], *[f"a cup to the left of {at}" for at in range(10)])


class Knowing:
    """A model that prefers some words."""

    name = "knowing"

    def __init__(self, *words, vocabulary=None):
        self.words, self.vocabulary = words, vocabulary

    def can_spell(self, text):
        return self.vocabulary is None or set(text.split()) <= self.vocabulary

    def gap_log_probs(self, texts, words):
        assert all(text.count("[MASK]") == 1 for text in texts)
        return [np.array([-1.0 if word in self.words else -2.0 for word in each]) for each in words]


def test_the_share_of_right_gaps_is_counted_by_kind():
    found = audited(CAPTIONS, "captions-guessable", model=Knowing("red", "left"))
    right = {part.name: (part.n, part.count) for part in found.parts}
    assert sum(n for n, _ in right.values()) == found.n == 40
    assert right["colors"][0] == right["colors"][1] > 0
    assert right["sides"][0] == right["sides"][1] > 0
    assert right["things"][1] == 0 < right["things"][0]
    assert not found.cause


def test_words_that_the_model_cannot_spell_are_no_candidates():
    vocabulary = {"a", "red", "blue", "bus", "number", *map(str, range(30))}
    found = audited(CAPTIONS[:30], "captions-guessable", model=Knowing("red", vocabulary=vocabulary))
    assert (found.n, found.count) == (30, 30)


def test_a_model_without_the_words_is_not_asked():
    found = audited(CAPTIONS, "captions-guessable", model=Knowing(vocabulary=set()))
    assert (found.n, found.says) == (0, "knowing can spell no sampled caption with a color, a side or a thing.")


class Failing(Knowing):
    name = "failing"

    def gap_log_probs(self, texts, words):
        raise RuntimeError("out of memory")


def test_a_model_that_raises_leaves_the_check_unmade():
    found = audited(CAPTIONS, "captions-guessable", model=Failing())
    assert found.n == 0
    assert found.says.startswith("failing gave no answer")
    assert "out of memory" in found.says
