"""Numbers and names of a verdict as text."""

from __future__ import annotations

from vlcheck._util.numbers import share, shares, signed, span
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.results.known_biases import excuse, is_known
from vlcheck.results.records import VerdictRecord

NAME = 90  # characters of a name


def title(behavior: str) -> ShownText:
    """Return a behavior's name in words."""
    return shown_text(behavior.removeprefix("test_").replace("_", " "), NAME)


def observed(verdict: VerdictRecord) -> str:
    """Return the observed rate or mean with its interval; "" if nothing was measured."""
    seen, (low, high) = verdict.observed, verdict.interval
    if seen is None or low is None or high is None:
        return ""
    if verdict.claim == "mean":
        limits = verdict.band or ()
        return f"{signed(seen, apart=limits)} ({span(low, high, limits)})"
    allowed = () if verdict.allowed is None else (verdict.allowed,)
    return f"{share(seen, allowed)} ({shares(low, high, allowed)})"


def observed_in_words(verdict: VerdictRecord) -> str:
    """Return the observed value with its interval and a name for it: "wrong in" for a rate, "mean" for a mean."""
    what, seen = "mean" if verdict.claim == "mean" else "wrong in", observed(verdict)
    return seen and f"{what} {seen}"


def briefly(verdict: VerdictRecord) -> str:
    """Return the observed value with its name, without the interval."""
    return observed_in_words(verdict).partition(" (")[0]


def allowed(verdict: VerdictRecord) -> str:
    """Return the allowed rate or band; "-" if there is none."""
    if verdict.claim == "mean":
        band = verdict.band
        return span(*band) if band else "-"
    return "-" if verdict.allowed is None else share(verdict.allowed)


def known(verdict: VerdictRecord) -> ShownText | None:
    """Return the policy's remark on a known bias; None if the bias is not known."""
    if verdict.known is None:
        return None
    excused = f": {verdict.status}, excused" if verdict.status == "invalid" and is_known(verdict) else ""
    return shown_text(f"known{excused} {excuse(verdict.known)}")
