"""Addresses to link to, which a user gives: of the web, or relative ones."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from vlcheck.errors import UsageError

_SAFE = "/:?#@!$&*+,;=%~"  # without brackets and quotes, which end a link in Markdown and in HTML
_ACCEPTED = "a URL that begins with https:// or http://, or a relative address, is accepted, without a #"


def checked_address(text: str, option: str) -> str:
    """Return an address that may stand in a link.

    Args:
        text: the address.
        option: the option that gives it, for messages.

    Raises:
        UsageError: it is empty, has a blank, a control character or a #, or is of another scheme than the web's.
    """
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = "?"
    if not text or re.search(r"[\s#]", text) or not text.isprintable() or scheme not in ("", "http", "https"):
        raise UsageError(f"{option} {text}: is no address to link to; {_ACCEPTED}.")
    return text


def quoted_address(text: str) -> str:
    """Return an address in characters that end no link, neither in Markdown nor in HTML."""
    return quote(text.encode("utf-8", "replace"), safe=_SAFE)


def anchored(page: str, anchor: str) -> str:
    """Return the address of a part of a page, in characters that end no link.

    Args:
        page: the address of the page; "" within it.
        anchor: the name of the part; "" for the page.

    Example:
        >>> anchored("https://example.org/a page.html", "mirror-swaps-sides-itm")
        'https://example.org/a%20page.html#mirror-swaps-sides-itm'
    """
    return f"{quoted_address(page)}#{anchor}" if anchor else quoted_address(page)
