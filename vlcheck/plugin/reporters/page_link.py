"""Links from other reports of a run to its page for reviewers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vlcheck._util.addresses import anchored

if TYPE_CHECKING:
    from vlcheck.evaluation.evidence import Judgement
    from vlcheck.plugin.settings import Settings


def address_from(page: Path, folder: Path) -> str:
    """Return the address of a page for files of a folder: a relative one, if both are on one drive.

    Args:
        page: the page's file.
        folder: the folder of the file that links to it.
    """
    try:
        return quote(Path(os.path.relpath(page, folder)).as_posix())
    except ValueError:  # on another drive
        return page.resolve().as_uri()


def public_address(settings: Settings) -> str:
    """Return the address of the page for readers elsewhere; "" if it is not known, or if no page was drawn."""
    return "" if settings.report and not settings.report.is_file() else settings.report_url


def junit_properties(settings: Settings, test: str, judgement: Judgement) -> Iterator[tuple[str, object]]:
    """Yield the properties of a verdict in JUnit's file: its figures, and the address of the verdict on the page.

    Args:
        settings: the options of the run.
        test: the test's id in the results.
        judgement: the verdict.
    """
    from vlcheck.results.anchors import verdict_anchor  # not imported in runs of other projects

    yield from judgement.properties()
    page = settings.report_url
    if settings.report and not page:
        page = address_from(settings.report, settings.junit.parent if settings.junit else Path.cwd())
    if page:
        yield "vlcheck_page", anchored(page, verdict_anchor(test, *judgement.of))
