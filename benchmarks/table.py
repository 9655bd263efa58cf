"""Write the README's figures from the stored measurements; with --check, say whether they differ."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- figures: begin -->\n).*?(<!-- figures: end -->)", re.DOTALL)


def table(figures: dict) -> str:
    """The figures as Markdown."""
    few, many = figures["memory"].items()
    most = figures["most_by_arithmetic"]
    reached = figures["one_by_one_over_run"]
    rows = [
        ("whole run / bare batched forward", f"{figures['run_over_bare']:.2f}", "at most 1.15"),
        ("one by one / whole run", f"{reached:.2f}", f"at least {0.9 * most:.2f}, 90 % of {most:.2f}"),
        ("`import vlcheck.plugin`", f"{figures['import_ms']:.0f} ms", "under 30 ms"),
        (
            f"peak memory, {few[0]} and {many[0]} photographs a behavior",
            f"{few[1]:.0f} MB and {many[1]:.0f} MB ({100 * (many[1] / few[1] - 1):+.1f} %)",
            "within 5 %",
        ),
    ]
    seconds = ", ".join(f"{seconds:.0f}" for seconds in figures["run_seconds"])
    machine = figures["machine"]
    lines = [
        f"Full-size ALBEF with random weights, {figures['images_per_behavior']} photographs a behavior:"
        f" {figures['pictures']} pictures, {figures['texts']} texts ({figures['texts_per_picture']:.1f} a picture),"
        f" {machine['cores']} cores, no GPU; {len(figures['run_seconds'])} runs of {seconds} s;"
        f" one by one: {figures['one_by_one_texts']} of the texts.",
        "",
        "| | measured | aim |",
        "| --- | --- | --- |",
        *(f"| {name} | {measured} | {aim} |" for name, measured, aim in rows),
        "",
        "`python -m benchmarks.suite COCO_ROOT` measures, `python -m benchmarks.table` writes this table.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    readme = README.read_text(encoding="utf-8")
    block = table(json.loads(RESULTS.read_text(encoding="utf-8")))
    wanted = BLOCK.sub(lambda match: match[1] + block + match[2], readme)
    if "--check" in sys.argv:
        sys.exit(None if wanted == readme else "README.md's figures are not those of benchmarks/results.json")
    README.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
