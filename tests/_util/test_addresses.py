"""Addresses to link to: of the web or relative, and in characters that end no link."""

import re

import pytest

from vlcheck._util.addresses import checked_address, quoted_address
from vlcheck.errors import UsageError


@pytest.mark.parametrize(
    "address", ["https://example.org/a/b.html?x=1&y=2", "http://localhost:8000", "out/report.html"]
)
def test_an_address_of_the_web_or_a_relative_one_is_accepted_and_kept(address):
    assert checked_address(address, "--page") == quoted_address(address) == address


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "file:///etc", "a b", "a\nb", "a\u202eb", "http://[", "data:x", "a#b"]
)
def test_any_other_is_refused(address):
    with pytest.raises(UsageError, match=r"--page .*: is no address to link to; a URL that begins with https://"):
        checked_address(address, "--page")


def test_no_address_ends_a_link():
    quoted = quoted_address("https://h/a)b>c]d\"e'f<g\ud800 h")
    assert not re.search(r"[)>\]\"'< ]", quoted)
