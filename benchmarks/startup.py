"""Measure what commands that touch no model take: seconds of the processor, and memory.

    python -m benchmarks.startup [--rounds 5]

Each is a process of its own, interpreter and imports included; the figures are medians.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.report.pages import small
from vlcheck.results.file import write_results

# VmHWM begins anew with the program; getrusage's ru_maxrss would begin with this process's peak.
PEAK = """
import re, sys
from vlcheck.cli import app
try:
    app(sys.argv[1:], prog_name="vlcheck")
finally:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""


def main() -> None:
    """Ask each command, and print a row of Markdown for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        results = str(Path(folder) / "results.jsonl")
        write_results(Path(results), small())
        commands = [["--help"], ["report", results], ["compare", results, results], ["card", results]]
        commands += [["policy", "show"], ["cases", "scenes:20"], ["plan", "scenes:20"]]
        for command in commands:
            asked = [measured(command) for _ in range(rounds)]
            seconds, megabytes = (statistics.median(figures) for figures in zip(*asked, strict=True))
            print(f"| vlcheck {command[0]} | {seconds:.2f} s | {megabytes:.0f} MB |")


def measured(command: list[str]) -> tuple[float, float]:
    """Seconds and megabytes of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", PEAK, *command], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(done.stderr.split()[-1]) / 1024


if __name__ == "__main__":
    main()
