"""Time how fast the reviewer page opens where it is as full as it gets.

    python -m benchmarks.page RESULTS

Every verdict of a run is taken for a fail, so that as many rows as a page shows are on it, with their pictures. It is
opened from its file in Chromium, TIMES times with scripts and TIMES without, until its load event.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, sync_playwright

from vlcheck.report.page import draw
from vlcheck.results.file import ResultLines, read

TIMES = 7
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def all_failing(results: ResultLines) -> ResultLines:
    """The same with every verdict a fail."""
    verdicts = {key: msgspec.structs.replace(verdict, status="fail") for key, verdict in results.verdicts.items()}
    return replace(results, verdicts=verdicts)


def opened(browser: Browser, address: str, *, scripts: bool) -> list[float]:
    """Seconds until the page has loaded, each time in a context of its own."""
    seconds = []
    for _ in range(TIMES):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        start = time.perf_counter()
        page.goto(address)
        seconds.append(time.perf_counter() - start)
        context.close()
    return seconds


def main() -> None:
    """Draw, open, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results of a run with many rows, e.g. of tiny-mirror")
    results = all_failing(read(parser.parse_args().results))
    start = time.perf_counter()
    html = draw(results, source="results.jsonl")
    drawn, rows, megabytes = time.perf_counter() - start, html.count('<article class="row"'), len(html.encode()) / 1e6
    print(f"{rows} rows, {megabytes:.1f} MB, drawn in {drawn:.1f} s")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(html, encoding="utf-8")
        chromium = os.environ.get("VLCHECK_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for scripts in (True, False):
            seconds = opened(browser, path.as_uri(), scripts=scripts)
            how, median = "with" if scripts else "without", statistics.median(seconds)
            print(f"{how} scripts: median {median:.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s, n = {TIMES}")
        browser.close()


if __name__ == "__main__":
    main()
