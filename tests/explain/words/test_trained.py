"""The probes on encoders that learnt which colors things have, and on encoders that could not learn it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.explain.words.encoders import ITEMS, intact, shuffled, train_bert, train_clip
from vlcheck.explain.words.knowledge import WordKnowledge, ask_words
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow  # networks are run many times

CHANCE = 0.1  # of ten colors


def found(folder: Path, probe: str) -> WordKnowledge:
    (one,) = (one for one in ask_words(load_model(str(folder)), {"color": ITEMS}).found if one.probe == probe)
    return one


@pytest.mark.parametrize(("train", "probe"), [(train_bert, "cloze"), (train_clip, "stroop")])
def test_an_encoder_knows_the_colors_of_intact_captions_and_none_of_shuffled_ones(
    train: Callable[..., Path], probe: str, tmp_path: Path
) -> None:
    knows, guesses = (found(train(tmp_path / one.__name__, one), probe) for one in (intact, shuffled))
    assert knows.n == guesses.n == 56
    assert knows.chance == guesses.chance == pytest.approx(CHANCE)
    assert (knows.is_known, guesses.is_known) == (True, False)
    assert (knows.accuracy or 0) >= 0.7
    assert guesses.interval.low <= CHANCE <= guesses.interval.high
