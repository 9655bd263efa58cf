"""Links from a board to the pages of its runs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from vlcheck._util.addresses import checked_address
from vlcheck._util.files import begins
from vlcheck._util.foreign_files import fault
from vlcheck.errors import UsageError, argument, parameter, printable
from vlcheck.report.page.document import START
from vlcheck.results.records import RunRecord

_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("name", "folder", "run_id")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![\\/][^/])")  # but not the drive of a path of Windows


@dataclass
class PageLinks:
    """The addresses of the pages of runs, as a board in a folder links to them.

    Args:
        board: the file of the board.
        pattern: an address or a path, with {name} for the name of the results file without its suffix, {folder} for
            that of its folder and {run_id} for the run's id; None for the page beside each results file.

    Raises:
        UsageError: the pattern names something else, or is an address that is not of the web.
    """

    board: Path
    pattern: str | None = None
    _taken: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [name for name in _FIELD.findall(self.pattern or "") if name not in _FIELDS]
        known = ", ".join(f"{{{name}}}" for name in _FIELDS)
        if wrong:
            raise UsageError(f"{argument('pages', self.pattern)}: {{{wrong[0]}}} is not known; {known} are accepted.")
        if self._is_address:
            checked_address(_FIELD.sub("x", self.pattern or ""), parameter("pages"))

    @property
    def _is_address(self) -> bool:
        return bool(_SCHEME.match(self.pattern or ""))

    def __call__(self, results: Path, run: RunRecord) -> str:
        """Return the address of the page of a run; "" if no page of vlcheck's is there.

        An address elsewhere is not looked at.

        Args:
            results: the results file of the run.
            run: its first line.

        Raises:
            UsageError: two runs would have the same page.
        """
        if self.pattern is None:
            return self._beside(results.with_suffix(".html"))
        named = {"name": results.stem, "folder": results.absolute().parent.name, "run_id": run.run_id or ""}
        written = {name: quote(text, safe="") for name, text in named.items()} if self._is_address else named
        place = _FIELD.sub(lambda found: written[found[1]], self.pattern)
        if (other := self._taken.setdefault(place, results)) != results:
            raise UsageError(
                f"{argument('pages', self.pattern)}: {printable(place)} would be the page of {other} and of {results};"
                " an address with {folder}, {name} or {run_id} that tells them apart is accepted."
            )
        return place if self._is_address else self._beside(Path(place))

    def _beside(self, page: Path) -> str:
        """Return the address of a page on this disk, relative to the board."""
        if fault(page) or not os.access(page, os.R_OK) or not begins(page, START.encode()):
            return ""
        return quote(os.path.relpath(page.absolute(), self.board.absolute().parent).replace(os.sep, "/"))
