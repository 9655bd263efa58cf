"""Maps over a picture: one value for each visual unit of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlcheck.models.differentiable import ImageLayout


@dataclass(frozen=True, eq=False)
class ImageMap:
    """One value for each patch or region of a picture.

    Attributes:
        values: (units,), float64; positive values speak for the score, and methods without a sign have none below 0.
        layout: where the units lie in the picture.
    """

    values: np.ndarray
    layout: ImageLayout

    def render(self, width: int, height: int) -> np.ndarray:
        """Return the map at the size of a picture: each unit's value is spread evenly over its box.

        The sum over all pixels is the sum over the units, but for parts of boxes outside the picture. Boxes may
        overlap; their densities add up.

        Args:
            width: the picture's width in pixels.
            height: the picture's height in pixels.

        Returns:
            Densities, (height, width), float64.
        """
        painted = np.zeros((height, width))
        for value, box in zip(self.values, self.layout.boxes, strict=True):
            across = _cover(box.x * width, box.width * width, width)
            down = _cover(box.y * height, box.height * height, height)
            painted += value * np.outer(down / (box.height * height), across / (box.width * width))
        return painted

    def grid(self, most: int = 24) -> np.ndarray:
        """Return the map as a grid over the whole picture, e.g. to be drawn.

        Args:
            most: the most rows and columns.

        Returns:
            The values of the patches, (rows, columns), if these cover the picture as a grid that is not finer; else
            sums over the cells of a grid of `most` rows and columns.
        """
        if self.layout.grid and max(self.layout.grid) <= most and self.layout == ImageLayout.of_grid(*self.layout.grid):
            return self.values.reshape(self.layout.grid)
        return self.render(most, most)


def _cover(start: float, length: float, pixels: int) -> np.ndarray:
    """Return how much of each pixel of a row a stretch of it covers, (pixels,), in [0, 1]."""
    edges = np.arange(pixels)
    covered = np.minimum(edges + 1, start + length) - np.maximum(edges, start)
    clipped: np.ndarray = np.clip(covered, 0, 1)
    return clipped
