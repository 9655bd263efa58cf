"""What the calibration found, as a passage of a page, a page of all cells and a drawing of the power."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from benchmarks.calibration import ALPHA, BANDS, IMAGES, RATES, Cell, Counted, allowed, bound, wrong
from vlcheck._util.numbers import brief, counted, share

How = Callable[[Cell], Counted]
SHOWN = (0.0, 0.02, 0.05, 0.15, 0.2, 0.3, 0.5)
WIDTH, HEIGHT, EDGE = 640, 360, 48
COLORS = ("#0072b2", "#d55e00", "#009e73")  # of Okabe and Ito, which the color-blind can tell apart


def read(measured: str) -> tuple[list[Cell], dict[str, dict[str, float]]]:
    """The cells, and the worst probabilities of values of two kinds."""
    kept = json.loads(measured)
    cells = [Cell(**one | {how: Counted(**one[how]) for how in ("fixed", "sequential")}) for one in kept["cells"]]
    return cells, kept["two_values"]


def passage(measured: str) -> str:
    """Return the passage of docs/explanation/calibration.md."""
    cells, deceived = read(measured)
    runs = _fixed(cells[0]).runs
    worst = max(one for both in deceived.values() for one in both.values())
    lines = [
        f"{len(cells)} cells of {counted(runs, 'simulated run')} whose truth is known: {', '.join(map(str, IMAGES))}"
        " images, true rates from 0 to 0.5 or means inside and outside their band, 1 to 21 rows an image that agree not"
        " at all, a little, wholly, or in rare images alone. A verdict may be wrong in 5 % of them, with three"
        f" Monte-Carlo standard errors in {share(bound(runs), decimals=2)}.",
        "",
        "| | highest share of false fails | of false passes | cells outside |",
        "| --- | --- | --- | --- |",
        *(_row(name, cells, how, runs) for name, how in (("fixed n", _fixed), ("`--vl-sequential`", _sequential))),
        "",
        f"For Gaffke's bound, where images have several rows, the exact probability of being wrong, worst"
        f" of 400 distributions of two values, is {share(worst, decimals=2)} (at most {share(ALPHA)}).",
        "",
        "![How often a true rate fails or passes, by number of images](power.svg)",
        "",
        "One row an image, 10 % allowed: with the fixed number of images, with `--vl-sequential`, and (in brackets) the"
        " share of the images that this asked about.",
        "",
        *_power(cells),
        "",
        "`python -m benchmarks.calibration` measures; [all cells](calibration-cells.md).",
    ]
    return "\n".join(lines) + "\n"


def page(measured: str) -> str:
    """All cells, one table for each n, claim and way to look."""
    cells, _ = read(measured)
    runs = _fixed(cells[0]).runs
    lines = [
        "# Every cell of the calibration",
        "",
        f"{counted(runs, 'simulated run')} a cell (`python -m benchmarks.calibration`). Each cell: % that fail / %"
        " that pass; the rest are inconclusive. **Bold** would be a share of wrong verdicts above"
        f" {share(bound(runs), decimals=2)}.",
    ]
    ways = (("fixed n", _fixed), ("sequential, and the share of images asked about", _sequential))
    for (claim, n), group in groupby(
        sorted(cells, key=lambda cell: cell.claim != "rate"), lambda one: (one.claim, one.n)
    ):
        here = list(group)
        for name, how in ways:
            lines += ["", f"## {_CLAIMS[claim]}, {n} images, {name}", "", *_table(here, how)]
    return "\n".join(lines) + "\n"


def drawing(measured: str) -> str:
    """Return how often a true rate fails (full lines) and passes (dashed), as SVG."""
    cells, _ = read(measured)
    parts = [*_axes()]
    for n, color in zip(IMAGES, COLORS, strict=True):
        here = [_plain(cells, n, rate) for rate in RATES]
        for dash, count in (("", lambda one: one.failed), ("6 4", lambda one: one.passed)):
            points = " ".join(
                f"{_x(cell.truth):.1f},{_y(count(_fixed(cell)) / _fixed(cell).runs):.1f}" for cell in here
            )
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"/>'
            )
    for at, (n, color) in enumerate(zip(IMAGES, COLORS, strict=True)):
        x, y = WIDTH - 190, EDGE + 90 + 18 * at
        parts.append(f'<text x="{x}" y="{y}" fill="{color}">n = {n}</text>')
    parts.append(f'<text x="{WIDTH - 190}" y="{EDGE + 150}" fill="#555">full: fails, dashed: passes</text>')
    style = 'font-family="sans-serif" font-size="12"'
    body = "\n".join(parts)
    title = "<title>Share of runs that fail or pass, by true rate of violations; 10 % is allowed</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {style}>\n{title}\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


_CLAIMS = {"rate": "A rate, 10 % allowed"} | {
    claim: f"A mean, {brief(low)} to {brief(high)} allowed" for claim, (low, high) in BANDS.items()
}


def _fixed(cell: Cell) -> Counted:
    return cell.fixed or Counted(0, 0, 0, 0.0)


def _sequential(cell: Cell) -> Counted:
    return cell.sequential or Counted(0, 0, 0, 0.0)


def _row(name: str, cells: Sequence[Cell], how: How, runs: int) -> str:
    fails = max(how(cell).failed for cell in cells if allowed(cell))
    passes = max(how(cell).passed for cell in cells if not allowed(cell))
    outside = sum(wrong(cell, how(cell)) > bound(runs) * runs for cell in cells)
    highest = (share(count / runs, decimals=2) for count in (fails, passes))
    return f"| {name} | {' | '.join(highest)} | {outside} of {len(cells)} |"


def _plain(cells: Sequence[Cell], n: int, rate: float) -> Cell:
    return next(one for one in cells if (one.claim, one.n, one.truth, one.rows) == ("rate", n, rate, 1))


def _power(cells: Sequence[Cell]) -> Iterator[str]:
    yield "| n | " + " | ".join(f"true rate {brief(rate)}" for rate in SHOWN) + " |"
    yield "| --- " * (len(SHOWN) + 1) + "|"
    for n in IMAGES:
        row = []
        for cell in (_plain(cells, n, rate) for rate in SHOWN):
            what = "passes" if allowed(cell) else "fails"
            counts = [(one.passed if allowed(cell) else one.failed) for one in (_fixed(cell), _sequential(cell))]
            once, looking = (share(count / _fixed(cell).runs) for count in counts)
            row.append(f"{what} {once}, {looking} ({share(_sequential(cell).images / n)})")
        yield f"| {n} | {' | '.join(row)} |"


def _table(cells: Sequence[Cell], how: How) -> Iterator[str]:
    truths = list(dict.fromkeys(cell.truth for cell in cells))
    yield "| rows an image, how they agree | " + " | ".join(brief(truth) for truth in truths) + " |"
    yield "| --- " * (len(truths) + 1) + "|"
    kinds = dict.fromkeys((cell.rows, cell.kind) for cell in cells)
    for rows, kind in kinds:
        alike = {cell.truth: cell for cell in cells if (cell.rows, cell.kind) == (rows, kind)}
        yield f"| {rows}, {kind} | " + " | ".join(_shares(alike[truth], how) for truth in truths) + " |"


def _shares(cell: Cell, how: How) -> str:
    found = how(cell)
    said = " / ".join(share(count / found.runs).removesuffix(" %") for count in (found.failed, found.passed))
    if wrong(cell, found) > bound(found.runs) * found.runs:
        said = f"**{said}**"
    return said if how is _fixed else f"{said} ({share(found.images / cell.n)})"


def _x(rate: float) -> float:
    return EDGE + rate / RATES[-1] * (WIDTH - 2 * EDGE)


def _y(part: float) -> float:
    return HEIGHT - EDGE - part * (HEIGHT - 2 * EDGE)


def _axes() -> Iterator[str]:
    for part in (0, 0.25, 0.5, 0.75, 1):
        yield f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{_y(part):.1f}" y2="{_y(part):.1f}" stroke="#ddd"/>'
        yield f'<text x="{EDGE - 6}" y="{_y(part) + 4:.1f}" text-anchor="end">{share(part)}</text>'
    for rate in (0, 0.1, 0.2, 0.3, 0.4, 0.5):
        yield f'<text x="{_x(rate):.1f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">{brief(rate)}</text>'
    yield f'<line x1="{_x(0.1):.1f}" x2="{_x(0.1):.1f}" y1="{_y(1):.1f}" y2="{_y(0):.1f}" stroke="#999"/>'
    yield f'<text x="{_x(0.1) + 4:.1f}" y="{_y(1) - 6:.1f}" fill="#555">allowed</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">true rate of violations</text>'
