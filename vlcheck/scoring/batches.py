"""Batches of texts that are padded to one length: as few padded characters as a call is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CALL = 512  # number of padded characters that cost as much as one more call of the model


def ends_of_batches(lengths: Sequence[int], most: int) -> list[int]:
    """Cut a sequence of texts into batches at the least cost.

    A batch costs CALL, and the length of its longest text for each of its texts.

    Args:
        lengths: the lengths of the texts in characters, ascending.
        most: the most texts in a batch, at least 1.

    Returns:
        The index after the last text of each batch, ascending.

    Example:
        >>> ends_of_batches([20, 21, 21, 80, 90, 95, 95, 95, 96, 96, 97, 99], most=8)
        [4, 12]
    """
    costs, starts, place = np.zeros(len(lengths) + 1, np.int64), [0], np.arange(len(lengths))
    for end, longest in enumerate(lengths, 1):
        first = max(0, end - most)
        dear = costs[first:end] + (end - place[first:end]) * longest
        start = first + int(dear.argmin())
        costs[end] = dear[start - first] + CALL
        starts.append(start)
    ends, end = [], len(lengths)
    while end:
        ends.append(end)
        end = starts[end]
    return ends[::-1]
