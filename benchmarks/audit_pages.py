"""The figures of the audit's pages, from benchmarks/audit.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from vlcheck._util.numbers import share, shares

CONTROL = "tiny"
# For each finding that a world proves: the variants whose world has the fault, and the end of the interval that counts.
PROVEN: Mapping[str, tuple[tuple[str, ...], str]] = {
    "colors-bound": (("tiny-color",), "low"),
    "sides-skewed": (("tiny-right",), "low"),
    "flips": (("tiny-mirror", "tiny-right"), "low"),
    "order-exchanged": (("tiny-bag",), "low"),
    "pictures-blank": (("tiny-blind",), "low"),
    "places-named": (("tiny-center",), "low"),
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
    for check, (planted, end) in PROVEN.items():
        ranges = {name: found["range"].get(check) for name, found in figures["variants"].items()}
        limits = [one["limit"] for one in ranges.values() if one and "limit" in one]
        least, most = min(one[0] for one in limits), max(one[1] for one in limits)
        without = max(one[end][1] for name, one in ranges.items() if one and name not in planted)
        within = min(one[end][0] for name, one in ranges.items() if one and name in planted)
        clean = "the recipe does not mirror" if check == "flips" else share(without)
        rows.append((f"`{check}`", clean, share(least) if least == most else shares(least, most), share(within)))
    heads = ("finding", "largest lower end without the fault", "limit", "smallest lower end with it")
    return (
        _table(heads, rows)
        + "\nThe limits of `colors-bound` and `places-named` depend on the corpus. `python -m benchmarks.audit --pilot`"
        " measures.\n"
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
            f"{run['seconds']:.0f} s",
            f"{run['cpu']:.0f} s",
            f"{60 * run['captions'] / run['seconds'] / 1e6:.1f} million",
            f"{run['peak']:.0f} MB",
        )
        for run in figures["runs"]
    ]
    bare = figures["runs"][0]["bare"]
    return (
        "Generated captions, each another one, from a file of JSON lines with the names of their pictures; two in three"
        f" name a color. {figures['cores']} cores, of which one is used; no pictures are opened and no model is asked."
        f" {bare:.0f} MB are taken before the first caption is read.\n\n"
        + _table(("captions", "time", "of the processor", "captions a minute", "peak memory"), rows)
        + "\n`python -m benchmarks.audit` measures.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines([head, ["---"] * len(head), *rows]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |\n" for row in rows)
