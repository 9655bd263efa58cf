"""The passage on scales: monotone maps of the scores, and verdicts on calibrated ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vlcheck._util.numbers import brief, share


def scales(measured: str) -> str:
    """Return what monotone maps of the scores do to verdicts, as Markdown."""
    figures = json.loads(measured)
    rows = []
    for said in figures["zoo"][0]["mapped"]["raw"]:
        raw, calibrated = (_total(figures["zoo"], scale, said) for scale in ("raw", "calibrated"))
        cells = [total[name] for total in (raw, calibrated) for name in ("fail for pass", "pass for fail", "undecided")]
        rows.append(f"| {said} | {raw['verdicts']:,} | {' | '.join(map(str, cells))} |\n")
    added = max(sum(row["added_queries"].values()) for row in figures["zoo"])
    return (
        f"The zoo's {len(figures['zoo']) // figures['seeds']} models, {figures['seeds']} seeds of {figures['images']}"
        " scenes a behavior, against the same models unmapped: how many verdicts end otherwise, with raw scores and on"
        " the operating scale. As *contrastive* models they give the softmax of a text's log-odds and its foils', as"
        " *candidates* that of the words' log-probabilities; there unmapped is a temperature of 1.\n\n"
        "| map | verdicts | raw: fail for pass | pass for fail | undecided or invalid | calibrated: fail for pass |"
        " pass for fail | undecided or invalid |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"{''.join(rows)}\nQueries that only set the scale: {added}. With the scale fitted anew in each simulated test,"
        " against the truth on the scale that very many images would set: where most scores lie close around the"
        " threshold, the error of the scale adds to that of the rate.\n\n"
        "| simulated tests | runs of each | cells | at most wrong | in | bound | cells above it |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"{''.join(_simulated(figures['cells']))}\nThe bound is alpha and three Monte-Carlo standard errors.\n\n"
        "`python -m benchmarks.scales` measures.\n"
    )


def _simulated(cells: list[dict[str, Any]]) -> Iterator[str]:
    """A row for each design of simulated tests: the worst share of wrong verdicts."""
    for scores, looks in dict.fromkeys((cell["scores"], cell["looks"]) for cell in cells):
        some = [cell for cell in cells if (cell["scores"], cell["looks"]) == (scores, looks)]
        worst = max(some, key=lambda cell: cell["wrong"] / cell["runs"])
        outside = sum(cell["wrong"] > cell["bound"] * cell["runs"] for cell in some)
        yield (
            f"| {scores}, looked at {looks} | {worst['runs']:,} | {len(some)} |"
            f" {share(worst['wrong'] / worst['runs'], decimals=2)} |"
            f" n = {worst['n']}, true rate {brief(worst['truth'])}, {worst['expects']} |"
            f" {share(worst['bound'], decimals=2)} | {outside} |\n"
        )


def _total(rows: list[dict[str, Any]], scale: str, said: str) -> Counter[str]:
    """Return what became of verdicts under a map, over all variants and seeds."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row["mapped"][scale][said])
    total["verdicts"] = total.total()
    total["undecided"] = total["inconclusive"] + total["other"]
    return total
