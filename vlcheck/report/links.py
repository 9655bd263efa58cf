"""Addresses of the verdicts on a reviewer page."""

from __future__ import annotations

from vlcheck._util.addresses import anchored
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.file import key_of
from vlcheck.results.records import VerdictRecord


def verdict_address(page: str, verdict: VerdictRecord) -> str:
    """Return the address of a verdict on a page.

    Args:
        page: the address of the page; "" within it.
        verdict: the verdict.
    """
    return anchored(page, verdict_anchor(*key_of(verdict)))
