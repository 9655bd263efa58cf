"""Schedulers of pytest-xdist that run a test again if its worker died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling, WorkStealingScheduling


class _SecondChance:
    """Mixin for xdist's schedulers: a test whose worker died is queued again, once; kept scores make that cheap.

    A test that kills a second worker is reported as crashed.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)  # type: ignore[call-arg] # of xdist's scheduler, the next base class
        self._killers: set[str] = set()

    def remove_node(self, node: Any) -> str | None:
        """Remove a worker; return the test to be reported as crashed."""
        crashed: str | None = super().remove_node(node)  # type: ignore[misc] # of xdist's scheduler
        if crashed is None or crashed in self._killers:
            return crashed
        self._killers.add(crashed)
        self.mark_test_pending(crashed)  # type: ignore[attr-defined] # of xdist's scheduler
        return None


class _Load(_SecondChance, LoadScheduling):  # type: ignore[misc] # xdist has no types
    pass


class _WorkStealing(_SecondChance, WorkStealingScheduling):  # type: ignore[misc] # likewise
    pass


# xdist's other schedulers, which keep the tests of a file or class together, cannot queue a single one again.
SCHEDULERS: Mapping[str, type[Any]] = {"load": _Load, "worksteal": _WorkStealing}
