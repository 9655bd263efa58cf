"""Numbers and names of a verdict as text."""

from __future__ import annotations

from vlcheck._util.numbers import share, shares, signed, span
from vlcheck.report.page.escaping import Said, said
from vlcheck.results.conclusion import excuse, is_known
from vlcheck.results.file import Line

NAME = 90  # characters of a name


def title(behavior: str) -> Said:
    """Return a behavior's name in words."""
    return said(behavior.removeprefix("test_").replace("_", " "), NAME)


def observed(verdict: Line) -> str:
    """Return the observed rate or mean with its interval; "" if nothing was measured."""
    if verdict["claim"] == "mean":
        mean, low, high = (verdict[key] for key in ("effect", "effect_low", "effect_high"))
        limits = verdict["band"] or ()
        return "" if None in (mean, low, high) else f"{signed(mean, apart=limits)} ({span(low, high, limits)})"
    rate, low, high = (verdict[key] for key in ("rate", "rate_low", "rate_high"))
    limits = [verdict["allowed"]] if verdict["allowed"] is not None else ()
    return "" if None in (rate, low, high) else f"{share(rate, limits)} ({shares(low, high, limits)})"


def told(verdict: Line) -> str:
    """Return the observed value with its interval and a name for it: "wrong in" for a rate, "mean" for a mean."""
    what, seen = "mean" if verdict["claim"] == "mean" else "wrong in", observed(verdict)
    return seen and f"{what} {seen}"


def briefly(verdict: Line) -> str:
    """Return the observed value with its name, without the interval."""
    return told(verdict).partition(" (")[0]


def allowed(verdict: Line) -> str:
    """Return the allowed rate or band; "-" if there is none."""
    if verdict["claim"] == "mean":
        band = verdict["band"]
        return span(*band) if band else "-"
    return "-" if verdict["allowed"] is None else share(verdict["allowed"])


def known(verdict: Line) -> Said | None:
    """Return the policy's remark on a known bias; None if the bias is not known."""
    if verdict["known"] is None:
        return None
    excused = f": {verdict['status']}, excused" if verdict["status"] == "invalid" and is_known(verdict) else ""
    return said(f"known{excused} {excuse(verdict['known'])}")
