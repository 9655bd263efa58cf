"""Schedules: in which order images are asked, and how often a verdict is computed, once or until it is decided."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Protocol

from vlcheck._util.hashing import digest
from vlcheck.behaviors.behavior import Trial
from vlcheck.behaviors.made_trials import images_of_trials, taken
from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Test, exact
from vlcheck.stats.verdict import Verdict

FIRST_LOOK = 8
GROWTH = 1.25
FOLDS = 5


class Schedule(Protocol):
    """A schedule: when a verdict is computed, and the statistical test that allows it.

    Attributes:
        test: a test that is valid for this number of looks.
    """

    @property
    def test(self) -> Test: ...

    def stages(self, trials: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
        """Yield the trials asked so far at each look; each list begins with the one before, the last has all trials."""

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        """Return True if no more images are needed; `verdict` computes the verdict so far."""

    def division(self, images: Collection[str]) -> Division:
        """Divide images into groups so that none influences the scale that it is judged by.

        Args:
            images: keys of the images that scales may be fitted to.
        """


class Division(Protocol):
    """Images in groups; the scale of each group is fitted to images of other groups.

    Attributes:
        demanded: the groups that need a scale.
    """

    @property
    def demanded(self) -> Sequence[int]: ...

    def group(self, image: str) -> int:
        """Return the group of an image, by its key."""

    def teaches(self, image: str, group: int) -> bool:
        """Return True if the scale of a group may be fitted to an image.

        Args:
            image: the image's key.
            group: the number of the group.
        """

    def beside(self, image: str) -> Callable[[str], bool]:
        """Return a predicate of the images that may be the other picture, of which this image's text is not true.

        It is the same for all images of a group.
        """

    def summit(self, groups: Collection[int]) -> int:
        """Return the group whose scale rests on all images that may teach any of some groups."""

    def continues(self, group: int) -> bool:
        """Return True if more images will be asked about than teach a group."""


@dataclass(frozen=True)
class Folds:
    """Cross-fitting: the scale of each fold rests on the images of all others.

    Attributes:
        places: places of the images in a shuffled order, ascending; images are assigned to the folds in turn.
        demanded: the groups that need a scale, here all folds.
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
        return FOLDS  # a group without images

    def continues(self, group: int) -> bool:
        return False


@dataclass(frozen=True)
class Batches:
    """Predictable scales: that of each batch rests on the batches before, so that the first one has none.

    Attributes:
        place: returns the place of an image in the order in which all images are asked.
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
    """The schedule that asks about all images, and computes the verdict once."""

    @property
    def test(self) -> Test:
        return exact

    def stages(self, trials: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
        yield trials

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        """Return False: stopping at a verdict would mean that it was computed more than once."""
        return False

    def division(self, images: Collection[str]) -> Division:
        return Folds(tuple(sorted(_place("fold", image) for image in images)))


@dataclass(frozen=True)
class Sequentially:
    """The schedule that asks about images in a random order, in growing batches, until the verdict is decided.

    Attributes:
        seed: determines the order. It is the same for all behaviors, so that they share images.
    """

    seed: int

    @property
    def test(self) -> Test:
        return anytime

    def stages(self, trials: Sequence[Trial]) -> Iterator[Sequence[Trial]]:
        images = images_of_trials(trials)
        by_image: dict[str, list[int]] = {}
        for at in sorted(range(len(images)), key=lambda at: self._place(images[at])):
            by_image.setdefault(images[at], []).append(at)
        for size in sizes(len(by_image)):
            yield taken(trials, chain.from_iterable(islice(by_image.values(), size)))

    def settled(self, verdict: Callable[[], Verdict]) -> bool:
        return verdict().decided

    def division(self, images: Collection[str]) -> Division:
        places = sorted(map(self._place, images))
        ends = (places[size - 1] for size in doubled(FIRST_LOOK, len(places)))
        return Batches(self._place, tuple(ends))

    def _place(self, image: str) -> str:
        return _place(str(self.seed), image)


ONCE = Once()


def schedule_for(seed: int, *, sequential: bool) -> Schedule:
    """Return the schedule of a run.

    Args:
        seed: determines the order of images in a sequential schedule.
        sequential: whether to stop as soon as a verdict is decided.
    """
    return Sequentially(seed) if sequential else ONCE


@lru_cache(10_000)
def _place(seed: str, image: str) -> str:
    """Return an image's place in a shuffled order that is the same in every process."""
    return digest(seed, image)


def images_of(trials: Sequence[Trial]) -> int:
    """Return the number of images that some trials are about."""
    return len({*images_of_trials(trials)})


def doubled(first: int, n: int) -> Iterator[int]:
    """Yield first, twice that and so on, below n.

    Args:
        first: the first number, above 0.
        n: the limit.
    """
    while first < n:
        yield first
        first *= 2


def sizes(n: int) -> Iterable[int]:
    """Yield the number of images, of n, that have been asked about at each look."""
    size = float(FIRST_LOOK)
    while size < n:
        yield round(size)
        size *= GROWTH
    yield n
