"""Lines of text as a terminal and a CI's log show them: what comes from anywhere steers neither."""

from __future__ import annotations

import re

from vlcheck.errors import printable

_LONGEST = 5_000
_COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)")  # of GitHub's runner, which reads what is printed


def shown(line: str) -> str:
    """A line without control characters, and without commands to GitHub's runner."""
    return _COMMAND.sub(lambda found: f"{found[0]} ", printable(line, _LONGEST))
