"""The probes and their accuracy on models whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binomtest
from typer.testing import CliRunner

from vlcheck.cases.case import MASK
from vlcheck.cli import app
from vlcheck.datasets.visual_knowledge.items import ClozeItem
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.words.knowledge import ALPHA, ask_words
from vlcheck.report.text.words import words_lines, words_sentence
from vlcheck.results.words import is_words_file, read_words, words_json

COLORS = ("red", "green", "blue", "white")
THINGS = ("fire", "leaf", "sky", "snow")
ITEMS = [
    ClozeItem(thing, f"the {thing} is {MASK}", color, COLORS) for thing, color in zip(THINGS, COLORS, strict=True)
] + [ClozeItem("blood", f"the blood is {MASK}", "red", COLORS)]
VECTORS = {word: np.eye(5)[at] for at, word in enumerate(COLORS)}


class Knowing:
    """Expects a color for each thing, and has a vector for it: a gap is read as the color that it expects."""

    name, fingerprint = "knowing", "1"

    def __init__(self, expected: dict[str, str], unknown: Sequence[str] = ()) -> None:
        self.expected, self.unknown = expected, unknown

    def can_spell(self, text: str) -> bool:
        return not {*text.split()} & {*self.unknown}

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        read = (text.split() for text in texts)
        return np.array([VECTORS[self.expected[words[1]] if words[3] == MASK else words[3]] + 0.1 for words in read])


class Guessing(Knowing):
    """Predicts the expected color at the mask, too, with the probability 0.4, and the others with 0.2."""

    def gap_log_probs(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        asked = zip(texts, words, strict=True)
        return [np.log([0.4 if self.expected[t.split()[1]] == word else 0.2 for word in each]) for t, each in asked]


class Blank(Knowing):
    """Has the same vector for every text."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.ones((len(texts), 3))


TRUE = {"fire": "red", "leaf": "green", "sky": "blue", "snow": "white", "blood": "red"}


def test_a_model_that_expects_the_truth_is_right_by_both_probes():
    cloze, stroop = ask_words(Guessing(TRUE), {"color": ITEMS}).found
    assert (cloze.probe, cloze.accuracy, stroop.probe, stroop.accuracy) == ("cloze", 1.0, "stroop", 1.0)
    assert stroop.answers[1].words == ("green",)


def test_accuracy_stands_beside_its_exact_interval_the_best_constant_answer_and_chance():
    (found,) = ask_words(Knowing({**TRUE, "snow": "blue"}), {"color": ITEMS}).found
    assert (found.n, found.accuracy, found.majority, found.chance) == (5, 0.8, 0.4, 0.25)
    theirs = binomtest(4, 5).proportion_ci(0.95, method="exact")
    assert found.interval == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert not found.is_known  # the interval begins at 0.28


def test_a_constant_answer_is_no_knowledge():
    many = ITEMS * 12
    red = ask_words(Knowing(dict.fromkeys(TRUE, "red")), {"color": many})
    true = ask_words(Knowing(TRUE), {"color": many})
    assert [red.found[0].accuracy, true.found[0].accuracy] == [0.4, 1.0]
    assert (red.found[0].is_known, true.found[0].is_known) == (False, True)
    assert words_sentence(red.record) == "Words alone tell none of these properties better than a constant answer."
    assert words_sentence(true.record).startswith("Words alone tell color: ")


def test_equal_scores_share_the_credit():
    (found,) = ask_words(Blank(TRUE), {"color": ITEMS}).found
    assert found.accuracy == pytest.approx(0.25)
    assert found.answers[0].words == COLORS


def test_items_that_the_vocabulary_cannot_spell_are_counted_and_not_scored():
    (found,) = ask_words(Knowing(TRUE, unknown=["snow"]), {"color": ITEMS}).found
    assert (found.n, found.unspelled, found.chance) == (4, 1, 0.25)
    (none,) = ask_words(Knowing(TRUE, unknown=["red"]), {"color": ITEMS}).found
    assert (none.n, none.unspelled, none.accuracy, none.interval) == (0, 5, None, (0.0, 1.0))
    assert not none.is_known


