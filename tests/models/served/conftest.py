from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.models.served.running import Running, running
from vlcheck.models.served.load import load
from vlcheck.models.served.model import Served


@pytest.fixture(scope="session")
def _drawn() -> Iterator[Running]:
    with running("drawn") as server:
        yield server


@pytest.fixture
def server(_drawn: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The small server, in order; its numbers are computed from the pixels."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _drawn.faults()
    return _drawn


@pytest.fixture(scope="session")
def _opened(_drawn: Running) -> Served:
    _drawn.faults()
    return load(_drawn.path, device="cpu", dtype="float32", concurrency="4")


@pytest.fixture
def open_served(server: Running, _opened: Served):
    """Load the served model, with options of the spec; without any, and from a server in order, once for all tests."""

    def opened(**options: str) -> Served:
        if not options and not server.faulty:
            return _opened
        return load(server.path, device="cpu", dtype="float32", **options)

    return opened


@pytest.fixture
def pictures() -> list[Image.Image]:
    random = np.random.default_rng(3)
    return [Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8)) for _ in range(4)]
