"""The figures of the audit's pages, from benchmarks/audit.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from vlcheck._util.numbers import share, shares
from vlcheck.audit.limits import (
    BLANK_PICTURES,
    BOUND_COLORS,
    FALSE_FLIPS,
    FREE_ORDER,
    NAMED_MIDDLE,
    SKEWED_SIDES,
)

# For each finding that a world proves: its limit, and the variants whose world has the fault.
PROVEN: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "sides-skewed": (SKEWED_SIDES, ("tiny-right",)),
    "flips": (FALSE_FLIPS, ("tiny-mirror", "tiny-right")),
    "colors-bound": (BOUND_COLORS, ("tiny-color",)),
    "order-exchanged": (FREE_ORDER, ("tiny-bag",)),
    "pictures-blank": (BLANK_PICTURES, ("tiny-blind",)),
    "places-named": (NAMED_MIDDLE, ("tiny-center",)),
}


def proof(measured: str) -> str:
    """The causes named in each world, as Markdown."""
    figures = json.loads(measured)["proof"]
    seeds = figures["seeds"][1] - figures["seeds"][0] + 1
    rows = [
        (
            f"`{variant}`",
            ", ".join(found["expected"]) or "none",
            _named(found["named"], seeds),
            f"{found['exactly']}/{seeds}",
        )
        for variant, found in figures["variants"].items()
    ]
    least, most = figures["captions"]
    return (
        f"Seeds {figures['seeds'][0]} to {figures['seeds'][1]}, {least:,} to {most:,} captions a corpus.\n\n"
        + _table(("world of", "its faults", "causes named", "exactly these"), rows)
        + f"\n`python -m benchmarks.audit --proof` measures ({figures['cpu'] / 60:.0f} minutes of one core), `python -m"
        " benchmarks.table` writes this table.\n"
    )


def _named(counts: Mapping[str, int], seeds: int) -> str:
    return ", ".join(f"{cause} {count}/{seeds}" for cause, count in counts.items()) or "none"


def pilot(measured: str) -> str:
    """The ends of intervals that limits lie between, as Markdown."""
    figures = json.loads(measured)["pilot"]
    rows = []
    for check, (limit, planted) in PROVEN.items():
        found = {name: one["range"][check]["excess"] for name, one in figures["variants"].items()}
        without = max(most for name, (_, most) in found.items() if name not in planted)
        clean = "its recipe does not mirror" if check == "flips" else share(without)
        rows.append((f"`{check}`", clean, share(limit), share(min(found[name][0] for name in planted))))
    heads = ("finding", "largest value without the fault", "limit", "smallest value with it")
    return (
        _table(heads, rows)
        + "\nThe value is the lower end of the interval; for `colors-bound`, minus the share of the most frequent"
        " color; for `places-named`, minus the upper end elsewhere. `python -m benchmarks.audit --pilot` measures.\n"
    )


def coco(measured: str) -> str:
    """The figures of COCO's captions as Markdown."""
    figures = json.loads(measured)["coco"]
    rows = [
        (
            f"`{one['check']}`",
            f"{one['count']:,} of {one['n']:,} {one['unit']}",
            share(one["share"], decimals=2),
            shares(one["low"], one["high"]),
            one["cause"] or "",
        )
        for one in figures["findings"]
    ]
    found = {one["check"]: one for one in figures["findings"]}
    sides = {part["name"]: part["count"] for part in found["sides-named"]["parts"]}
    bound = ", ".join(
        f"{part['name']} ({part['count']} of {part['n']}; {share(part['base'])} of all mentions)"
        for part in found["colors-bound"]["parts"][:4]
    )
    return (
        f"{figures['captions']:,} captions of {figures['pictures']:,} photographs, for a recipe that mirrors pictures"
        f' (`--augment flip`). {sides["left"]} captions say "left" and {sides["right"]} say "right", in any sense.\n\n'
        + _table(("finding", "count", "share", "interval", "cause"), rows)
        + f"\nThe clearest bound colors: {bound}.\n\n`python -m benchmarks.audit --coco captions_val2017.json`"
        " measures.\n"
    )


def speed(measured: str) -> str:
    """The speed of the audit as Markdown."""
    figures = json.loads(measured)["speed"]
    rows = [
        (
            f"{run['captions']:,}",
            f"{run['cpu']:.0f} s",
            f"{60 * run['captions'] / run['cpu'] / 1e6:.1f} million",
            f"{run['peak']:.0f} MB",
        )
        for run in figures["runs"]
    ]
    bare = figures["runs"][0]["bare"]
    return (
        "Generated captions, each another one, from a file of JSON lines with the names of their pictures; two in three"
        " name a color. One core is used; no pictures are opened and no model is asked."
        f" {bare:.0f} MB are taken before the first caption is read.\n\n"
        + _table(("captions", "time of one core", "captions a minute", "peak memory"), rows)
        + "\n`python -m benchmarks.audit` measures.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines([head, ["---"] * len(head), *rows]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |\n" for row in rows)
