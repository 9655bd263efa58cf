"""A spec that is read from left to right."""

from __future__ import annotations

import re
from collections.abc import Callable

from vlcheck.errors import UsageError, printable

Exists = Callable[[str], bool]
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


class Scanner:
    """A text that is read from left to right."""

    def __init__(self, text: str, exists: Exists) -> None:
        self.text, self.exists, self.at = text, exists, 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read a match of the pattern at the current place."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def take_mark(self, mark: str) -> bool:
        """Read a character, if it is at the current place."""
        found = self.text.startswith(mark, self.at)
        self.at += found
        return found

    def value(self, ends: re.Pattern[str]) -> str:
        """Read a text in quotes, or up to one of its ends: the last before which a file exists, else the first."""
        if self.at_quote:
            return self._quoted()
        stops = [*(end.start() for end in ends.finditer(self.text, self.at)), len(self.text)]
        begin = self.at
        self.at = next((stop for stop in reversed(stops) if self.exists(self.text[begin:stop])), stops[0])
        return self.text[begin : self.at]

    @property
    def at_quote(self) -> bool:
        return self.text.startswith('"', self.at)

    def _quoted(self) -> str:
        quoted = self.take(_QUOTED)
        if not quoted:
            raise UsageError('a double quote is not closed. One that belongs to a name is written twice: "a""b".')
        return quoted[1].replace('""', '"')

    def demand_end(self) -> None:
        """Raise UsageError if more text follows."""
        if self.at < len(self.text):
            raise UsageError(f"{printable(self.text[self.at :])!r} follows the closing quote, and means nothing there.")
