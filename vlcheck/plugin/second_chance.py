"""A scheduler that runs a test again when its worker died."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScheduling


class SecondChance(LoadScheduling):  # type: ignore[misc] # xdist has no types
    """xdist's own, but a test whose worker died is queued again once: scores are kept, so little is lost.

    A test that kills a second worker is reported as crashed.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        self._killers: set[str] = set()

    def remove_node(self, node: Any) -> str | None:
        """Remove a worker; return the test to be reported as crashed."""
        crashed: str | None = super().remove_node(node)
        if crashed is None or crashed in self._killers:
            return crashed
        self._killers.add(crashed)
        self.mark_test_pending(crashed)
        return None
