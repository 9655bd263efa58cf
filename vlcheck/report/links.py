"""Links to the verdicts on a reviewer page."""

from __future__ import annotations

from vlcheck._util.addresses import quoted_address
from vlcheck.report.markdown import markdown
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.file import key_of
from vlcheck.results.records import VerdictRecord


def verdict_address(page: str, verdict: VerdictRecord) -> str:
    """Return the address of a verdict on a page.

    Args:
        page: the address of the page; "" within it.
        verdict: the verdict.
    """
    return f"{quoted_address(page)}#{verdict_anchor(*key_of(verdict))}"


def markdown_link(name: str, page: str, verdict: VerdictRecord) -> str:
    """Return a name in Markdown that links to a verdict; the name alone if the page has no address.

    Args:
        name: foreign text.
        page: the address of the page; "" if it is not known.
        verdict: the verdict.
    """
    shown = markdown.text(name)
    return f"[{shown}](<{verdict_address(page, verdict)}>)" if page else shown
