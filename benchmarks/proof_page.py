"""Passages on the proof: the zoo's matrix, and broken models, of which none is green."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from vlcheck.studies.power import PowerMatrix, from_json, matrix_rows
from vlcheck.zoo import CONTROL

_COLUMNS = ("pass", "inconclusive", "invalid", "fail")  # there are scenes enough for every test to be asked


def power(measured: str) -> str:
    """The zoo's matrix as Markdown."""
    matrix = from_json(measured)
    head, *rows = matrix_rows(matrix)
    cells = [head, ["---"] * len(head), *([f"`{variant}`", *row] for variant, *row in rows)]
    return (
        "\n".join(
            [
                f"{matrix.images} scenes a behavior, {_in_seeds(matrix)}; a cell says how they end, each with the"
                " gravest of its verdicts. *fail 5/5, n = 20*: the bias is caught in every one of 5 seeds, also when 20"
                f" scenes of each were asked about. {_control(matrix)}",
                "",
                *(f"| {' | '.join(row)} |" for row in cells),
                "",
                f"`vlcheck zoo matrix --seeds N --images {matrix.images} --to matrix.json` measures, `python -m"
                " benchmarks.table` writes this.",
            ]
        )
        + "\n"
    )


def _in_seeds(matrix: PowerMatrix) -> str:
    """In how many seeds which variants were asked."""
    by_seeds: dict[int, list[str]] = defaultdict(list)
    for variant in matrix.variants:
        by_seeds[matrix.seeds(variant)].append(f"`{variant}`")
    if len(by_seeds) == 1:
        return f"{next(iter(by_seeds))} seeds"
    return ", ".join(f"{' and '.join(variants)} in {seeds} seeds" for seeds, variants in by_seeds.items())


def _control(matrix: PowerMatrix) -> str:
    """In how many seeds the clean model passes everything."""
    green, seeds = matrix.green(CONTROL), matrix.seeds(CONTROL)
    if green == seeds:
        return f"`{CONTROL}` passes everything, in every one of its {seeds} seeds."
    statuses = {verdict.status for one in matrix.tested if one.variant == CONTROL for verdict in one.seeds}
    return (
        f"`{CONTROL}` passes everything in {green} of {seeds} seeds; in the others some tests are"
        f" {' or '.join(sorted(statuses - {'pass'}))}."
    )


def sabotaged(measured: str) -> str:
    """Return how broken models end, as Markdown."""
    figures = json.loads(measured)
    rows = []
    for model in figures["scenes"]:
        counts = " | ".join(str(model["verdicts"].get(status, 0)) for status in _COLUMNS)
        fails = ", ".join(model["fails"]) or "-"
        rows.append(
            f"| {model['shown']} | {model['exit_status']} | {counts} | {fails} | {'; '.join(model['invalid'])} |\n"
        )
    return (
        f"{figures['images']} scenes a behavior. None is green.\n\n"
        "| a model that | exit status | pass | inconclusive | invalid | fail | fails | invalid because |\n"
        f"| --- | --- | --- | --- | --- | --- | --- | --- |\n{''.join(rows)}\n"
        f"{_on_photographs(figures['photographs'])} `python -m benchmarks.sabotaged COCO_ROOT` measures.\n"
    )


def _on_photographs(models: list[dict[str, Any]]) -> str:
    statuses = " or ".join(sorted({str(model["exit_status"]) for model in models}))
    passes = max(model["verdicts"].get("pass", 0) for model in models)
    return (
        f"On photographs of COCO val2017 the exit status is {statuses}, too, and {passes or 'none'} of"
        f" {sum(models[0]['verdicts'].values())} tests is passed by any."
    )
