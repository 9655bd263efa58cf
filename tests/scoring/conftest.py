from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scoring.counting import CountingModel
from vlcheck.scoring.store import ScoreStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ScoreStore]:
    with ScoreStore(tmp_path / "scores.db", CountingModel.fingerprint) as opened:
        yield opened


@pytest.fixture
def counting(tmp_path: Path) -> CountingModel:
    return CountingModel(tmp_path / "journal.txt")
