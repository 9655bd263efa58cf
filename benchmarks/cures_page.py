"""The tables of docs/explanation/cures.md, from benchmarks/cures.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.cures import (
    Change,
    Measured,
    Seeds,
    Treated,
    changes,
    cost,
    no_longer_passing,
    planted_in,
    read_measured,
    statuses,
    treated_models,
    worse,
)
from vlcheck._util.numbers import counted
from vlcheck.studies.power import PowerMatrix, from_json
from vlcheck.suite.shipped import BIASES
from vlcheck.zoo import CONTROL

NONE = "nothing"
_HEAD = (
    "model",
    "cure",
    "planted bias",
    "before",
    "after",
    "other tests worse than before",
    "worse than the control",
    "violations over the control's",
)


def cures_passage(text: str, matrix: str) -> str:
    """Return the tables as Markdown.

    Args:
        text: the text of the results file.
        matrix: the text of the matrix of planted biases.
    """
    before = from_json(matrix)
    measured = read_measured(text)
    models = [model for model in treated_models() if model.cure]
    done = [model for model in models if model.name in measured.cells]
    rows = [*_rows(measured, before, [model for model in done if planted_in(model)])]
    costs = [*_costs(measured, [model for model in done if not planted_in(model)])]
    left = [f"`{model.name}`" for model in models if model.name not in measured.cells]
    parts = [
        f"{measured.scenes} scenes a behavior. *Before* and *after* say in how many seeds the gravest verdict of the"
        " planted bias's tests is which.",
        _table(_HEAD, rows),
        _of_biases(measured, done),
        "The control under a cure that it does not need:" if costs else "",
        _table(("model", "cure", "other tests worse", "violations over the control's"), costs) if costs else "",
        f"Not measured yet: {', '.join(left)}." if left else "",
        "`python -m benchmarks.cures` measures what is missing, `python -m benchmarks.table` writes this.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def counts_passage(text: str) -> str:
    """Return one sentence that counts the cures that work.

    Args:
        text: the text of the results file.
    """
    measured = read_measured(text)
    cures = [model for model in treated_models() if model.cure and planted_in(model)]
    cured = [model for model in cures if model.name in measured.cells]
    whole = [model.name for model in cured if passes_everywhere(measured.cells[model.name], str(planted_in(model)))]
    failing = [f"`{model.name}`" for model in cured if model.name not in whole]
    said = f"; not after {', '.join(failing)}" if failing else ""
    left = f"; {len(cures) - len(cured)} are not measured yet" if len(cured) < len(cures) else ""
    return f"The planted bias passes in every seed after {len(whole)} of {counted(len(cured), 'cure')}{said}{left}.\n"


def passes_everywhere(seeds: Seeds, bias: str) -> bool:
    """Return True if no test of a bias ends otherwise than with a pass in any seed.

    Args:
        seeds: the cells of a model.
        bias: the bias.
    """
    return set(statuses(seeds, bias)) == {"pass"}


def _rows(measured: Measured, matrix: PowerMatrix, models: list[Treated]) -> Iterator[list[str]]:
    control = measured.cells[CONTROL]
    for model in models:
        now, before, bias = measured.cells[model.name], measured.cells.get(model.before, {}), str(planted_in(model))
        yield [
            f"`{model.name}`",
            model.cure,
            bias,
            _counts(matrix.statuses(model.before, bias)),
            _counts(statuses(now, bias)),
            _worse(now, before, bias),
            _worse(now, control, None),
            _share(cost(now, control)),
        ]


def _costs(measured: Measured, models: list[Treated]) -> Iterator[list[str]]:
    control = measured.cells[CONTROL]
    for model in models:
        now = measured.cells[model.name]
        yield [f"`{model.name}`", model.cure, _worse(now, control, None), _share(cost(now, control))]


def _of_biases(measured: Measured, models: list[Treated]) -> str:
    """Return how the tests of each bias end, in the seeds in which all were asked."""
    rows = []
    for model in models:
        seeds = measured.cells[model.name]
        paired = {seed: cell for seed, cell in seeds.items() if {one.bias for one in cell.values()} >= set(BIASES)}
        rows.append([f"`{model.name}`", *(_counts(statuses(paired, bias)) for bias in BIASES)])
    return _table(("model", *BIASES), rows)


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{status} {count}/{found.total()}" for status, count in found.most_common())


def _worse(now: Seeds, before: Seeds, without: str | None) -> str:
    """Return the tests that are worse by the paired test, or that decide otherwise than with a pass now."""
    if not now.keys() & before.keys():
        return "not measured yet"
    lost = no_longer_passing(now, before, without=without)
    significant = {one.test: _of_change(one) for one in worse(changes(now, before, without=without))}
    said = [f"`{test}` ({change})" for test, change in significant.items()]
    said += [f"`{test}` (no pass in {counted(n, 'seed')})" for test, n in lost.items() if test not in significant]
    return "; ".join(said) or NONE


def _of_change(change: Change) -> str:
    return f"{change.worse} images worse, {change.better} better"


def _share(found: tuple[float, float, float]) -> str:
    mean, low, high = (100 * value for value in found)
    return f"{mean:+.2f} points ({low:+.2f} to {high:+.2f})"


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    cells = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
