"""What was measured of `vlcheck parity`, as passages of docs/explanation/parity-proof.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.parity import MARGINS, RUNS, Caught, Ended, Release
from vlcheck._util.numbers import share

_TO_MEASURE = "`python -m benchmarks.parity {part}` measures, `python -m benchmarks.table` writes this table."


def errors(measured: str) -> str:
    """Return the passage on pairs at the margins."""
    cells = [Ended(**one) for one in json.loads(measured)["at_margin"]]
    worst = max(one.same for one in cells), max(one.different for one in cells)
    head = (
        f"{len(cells)} cells of {RUNS:,} simulated pairs of {cells[0].n} images. Either answer is wrong; at most"
        f" {share(MARGINS.alpha)} may be. The most that are called the same are {share(worst[0] / RUNS)}, and different"
        f" {share(worst[1] / RUNS)}."
    )
    rows = [[one.what, one.shape, share(one.same / one.runs), share(one.different / one.runs)] for one in cells]
    return _passage(head, ("at its margin", "differences", "*same*", "*different*"), rows, "errors")


def shares(measured: str) -> str:
    """Return the passage on faults in a share of the images."""
    cells = [Ended(**one) for one in json.loads(measured)["shares"]]
    rows = [[share(float(one.what)), f"{one.n:,}", *_shares(one.same, one.different, one.runs)] for one in cells]
    head = (
        f"{len(cells)} cells of {cells[0].runs:,} simulated pairs, under one metric. In a share of the images each"
        " answer is wholly wrong (the true answer's score falls from 1 to 0), in the others it is the same. The rest"
        " are inconclusive."
    )
    return _passage(head, ("images with a fault", "images", "*same*", "*different*"), rows, "shares")


def same(measured: str) -> str:
    """Return the passage on a model against itself."""
    kept = json.loads(measured)
    noisy = [Ended(**one) for one in kept["noise"]]
    rows = [
        [
            f"noise of {one.what.split()[1]} on the logits of both",
            str(one.runs),
            *_shares(one.same, one.different, one.runs),
        ]
        for one in noisy
    ]
    for one in (Caught(**each) for each in kept["same"]):
        rows.append(["batches of 16 and of 5", str(one.seeds), *_shares(one.same, one.different, one.seeds)])
    head = (
        f"`tiny` against itself on {noisy[0].n} images: at least 90 % have to be called the same, and at most 5 %"
        " different. The noise is that of a server whose answers to the same question vary: its standard deviation is"
        " on the logit of each score."
    )
    return _passage(head, ("how B differs from A", "pairs", "*same*", "*different*"), rows, "errors")


def faults(measured: str) -> str:
    """Return the passage on planted faults."""
    kept = json.loads(measured)
    found = [Caught(**one) for one in (*kept["faults"], *kept.get("chat", ()))]
    rows = [
        [
            f"`{one.model}`" if one.model == "tiny" else one.model,
            one.fault,
            str(one.n),
            f"{one.different}/{one.seeds}",
            _causes(one),
        ]
        for one in found
    ]
    head = (
        "Seeds of the data, and for LLaVA of the weights, too. A fault is caught if both models are called different."
    )
    return _passage(head, ("model", "fault", "images", "*different*", "what the probes show"), rows, "faults")


def released(measured: str) -> str:
    """Return the passage on one model in the forms in which it is released."""
    found = [Release(**one) for one in json.loads(measured).get("released", ())]
    if not found:
        return f"Not measured yet. {_TO_MEASURE.format(part='released')}\n"
    rows = [
        [
            one.a,
            one.b,
            one.status,
            ", ".join(map(share, one.changed.values())),
            _each(one.difference),
            _each(one.largest),
        ]
        for one in found
    ]
    head = (
        f"A small LLaVA of random weights in forms in which models are released, on {found[0].n} images. Figures are of"
        f" {' and '.join(found[0].largest)}."
    )
    columns = ("A", "B", "answer", "changed answers", "mean difference", "largest difference")
    return _passage(head, columns, rows, "released")


def _each(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{one:.1e}" if one else "0" for one in figures.values())


def _causes(one: Caught) -> str:
    return "; ".join(f"{cause} {number}/{one.seeds}" for cause, number in one.causes.items()) or "nothing"


def _shares(same: int, different: int, runs: int) -> tuple[str, str]:
    return share(same / runs), share(different / runs)


def _passage(head: str, columns: Sequence[str], rows: Sequence[Sequence[str]], part: str) -> str:
    return "\n".join([head, "", *_table(columns, rows), "", _TO_MEASURE.format(part=part)]) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(cells)} |"
