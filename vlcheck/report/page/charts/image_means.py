"""Means of images of a value, from rows that come one by one: an image has several rows, and counts once."""

from __future__ import annotations

from array import array

import numpy as np

from vlcheck.results.records import EvidenceRecord
from vlcheck.stats.bounds import Tally, exact, lower, upper
from vlcheck.stats.paired import by_image


def image_of(row: EvidenceRecord) -> int:
    """Return a number for the image of a row, the same for all of its rows in this process."""
    return hash(row.image or row.case)


class ImageMeans:
    """The mean over images of each one's mean over its rows; a row takes 16 bytes."""

    def __init__(self) -> None:
        self._images, self._values = array("q"), array("d")

    def add(self, row: EvidenceRecord, value: float) -> None:
        """Take a row.

        Args:
            row: the row.
            value: its value.
        """
        self._images.append(image_of(row))
        self._values.append(value)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._values)

    def each(self) -> np.ndarray:
        """Return the mean of each image: (images,), float64."""
        return by_image(np.asarray(self._images), np.asarray(self._values))[:, 0]

    @property
    def mean(self) -> float:
        """The mean over images."""
        return float(self.each().mean())

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the one-sided bounds of the mean of values in [0, 1], as those of a verdict.

        Args:
            alpha: error rate of each bound.
        """
        sample = Tally.of(self.each().tolist())
        return lower(exact, sample, alpha), upper(exact, sample, alpha)
