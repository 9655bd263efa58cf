"""The files that a tracker keeps beside a run: its page for reviewers, and its results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vlcheck._util.temporary import Scratch
from vlcheck.report import page
from vlcheck.results.file import ResultLines


@contextmanager
def kept_files(results: ResultLines, source: Path) -> Iterator[Sequence[Path]]:
    """Draw the page in a temporary folder, and yield its path and that of the results.

    Args:
        results: the results of the run.
        source: the results file.
    """
    with Scratch() as folder:
        drawn = folder / "report.html"
        page.write_page(drawn, page.stream(results, source=source.name), "report.html")
        yield drawn, source
