"""Batches of texts that are padded to one length: as few padded characters as a call is worth."""

from __future__ import annotations

from collections.abc import Sequence

CALL = 512  # number of padded characters that cost as much as one more call of the model


def cut(lengths: Sequence[int], most: int) -> list[int]:
    """Cut a sequence of texts into batches at the least cost.

    A batch costs CALL, and the length of its longest text for each of its texts.

    Args:
        lengths: the lengths of the texts in characters, ascending.
        most: the most texts in a batch, at least 1.

    Returns:
        The index after the last text of each batch, ascending.

    Example:
        >>> cut([20, 21, 21, 80, 90, 95, 95, 95, 96, 96, 97, 99], most=8)
        [3, 11, 12]
    """
    costs, starts = [0], [0]
    for end in range(1, len(lengths) + 1):
        cost, start = min(
            (costs[start] + CALL + (end - start) * lengths[end - 1], start) for start in range(max(0, end - most), end)
        )
        costs.append(cost)
        starts.append(start)
    ends, end = [], len(lengths)
    while end:
        ends.append(end)
        end = starts[end]
    return ends[::-1]
