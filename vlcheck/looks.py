"""How often the verdicts of a run are looked at while it scores: once, or until they are decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from vlcheck.behavior import Trial
from vlcheck.betting import anytime
from vlcheck.bounds import Test, exact
from vlcheck.digest import digest

FIRST_LOOK = 8
GROWTH = 1.25


class Looks(Protocol):
    """When to look, and the test that it takes.

    Attributes:
        test: one that holds for so many looks.
    """

    @property
    def test(self) -> Test: ...

    def stages(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        """What has been asked at each look: it begins with what had been at the one before, and the last is all."""


@dataclass(frozen=True)
class Once:
    """All images are asked about."""

    @property
    def test(self) -> Test:
        return exact

    def stages(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        yield list(trials)


@dataclass(frozen=True)
class Sequentially:
    """Images in a random order, in growing batches.

    Attributes:
        seed: for another order. It is the same for all behaviors, so that those who share images share them here, too.
    """

    seed: int

    @property
    def test(self) -> Test:
        return anytime

    def stages(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        by_image: dict[str, list[Trial]] = {}
        for trial in sorted(trials, key=lambda trial: digest(str(self.seed), trial.case.image.key)):
            by_image.setdefault(trial.case.image.key, []).append(trial)
        for size in sizes(len(by_image)):
            yield [trial for image in list(by_image)[:size] for trial in by_image[image]]


ONCE = Once()


def images_of(trials: Iterable[Trial]) -> int:
    """How many images some trials are about."""
    return len({trial.case.image.key for trial in trials})


def sizes(n: int) -> Iterable[int]:
    """How many of n images have been asked about at each look."""
    size = float(FIRST_LOOK)
    while size < n:
        yield round(size)
        size *= GROWTH
    yield n
