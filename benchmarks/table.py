"""Write the figures of the documentation from the stored measurements; with --check, say whether they differ."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    audit_pages,
    calibration_pages,
    cluster_pages,
    cures_page,
    explanation_pages,
    families_page,
    parity_pages,
    proof_page,
    scales_page,
    sharing_pages,
    speed_pages,
    types_page,
    verified_pages,
)
from benchmarks.store_page import store_cost
from vlcheck.models.loading.registry import LISTED
from vlcheck.report.glossary import glossary_table

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


def _kept(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


# Each block, by the page of docs/ that has it between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "explanation/speed.md": {
        "figures": lambda: speed_pages.whole_run(_kept("results.json")),
        "embedded": lambda: speed_pages.embedded(_kept("embedded.json")),
        "cases": lambda: speed_pages.cases(_kept("cases.json")),
        "served": lambda: speed_pages.served(_kept("served.json")),
        "store": lambda: store_cost(_kept("store.json")),
        "memory": lambda: speed_pages.memory(_kept("memory.json")),
        "memory-curve": lambda: speed_pages.memory_curve(_kept("memory_curve.json")),
        "reuse": lambda: speed_pages.reuse(_kept("reuse.json")),
        "explained": lambda: explanation_pages.explained(_kept("explained.json")),
        "weights": lambda: sharing_pages.weights(_kept("weights.json")),
        "shares": lambda: sharing_pages.shares(_kept("shares.json")),
        "prefetch": lambda: sharing_pages.prefetch(_kept("prefetch.json")),
    },
    "explanation/precision.md": {
        "verified-zoo": lambda: verified_pages.zoo(_kept("verified.json")),
        "verified-full": lambda: verified_pages.full(_kept("verified.json")),
    },
    "explanation/proof.md": {
        "matrix": lambda: proof_page.power(_kept("matrix.json")),
        "sabotaged": lambda: proof_page.sabotaged(_kept("sabotaged.json")),
        "cured": lambda: cures_page.counts_passage(_kept("cures.json")),
    },
    "explanation/audit-proof.md": {
        "audit-proof": lambda: audit_pages.proof(_kept("audit.json")),
        "audit-pilot": lambda: audit_pages.pilot(_kept("audit.json")),
        "audit-coco": lambda: audit_pages.coco(_kept("audit.json")),
        "audit-speed": lambda: audit_pages.speed(_kept("audit.json")),
    },
    "explanation/parity-proof.md": {
        "parity-errors": lambda: parity_pages.errors(_kept("parity.json")),
        "parity-shares": lambda: parity_pages.shares(_kept("parity.json")),
        "parity-same": lambda: parity_pages.same(_kept("parity.json")),
        "parity-faults": lambda: parity_pages.faults(_kept("parity.json")),
        "parity-released": lambda: parity_pages.released(_kept("parity.json")),
    },
    "explanation/million-images.md": {
        "makespan": lambda: cluster_pages.makespan(_kept("makespan.json")),
        "ray_nodes": lambda: cluster_pages.ray_nodes(_kept("ray_nodes.json")),
    },
    "explanation/cures.md": {"cures": lambda: cures_page.cures_passage(_kept("cures.json"), _kept("matrix.json"))},
    "explanation/known-truth.md": {"explanations": explanation_pages.explanations},
    "explanation/calibration.md": {
        "calibration": lambda: calibration_pages.passage(_kept("calibration.json")),
        "scales": lambda: scales_page.scales(_kept("scales.json")),
    },
    "explanation/mm-shap.md": {"mmshap": lambda: explanation_pages.mmshap(_kept("mmshap.json"))},
    "explanation/attribution.md": {"attribution": lambda: explanation_pages.attribution(_kept("attribution.json"))},
    "howto/explain.md": {"explanation-times": lambda: explanation_pages.explanation_times(_kept("attribution.json"))},
    "reference/families.md": {"families": families_page.families},
    "reference/glossary.md": {"terms": glossary_table},
    "reference/generative-types.md": {
        "generative-types": lambda: types_page.types_passage(_kept("generative_types.json"))
    },
}


# Files that hold nothing else.
FILES: dict[Path, Callable[[], str]] = {
    LISTED: families_page.listing,
    DOCS / "explanation" / "calibration-cells.md": lambda: calibration_pages.page(_kept("calibration.json")),
    DOCS / "explanation" / "power.svg": lambda: calibration_pages.drawing(_kept("calibration.json")),
}


def filled(page: str, blocks: dict[str, Callable[[], str]]) -> str:
    """Return a page with its blocks as they should be.

    Raises:
        ValueError: if the page does not have a block exactly once.
    """
    for name, write in blocks.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if (page.count(begin), page.count(end)) != (1, 1):
            raise ValueError(f"the page needs {begin.strip()} and {end} once each")
        head, _, rest = page.partition(begin)
        page = head + begin + write() + end + rest.partition(end)[2]
    return page


def main() -> None:
    wanted = {DOCS / page: filled((DOCS / page).read_text("utf-8"), blocks) for page, blocks in BLOCKS.items()}
    wanted |= {path: write() for path, write in FILES.items()}
    stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        sys.exit(f"{', '.join(stale)}: not as benchmarks/*.json has it" if stale else None)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
