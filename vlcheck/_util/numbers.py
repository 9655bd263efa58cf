"""Formatting of numbers, the same on pages, on the terminal, in Markdown, on cards and in messages.

No number is rounded to one that claims more: only 0 is written 0, only a whole number is written 100 %, and a value
beside a limit gets as many digits as it takes to tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

_MOST = 6  # digits after the point
_LARGE = 1e6  # from here on with an exponent
_SAME = 1e-12  # a relative difference that arithmetic leaves behind
_LEAST_P = 1e-300  # smaller values may have been rounded to 0
_MINUTE, _HOUR = 60, 3600


def counted(number: int, what: str, many: str = "") -> str:
    """Format a number of things: 1 row, 2 rows.

    Args:
        number: the number, 0 or more.
        what: the singular.
        many: the plural; by default the singular with an s.
    """
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def part_of(number: int, whole: int, what: str, many: str = "") -> str:
    """Format a part of a number of things: 3 of 10 tests, 1 of 1 test, 0 of 1 tests.

    Args:
        number: the number of the part, 0 or more.
        whole: the number of all things.
        what: the singular.
        many: the plural; by default the singular with an s.
    """
    return f"{number:,} of {whole:,} {what if number == whole == 1 else many or what + 's'}"


def verb(number: int, one: str, many: str) -> str:
    """Return the form of a verb that agrees with a number: 1 passes, 0 pass, 2 pass.

    Args:
        number: the number of things that the verb is about.
        one: the form for one thing.
        many: the form for any other number.
    """
    return one if number == 1 else many


def names_in_brief(names: Sequence[str], most: int) -> str:
    """Format a list of names, of which the first ones are named: "a, b and 3 more".

    Args:
        names: the names.
        most: the number of names that are shown.
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def whole(number: float | None) -> str:
    """Format a count for a table's cell: 1,887; None is written "-"."""
    return "-" if number is None else f"{number + 0.0:,.0f}"  # -0.0 + 0.0 is 0.0


def figure(number: float | None, decimals: int = 3, apart: Collection[float] = ()) -> str:
    """Format a score, a rate or a difference: 0.120, 3e-04, -0.005.

    Args:
        number: the number; None is written "-".
        decimals: digits after the point; more if fewer would read as 0, as 1 or as a number in `apart`.
        apart: limits that the number may not appear to equal unless it does.
    """
    if number is None:
        return "-"
    return _told_apart(number, decimals, (-1.0, 1.0, *apart), tiny=10.0 ** -max(decimals, 3))


def signed(number: float | None, decimals: int = 3, apart: Collection[float] = ()) -> str:
    """Format a mean, a margin or a difference with its sign: +0.120, -3e-04; 0 has none.

    Args:
        number: the number; None is written "-".
        decimals: digits after the point, as in `figure`.
        apart: limits, as in `figure`.
    """
    shown = figure(number, decimals, apart)
    return f"+{shown}" if number is not None and number > 0 else shown


def between(low: float | None, high: float | None, decimals: int = 3, apart: Collection[float] = ()) -> str:
    """Format an interval: 0.271 to 0.937.

    Args:
        low: the lower end; None is written "-".
        high: the upper end; None is written "-".
        decimals: digits after the point, as in `figure`.
        apart: limits, as in `figure`.
    """
    return "-" if low is None or high is None else f"{figure(low, decimals, apart)} to {figure(high, decimals, apart)}"


def span(low: float, high: float, apart: Collection[float] = ()) -> str:
    """Format an interval of means, with their signs: -0.150 to +0.150.

    Args:
        low: the lower end.
        high: the upper end.
        apart: limits, as in `figure`.
    """
    return f"{signed(low, apart=apart)} to {signed(high, apart=apart)}"


def share(rate: float, apart: Collection[float] = (), decimals: int = 1) -> str:
    """Format a rate in percent: 66.7 %, 10 %, 99.98 %.

    Args:
        rate: the rate, in [0, 1].
        apart: limits, as in `figure`, given as rates.
        decimals: digits after the point, as in `figure`.
    """
    limits = (100.0, *(100 * limit for limit in apart))
    shown = _told_apart(100 * rate, decimals, limits, tiny=1e-3)
    return f"{shown.removesuffix(f'.{0:0{decimals}}')} %"


def shares(low: float, high: float, apart: Collection[float] = ()) -> str:
    """Format an interval of rates in percent: 27.1 to 93.7 %.

    Args:
        low: the lower end, in [0, 1].
        high: the upper end, in [0, 1].
        apart: limits, as in `figure`, given as rates.
    """
    return f"{share(low, apart).removesuffix(' %')} to {share(high, apart)}"


def chance(p: float | None, alpha: float | None = None) -> str:
    """Format a p-value: 0.0496, 1e-07; no p-value is written 0.

    Args:
        p: the p-value, in [0, 1]; None is written "-".
        alpha: the error rate that it is compared with; the p-value does not appear to equal it unless it does.
    """
    if p is not None and 0 <= p < _LEAST_P:
        return f"<{_LEAST_P:.0e}"
    return figure(p, apart=() if alpha is None else (alpha,))


def brief(number: float) -> str:
    """Format a number that a person chose, such as a tolerance, in as few digits as it has: 0.1, -0.15."""
    return f"{rounded(number):.12g}"


def rounded(number: float) -> float:
    """Round off the digits that floating-point arithmetic leaves, for files that programs read: -0.005."""
    shown = (float(f"{number:.{digits}g}") for digits in (6, 12))
    return next((one for one in shown if abs(one) != 1 or abs(number) == 1), number) + 0.0  # -0.0 + 0.0 is 0.0


def duration(seconds: float) -> str:
    """Format a duration roughly: 1 second at least, 12 seconds, 3 minutes, 2.5 hours."""
    if seconds < _MINUTE:
        return counted(max(math.floor(seconds), 1), "second")
    if seconds < 2 * _HOUR:
        return counted(round(seconds / _MINUTE), "minute")
    return f"{seconds / _HOUR:,.1f} hours"


def _told_apart(number: float, decimals: int, limits: Collection[float], *, tiny: float) -> str:
    """Format a number in digits that differ from those of the limits it is not at; below `tiny` with an exponent."""
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return f"{0:.{decimals}f}"
    if abs(number) < tiny and abs(float(f"{number:.0e}")) < tiny:
        return f"{number:.0e}"
    if abs(number) >= _LARGE:
        return f"{number:.3g}"
    for places in range(decimals, _MOST + 1):
        shown = f"{number:.{places}f}"
        hit = [limit for limit in (0.0, *limits) if float(shown) == float(f"{limit:.{places}f}")]
        if all(math.isclose(number, limit, rel_tol=_SAME) for limit in hit):
            return shown
    return f"{hit[0] + math.copysign(10.0**-_MOST, number - hit[0]):.{_MOST}f}"


def day(when: datetime) -> str:
    """Format a day in UTC for people: 02 December 2026."""
    return f"{when.astimezone(UTC):%d %B %Y}"


def moment(text: str) -> str:
    """Format a time in UTC for people; a text that is no time, or has no time zone, stays as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{day(when)}, {when.astimezone(UTC):%H:%M} UTC" if when.tzinfo else text
