"""A verdict's numbers and names in words."""

from __future__ import annotations

from vlcheck.report.conclusion import excuse
from vlcheck.report.page.words import Said, between, said, share, shares, signed
from vlcheck.report.results import Line

NAME = 90  # characters of a name


def title(behavior: str) -> Said:
    """A behavior's name in words."""
    return said(behavior.removeprefix("test_").replace("_", " "), NAME)


def observed(verdict: Line) -> str:
    """What was seen, and its interval."""
    if verdict["claim"] == "mean":
        mean, low, high = (verdict[key] for key in ("effect", "effect_low", "effect_high"))
        return "" if mean is None or low is None or high is None else f"{signed(mean)} ({between(low, high)})"
    rate, low, high = (verdict[key] for key in ("rate", "rate_low", "rate_high"))
    return "" if rate is None or low is None or high is None else f"{share(rate)} ({shares(low, high)})"


def told(verdict: Line) -> str:
    """What was seen, and its interval, for who does not know what it is."""
    what, seen = "mean" if verdict["claim"] == "mean" else "wrong in", observed(verdict)
    return seen and f"{what} {seen}"


def briefly(verdict: Line) -> str:
    """The same without the interval."""
    return told(verdict).partition(" (")[0]


def allowed(verdict: Line) -> str:
    """What it is held to."""
    if verdict["claim"] == "mean":
        band = verdict["band"]
        return between(*band) if band else "-"
    return "-" if verdict["allowed"] is None else share(verdict["allowed"])


def known(verdict: Line) -> Said | None:
    """What the policy says of a known bias."""
    return said(f"known {excuse(verdict['known'])}") if verdict["known"] is not None else None


def whole(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
