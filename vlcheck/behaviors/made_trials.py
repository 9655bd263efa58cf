"""Trials that are made when they are asked for: those of many cases do not stay in memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import overload

from vlcheck.behaviors.behavior import Trial

RECENT = 1_000  # cases of a behavior whose trials are kept for the next reader, some 10 kB each

OfCase = Callable[[int], Sequence[Trial]]


class MadeTrials(Sequence[Trial]):
    """The trials of some cases, each made whenever it is asked for; what is asked of all of them at once is kept.

    Args:
        of_case: returns the trials of a case, given by its place in the data: the same ones at each call.
        cases: the places of the cases.

    Attributes:
        cases: for each trial the place of its case.
        images: for each trial the key of its image.
        askable: for each trial whether the data allows it.
    """

    def __init__(self, of_case: OfCase, cases: Iterable[int] = ()) -> None:
        self._of_case = of_case
        self.cases, self._parts = array("l"), array("l")
        self.images: list[str] = []
        self.askable = bytearray()
        for case in cases:
            for part, trial in enumerate(of_case(case)):
                self._add(case, part, trial.case.image.key, askable=trial.askable)

    def at(self, places: Iterable[int]) -> MadeTrials:
        """Return the trials at some places, in their order."""
        return self._with((self, place) for place in places)

    def plus(self, others: Iterable[MadeTrials]) -> MadeTrials:
        """Return these trials, and after them others of the same cases."""
        return self._with((trials, place) for trials in (self, *others) for place in range(len(trials)))

    def _with(self, chosen: Iterable[tuple[MadeTrials, int]]) -> MadeTrials:
        found = MadeTrials(self._of_case)
        for trials, place in chosen:
            case, part = trials.cases[place], trials._parts[place]
            found._add(case, part, trials.images[place], askable=bool(trials.askable[place]))
        return found

    def _add(self, case: int, part: int, image: str, *, askable: bool) -> None:
        self.cases.append(case)
        self._parts.append(part)
        self.images.append(image)
        self.askable.append(askable)

    @overload
    def __getitem__(self, at: int) -> Trial: ...

    @overload
    def __getitem__(self, at: slice) -> MadeTrials: ...

    def __getitem__(self, at: int | slice) -> Trial | MadeTrials:
        if isinstance(at, slice):
            return self.at(range(*at.indices(len(self))))
        return self._of_case(self.cases[at])[self._parts[at]]

    def __iter__(self) -> Iterator[Trial]:
        return map(self.__getitem__, range(len(self)))

    def __len__(self) -> int:
        return len(self.cases)


def images_of_trials(trials: Sequence[Trial]) -> Sequence[str]:
    """Return the key of each trial's image."""
    return trials.images if isinstance(trials, MadeTrials) else [trial.case.image.key for trial in trials]


def taken(trials: Sequence[Trial], places: Iterable[int]) -> Sequence[Trial]:
    """Return the trials at some places.

    Args:
        trials: all trials.
        places: their places, from 0.
    """
    return trials.at(places) if isinstance(trials, MadeTrials) else [trials[place] for place in places]


def parted(number: int) -> Iterator[range]:
    """Yield the places of a number of trials in parts that are read together, so that few of them are in memory."""
    return (range(start, min(start + RECENT, number)) for start in range(0, number, RECENT))


def with_further(trials: Sequence[Trial], others: Iterable[MadeTrials]) -> Sequence[Trial]:
    """Return trials, and after them others of the same behavior.

    Args:
        trials: the first ones.
        others: the others.
    """
    return trials.plus(others) if isinstance(trials, MadeTrials) else [*trials, *chain.from_iterable(others)]
