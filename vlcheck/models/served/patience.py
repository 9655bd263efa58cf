"""Limits on waiting for an endpoint: the time of a request, the pauses between tries, and their number."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Patience:
    """Limits on waiting for an endpoint.

    Attributes:
        tries: number of times that a request is sent at most, from 1.
        timeout: seconds that one try may take.
        first: seconds of the longest pause after the first try; the longest pause doubles with each try.
        most: seconds of the longest pause that is made without being asked for.
        asked: seconds of the longest pause that an endpoint may ask for (Retry-After).
    """

    tries: int = 8
    timeout: float = 120.0
    first: float = 0.5
    most: float = 30.0
    asked: float = 300.0

    def pause(self, tried: int, headers: Mapping[str, str]) -> float:
        """Return the seconds to wait after a failed try: what the endpoint asks for, else a random time.

        Args:
            tried: number of tries, from 1.
            headers: the headers of its answer; empty if there is none.

        Source:
            Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
        """
        said = _retry_after(headers.get("retry-after", ""))
        drawn = random.uniform(0, min(self.most, self.first * 2 ** (tried - 1)))
        return drawn if said is None else min(said, self.asked) + min(drawn, self.first)


class Gate:
    """Holds back all requests to an endpoint while it asks for a pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opens = 0.0

    def close_for(self, seconds: float) -> None:
        """Hold back requests for some seconds from now on; a longer pause that is under way stays."""
        with self._lock:
            self._opens = max(self._opens, time.monotonic() + seconds)

    def wait(self) -> None:
        """Return once no pause is under way."""
        while (left := self._opens - time.monotonic()) > 0:
            time.sleep(left)


def _retry_after(said: str) -> float | None:
    """Return the seconds of a Retry-After header, which has a number or a date; None for anything else."""
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):  # no date, or one without a time zone
        return None
