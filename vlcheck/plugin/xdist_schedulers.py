"""Schedulers that run a test again when its worker died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from xdist.scheduler import LoadScheduling, WorkStealingScheduling


class _SecondChance:
    """xdist's own, but a test whose worker died is queued again once: scores are kept, so little is lost.

    A test that kills a second worker is reported as crashed.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)  # type: ignore[call-arg] # that of the scheduler beside it
        self._killers: set[str] = set()

    def remove_node(self, node: Any) -> str | None:
        """Remove a worker; return the test to be reported as crashed."""
        crashed: str | None = super().remove_node(node)  # type: ignore[misc] # likewise
        if crashed is None or crashed in self._killers:
            return crashed
        self._killers.add(crashed)
        self.mark_test_pending(crashed)  # type: ignore[attr-defined] # likewise
        return None


class _Load(_SecondChance, LoadScheduling):  # type: ignore[misc] # xdist has no types
    pass


class _WorkStealing(_SecondChance, WorkStealingScheduling):  # type: ignore[misc] # likewise
    pass


# xdist's other schedulers, which keep the tests of a file or class together, cannot queue a single one again.
SCHEDULERS: Mapping[str, type[Any]] = {"load": _Load, "worksteal": _WorkStealing}
