"""Bars of characters for a terminal."""

from __future__ import annotations

_WIDTH = 40


def share_bar(low: float, high: float) -> str:
    """Draw a share of a whole as a bar: "#" for the share, "-" for the rest, "=" for the interval between them.

    Args:
        low: lower end of the share's interval, in [0, 1].
        high: upper end, in [0, 1].

    Example:
        >>> share_bar(0.55, 0.65)
        '[######################====--------------]'
    """
    first, last = round(_WIDTH * low), round(_WIDTH * high)
    return f"[{'#' * first}{'=' * (last - first)}{'-' * (_WIDTH - last)}]"
