"""How often the verdicts of a run are looked at while it scores: once, or until they are decided."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from vlcheck._util.hashing import digest
from vlcheck.behaviors.behavior import Trial
from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Test, exact
from vlcheck.stats.verdict import Verdict

FIRST_LOOK = 8
GROWTH = 1.25
FOLDS = 5


class Looks(Protocol):
    """When to look, and the test that it takes.

    Attributes:
        test: one that holds for so many looks.
    """

    @property
    def test(self) -> Test: ...

    def stages(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        """What has been asked at each look: it begins with what had been at the one before, and the last is all."""

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        """Return whether nothing more is to be asked, given what the verdict would be."""

    def division(self, images: Collection[str]) -> Division:
        """Divide images so that none sets the scale that it is judged by.

        Args:
            images: keys of those that may set it.
        """


class Division(Protocol):
    """Images in groups; the scale of each group is fitted to images of other groups.

    Attributes:
        demanded: the groups that cannot do without a scale.
    """

    @property
    def demanded(self) -> Sequence[int]: ...

    def group(self, image: str) -> int:
        """Return the group of any image, by its key."""

    def teaches(self, image: str, group: int) -> bool:
        """Return whether an image may set the scale of a group."""

    def beside(self, image: str) -> Callable[[str], bool]:
        """Return which images may be the other picture, of which a text about this one is not true."""

    def summit(self, groups: Collection[int]) -> int:
        """Return the group whose scale rests on all that may teach any of some groups."""

    def continues(self, group: int) -> bool:
        """Return whether more images will be looked at than teach a group."""


@dataclass(frozen=True)
class Folds:
    """Cross-fitting: the scale of each fold rests on all others.

    Attributes:
        places: of the images that set it in a shuffled order, ascending; they are dealt to the folds in turn.
    """

    places: tuple[str, ...]
    demanded: Sequence[int] = range(FOLDS)

    def group(self, image: str) -> int:
        return bisect_left(self.places, _place("fold", image)) % FOLDS

    def teaches(self, image: str, group: int) -> bool:
        return self.group(image) != group

    def beside(self, image: str) -> Callable[[str], bool]:
        return lambda other: True

    def summit(self, groups: Collection[int]) -> int:
        return FOLDS  # of which no image is

    def continues(self, group: int) -> bool:
        return False


@dataclass(frozen=True)
class Batches:
    """A predictable scale: that of each batch rests on the batches before, so that the first one has none.

    Attributes:
        place: of an image in the order in which all of them are looked at.
        ends: the place of the last image of each batch but the last, ascending.
    """

    place: Callable[[str], str]
    ends: tuple[str, ...]

    @property
    def demanded(self) -> Sequence[int]:
        return [len(self.ends)]

    def group(self, image: str) -> int:
        return bisect_left(self.ends, self.place(image))

    def teaches(self, image: str, group: int) -> bool:
        return self.group(image) < group

    def beside(self, image: str) -> Callable[[str], bool]:
        own = self.group(image)
        return lambda other: self.group(other) <= own

    def summit(self, groups: Collection[int]) -> int:
        return max(groups, default=0)

    def continues(self, group: int) -> bool:
        return group < len(self.ends)


@dataclass(frozen=True)
class Once:
    """All images are asked about."""

    @property
    def test(self) -> Test:
        return exact

    def stages(self, trials: Sequence[Trial]) -> Iterator[list[Trial]]:
        yield list(trials)

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        """Return False: whoever stops at a verdict has looked at it more than once."""
        return False

    def division(self, images: Collection[str]) -> Division:
        return Folds(tuple(sorted(_place("fold", image) for image in images)))


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
        for trial in sorted(trials, key=lambda trial: self._place(trial.case.image.key)):
            by_image.setdefault(trial.case.image.key, []).append(trial)
        for size in sizes(len(by_image)):
            yield [trial for image in list(by_image)[:size] for trial in by_image[image]]

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        return verdict().decided

    def division(self, images: Collection[str]) -> Division:
        places = sorted(map(self._place, images))
        ends = (places[size - 1] for size in doubled(FIRST_LOOK, len(places)))
        return Batches(self._place, tuple(ends))

    def _place(self, image: str) -> str:
        return _place(str(self.seed), image)


ONCE = Once()


def looks_at(seed: int, *, sequential: bool) -> Looks:
    """Return how often the verdicts of a run are looked at, sequentially or once."""
    return Sequentially(seed) if sequential else ONCE


@cache
def _place(seed: str, image: str) -> str:
    """Return an image's place in a shuffled order that is the same in every process."""
    return digest(seed, image)


def images_of(trials: Iterable[Trial]) -> int:
    """How many images some trials are about."""
    return len({trial.case.image.key for trial in trials})


def doubled(first: int, n: int) -> Iterator[int]:
    """Return first, twice that and so on, below n."""
    while first < n:
        yield first
        first *= 2


def sizes(n: int) -> Iterable[int]:
    """How many of n images have been asked about at each look."""
    size = float(FIRST_LOOK)
    while size < n:
        yield round(size)
        size *= GROWTH
    yield n