def test_a_model_without_a_text_encoder_is_refused_with_the_reason():
    with pytest.raises(NotApplicable, match="reads no text without a picture"):
        ask_words(object(), {"color": ITEMS})


class Answering(Guessing):
    """Answers with scores that are none."""

    def __init__(self, answer):
        super().__init__(TRUE)
        self.answer = answer

    def gap_log_probs(self, texts, words):
        return [self.answer(len(each)) for each in words]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n: np.full(n, np.nan), "the scores of knowing for words alone are not finite"),
        (lambda n: np.full(n, -np.inf), "the scores of knowing for words alone are not finite"),
        (lambda _: np.zeros(1), "knowing has 5 scores for 20 words"),
    ],
    ids=["NaN", "infinite", "too few"],
)
def test_scores_that_are_no_answers_are_refused_with_the_reason(answer, said):
    with pytest.raises(NotApplicable, match=said):
        ask_words(Answering(answer), {"color": ITEMS})


class Asked(Guessing):
    """A model of a user's own, asked by the command: it can spell each word, and answers by the length of the words."""

    kinds, metrics, mask, cased = {"itm": "sigmoid"}, frozenset({"itm"}), MASK, False

    def __init__(self, device, dtype):
        super().__init__(TRUE)

    def encode(self, image):
        return image

    def itm(self, encoded, texts, foils=None):
        return np.full(len(texts), 0.5)

    def embed_texts(self, texts):
        return np.array([[1.0, len(text)] for text in texts])

    def gap_log_probs(self, texts, words):
        return [-np.array([*map(float, map(len, each))]) for each in words]


class Broken(Asked):
    """A model with a fault of its own."""

    name = "broken"

    def gap_log_probs(self, texts, words):
        raise ValueError("own fault")


def test_a_fault_of_one_model_costs_no_other_one_its_answers(tmp_path):
    path = tmp_path / "words.json"
    specs = [f"{__file__}:{name}" for name in ("Broken", "Asked")]
    done = CliRunner().invoke(app, ["words", *specs, "nofile.py:Model", "--to", str(path)])
    assert done.exit_code == 4
    assert "broken raised ValueError: own fault (" in done.stdout
    assert "Error: MODELS 'nofile.py:Model': " in " ".join(done.output.split())
    assert [one.model for one in read_words(path)] == ["knowing"]


def test_the_file_has_each_answer_and_is_read_back(tmp_path):
    path, record = tmp_path / "words.json", ask_words(Guessing(TRUE, unknown=["sky"]), {"color": ITEMS}).record
    path.write_bytes(words_json([record], ALPHA))
    assert is_words_file(path)
    assert read_words(path) == (record,)
    kept = json.loads(path.read_text())["models"][0]["found"][0]
    assert (kept["about"], kept["probe"]) == ("color", "cloze")
    assert (kept["n"], kept["unspelled"], kept["majority"]) == (4, 1, 0.5)
    assert kept["answers"][3]["scores"]["red"] == pytest.approx(np.log(0.4))


@pytest.mark.parametrize("text", ["{}", "[]", '{"words_alone":2,"alpha":0.05,"models":[]}'])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "words.json"
    path.write_text(text)
    assert not is_words_file(path)
    with pytest.raises(UsageError, match="is no file of `vlcheck words`"):
        read_words(path)


def test_the_table_says_what_words_tell(tmp_path):
    record = ask_words(Guessing(TRUE), {"color": ITEMS * 12, "shape": []}).record
    name, head, cloze, *_, none, sentence = words_lines(record)
    assert (name, head.split()[-2:], cloze.split()[-1]) == ("knowing", ["words", "tell"], "yes")
    assert cloze.split()[:5] == ["color", "cloze", "60", "0", "1.00"]
    assert none.split() == ["shape", "stroop", "0", "0", "-", "-", "-", "-", "-"]
    assert sentence.startswith("Words alone tell color")
