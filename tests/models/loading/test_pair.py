from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.models import chats, checkpoints
from vlcheck.cases.case import MASK
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import AnswersYesNo

TEXTS = ["a red bus on the street", "a dog", "the cat is left of the dog"]
MASKED = [f"a {MASK} bus", f"a {MASK}", f"the cat is {MASK} of the dog"]
WORDS = [("red", "zebra"), ("dog", "cat", "ox"), ("left", "right")]


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.blip_retrieval(tmp_path_factory.mktemp("match"))


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chats.blip_captioning(tmp_path_factory.mktemp("words"))


def test_each_metric_is_answered_by_its_own_checkpoint(
    match: Path, words: Path, real_photographs: list[Image.Image]
) -> None:
    pair, matcher, filler = load_model(f"itm={match},mlm={words}"), load_model(str(match)), load_model(str(words))
    rows = [2, 0, 0]
    encoded = pair.encode(real_photographs)[rows]
    assert len(encoded) == 3
    matched = matcher.itm(matcher.encode(real_photographs)[rows], TEXTS)
    filled = filler.mlm(filler.encode(real_photographs)[rows], MASKED, WORDS)
    np.testing.assert_array_equal(pair.itm(encoded, TEXTS), matched)
    for mine, theirs in zip(pair.mlm(encoded, MASKED, WORDS), filled, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert pair.metrics == {"itm", "mlm"}
    assert pair.kinds == {"itm": "match-head", "mlm": "candidates"}
    assert pair.name == f"itm={match},mlm={words}"


def test_foils_and_likely_words_are_passed_on(tmp_path: Path, real_photographs: list[Image.Image]) -> None:
    ranks, masked = checkpoints.vilt_retrieval(tmp_path / "ranks"), checkpoints.vilt_words(tmp_path / "masked")
    pair, ranker, filler = load_model(f"mlm={masked},itm={ranks}"), load_model(str(ranks)), load_model(str(masked))
    foils = [["a cat"], ["a bus", "a photo"], ["the dog"]]
    encoded = pair.encode(real_photographs)
    ranked = ranker.itm(ranker.encode(real_photographs), TEXTS, foils)
    np.testing.assert_array_equal(pair.itm(encoded, TEXTS, foils), ranked)
    assert pair.top(encoded, MASKED, 3) == filler.top(filler.encode(real_photographs), MASKED, 3)  # type: ignore[attr-defined]


def test_yes_and_no_are_passed_on(
    match: Path, words: Path, tmp_path: Path, real_photographs: list[Image.Image]
) -> None:
    answering = chats.paligemma(tmp_path)
    pair, matcher = load_model(f"itm={answering},mlm={words}"), load_model(str(answering))
    assert isinstance(pair, AnswersYesNo)
    assert isinstance(matcher, AnswersYesNo)
    mine = pair.answers(pair.encode(real_photographs), TEXTS)
    theirs = matcher.answers(matcher.encode(real_photographs), TEXTS)
    np.testing.assert_array_equal(mine, theirs)
    assert not isinstance(load_model(f"itm={match},mlm={words}"), AnswersYesNo)


def test_the_fingerprint_is_of_both(match: Path, words: Path, tmp_path: Path) -> None:
    other = checkpoints.blip_retrieval(tmp_path, seed=1)
    once, again, changed = (load_model(f"itm={one},mlm={words}") for one in (match, match, other))
    assert once.fingerprint == again.fingerprint != changed.fingerprint
    assert once.fingerprint == load_model(f"mlm={words},itm={match}").fingerprint


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("itm={match},vqa={words}", "'vqa' is no metric. Known: itm, mlm"),
        ("itm={match},itm={words}", "itm is named twice"),
        ("itm={match}", "no model is named for mlm. Accepted: itm=SPEC,mlm=SPEC"),
        ("itm={match},mlm=", "no model is named for mlm"),
        ("itm={words},mlm={words}", "has no itm: BLIP matches in its retrieval checkpoint"),
        ("itm={match},mlm={match}", "has no mlm: BLIP predicts words in its captioning checkpoint"),
        ("itm={match},mlm=no-such-folder", "model='no-such-folder': no such model"),
    ],
)
def test_what_is_wrong_with_a_pair_is_named(spec: str, complaint: str, match: Path, words: Path) -> None:
    with pytest.raises(UsageError, match=rf"^model='itm=.*{complaint}"):
        load_model(spec.format(match=match, words=words))


def test_a_pair_is_asked_about_what_both_encoded(match: Path, words: Path, real_photographs: list[Image.Image]) -> None:
    pair, matcher = load_model(f"itm={match},mlm={words}"), load_model(str(match))
    with pytest.raises(TypeError, match="images that it encoded itself, not Features"):
        pair.itm(matcher.encode(real_photographs), TEXTS)
