"""Samples of the distinct keys of a stream, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

Value = TypeVar("Value")

_HASHES = 2**64


class HashSample(Generic[Value]):
    """A random sample of the distinct keys of a stream, with a value for each.

    A key belongs to the sample if its hash is below a limit. When the sample is full, the limit is halved, and the keys
    above it are dropped. This does not depend on how often or when a key occurs, so that all that is counted about a
    key of the sample is counted from its first occurrence to the last. The sample has all keys if there are no more of
    them than places.

    Args:
        capacity: the largest number of keys.
        seed: seed of the hash.

    Source:
        Wegman's adaptive sampling, in Flajolet, Computing 43, 1990; Gibbons, Distinct sampling, VLDB 2001.

    Example:
        >>> sample = HashSample[int](capacity=100)
        >>> for number in range(1000):
        ...     if (place := sample.admit(str(number))) is not None:
        ...         sample.kept[place] = number
        ...         sample.shrink()
        >>> len(sample.kept) <= 100, 500 < sample.distinct < 2000
        (True, True)
    """

    def __init__(self, capacity: int, seed: int = 0) -> None:
        self.kept: dict[int, Value] = {}
        self._capacity = capacity
        self._limit = _HASHES
        self._salt = (seed % _HASHES).to_bytes(8, "little")

    def admit(self, key: str) -> int | None:
        """Return the hash of a key, its place in `kept`, or None if it does not belong to the sample."""
        found = int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8, salt=self._salt).digest(), "big")
        return found if found < self._limit else None

    def shrink(self) -> None:
        """Drop keys if there are more than places; to be called after a key is added."""
        while len(self.kept) > self._capacity:
            self._limit //= 2
            self.kept = {place: value for place, value in self.kept.items() if place < self._limit}

    @property
    def complete(self) -> bool:
        """True if the sample has every key of the stream."""
        return self._limit == _HASHES

    @property
    def distinct(self) -> int:
        """The number of distinct keys in the stream; an estimate unless the sample is complete."""
        return round(len(self.kept) * self.weight)

    @property
    def weight(self) -> float:
        """The number of keys of the stream for which each key of the sample stands."""
        return _HASHES / self._limit

    def values(self) -> Iterator[Value]:
        """Yield the values in the order of the hashes, which is random and the same for every order of the stream."""
        return (self.kept[place] for place in sorted(self.kept))


class PictureCounter:
    """Counts what is said of each picture, to tell how far captions are observations of their own.

    A caption that names no picture is taken for one of a picture of its own.

    Args:
        seed: seed of the sample of pictures from which it is estimated if there are more than CAPACITY.

    Example:
        >>> pictures = PictureCounter()
        >>> for image in ("1.jpg", "1.jpg", "1.jpg", "2.jpg"):
        ...     pictures.see(image)
        >>> pictures.per  # (9 + 1) / 4
        2.5
    """

    CAPACITY = 4_096

    def __init__(self, seed: int = 0) -> None:
        self._sample: HashSample[int] = HashSample(self.CAPACITY, seed)
        self._alone = self._alone_squares = 0  # of captions that name no picture

    def see(self, image: str, units: int = 1) -> None:
        """Count the units of a caption.

        Args:
            image: name of the caption's picture; "" if it names none.
            units: number of things that are counted in the caption.
        """
        if not image:
            self._alone += units
            self._alone_squares += units * units
        elif units and (place := self._sample.admit(image)) is not None:
            self._sample.kept[place] = self._sample.kept.get(place, 0) + units
            self._sample.shrink()

    @property
    def per(self) -> float:
        """The mean number of units of the same picture, over all units, so that large pictures weigh most; at least 1.

        This is sum(m^2) / sum(m) for pictures of m units each.
        """
        units, weight = self._sample.kept.values(), self._sample.weight
        squares = self._alone_squares + weight * sum(one * one for one in units)
        total = self._alone + weight * sum(units)
        return max(1.0, squares / total) if total else 1.0
