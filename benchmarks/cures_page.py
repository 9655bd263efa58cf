"""The tables of docs/explanation/cures.md, from benchmarks/cures.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scipy.special import betaincinv

from benchmarks.cures import (
    PAIRED,
    SEEDS,
    Change,
    Measured,
    Seeds,
    Treated,
    both_measured,
    changes,
    cost,
    fewest_worse,
    is_measured,
    no_longer_passing,
    planted_in,
    read_measured,
    statuses,
    treated_models,
    worse,
)
from vlcheck._util.numbers import counted
from vlcheck.stats.power import POWER
from vlcheck.studies.power import PowerMatrix, from_json
from vlcheck.suite.shipped import BIASES
from vlcheck.zoo import CONTROL

UNMEASURED = "not measured yet"
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
    done = [model for model in models if measured.cells.get(model.name)]
    rows = [*_rows(measured, before, [model for model in done if planted_in(model)])]
    costs = [*_costs(measured, [model for model in done if not planted_in(model)])]
    left = [f"`{model.name}`" for model in models if not measured.cells.get(model.name)]
    parts = [
        f"{measured.scenes} scenes a behavior. *Before* and *after* say in how many seeds the gravest verdict of the"
        f" planted bias's tests is which. The last three columns are of {PAIRED} seeds in which every test is asked."
        " *Worse* is a test that passes no longer, unless it is invalid by construction, or one in which pictures have"
        " a violation, or do not count, that did not before, more often than chance explains. The interval is that of"
        " pictures, with all tests of one picture together.",
        _table(_HEAD, rows),
        _detectable(measured, done),
        _of_biases(measured, done),
        "The control under a cure that it does not need:" if costs else "",
        _table(("model", "cure", "other tests worse", "violations over the control's"), costs) if costs else "",
        f"Not measured yet: {', '.join(left)}." if left else "",
        "`python -m benchmarks.cures` measures what is missing, `python -m benchmarks.table` writes this.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def counts_passage(text: str) -> str:
    """Return one sentence that counts the cures that work, of those that were measured in every seed.

    Args:
        text: the text of the results file.
    """
    measured = read_measured(text)
    cures = [model for model in treated_models() if model.cure and planted_in(model)]
    done = [model for model in cures if is_tested(measured.cells.get(model.name, {}), str(planted_in(model)))]
    whole = [model.name for model in done if passes_everywhere(measured.cells[model.name], str(planted_in(model)))]
    failing = [f"`{model.name}`" for model in done if model.name not in whole]
    said = f"; not after {', '.join(failing)}" if failing else ""
    left = f"; {len(cures) - len(done)} are not measured yet" if len(done) < len(cures) else ""
    works = f"after {len(whole)} of {counted(len(done), 'cure')}"
    return f"The planted bias passes in {SEEDS} of {SEEDS} seeds {works}{said}{left}.\n"


def is_tested(seeds: Seeds, bias: str) -> bool:
    """Return True if a bias was tested in every seed.

    Args:
        seeds: the cells of a model.
        bias: the bias.
    """
    return all(is_measured(seeds.get(seed, {}), bias) for seed in range(SEEDS))


def passes_everywhere(seeds: Seeds, bias: str) -> bool:
    """Return True if each test of a bias ends with a pass in every seed.

    Args:
        seeds: the cells of a model.
        bias: the bias.
    """
    return is_tested(seeds, bias) and set(statuses(seeds, bias)) == {"pass"}


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
            _cost(now, control),
        ]


def _costs(measured: Measured, models: list[Treated]) -> Iterator[list[str]]:
    control = measured.cells[CONTROL]
    for model in models:
        now = measured.cells[model.name]
        yield [f"`{model.name}`", model.cure, _worse(now, control, None), _cost(now, control)]


def _detectable(measured: Measured, models: list[Treated]) -> str:
    """Return how many pictures have to change so that a test is found worse, for the comparison that finds least."""
    control = measured.cells[CONTROL]
    cells = [measured.cells[model.name] for model in models]
    found = [changes(now, control) for now in cells if _is_paired(now, control)]
    each = [(fewest_worse(of), min(one.pictures for one in of if one.way == "uncounted")) for of in found]
    if not each:
        return ""
    fewest, pictures = max(number for number, _ in each), min(number for _, number in each)
    share = betaincinv(fewest, pictures - fewest + 1, POWER)
    return (
        f"*Nothing* is what these numbers can show: of the {pictures} or more pictures that a test asks about, {fewest}"
        " have to change for the worse, and none for the better, so that the test is found worse (McNemar's test, with"
        f" Holm's correction). A change in {100 * share:.0f} % of the pictures is found with a probability of"
        f" {100 * POWER:.0f} %, and a smaller one less often."
    )


def _of_biases(measured: Measured, models: list[Treated]) -> str:
    """Return how the tests of each bias end, in the seeds in which all were asked."""
    cells = {model.name: measured.cells[model.name] for model in models}
    whole = {name: {seed: seeds[seed] for seed in both_measured(seeds, seeds)} for name, seeds in cells.items()}
    rows = [
        [f"`{name}`", *(_counts(statuses(seeds, bias)) for bias in BIASES)] for name, seeds in whole.items() if seeds
    ]
    return _table(("model", *BIASES), rows) if rows else ""


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{status} {count}/{found.total()}" for status, count in found.most_common())


def _is_paired(now: Seeds, before: Seeds) -> bool:
    """Return True if every bias was tested in both models, in as many seeds as are compared."""
    return len(both_measured(now, before)) >= PAIRED


def _worse(now: Seeds, before: Seeds, without: str | None) -> str:
    """Return the tests that are worse by the paired test, or that end otherwise than with a pass now."""
    if not _is_paired(now, before):
        return UNMEASURED
    lost = no_longer_passing(now, before, without=without)
    significant = [*worse(changes(now, before, without=without))]
    said = [f"`{one.test}` ({_of_change(one)})" for one in significant]
    said += [
        f"`{test}` (no pass in {counted(n, 'seed')})"
        for test, n in lost.items()
        if test not in {one.test for one in significant}
    ]
    return "; ".join(said) or NONE


def _of_change(change: Change) -> str:
    what = "no longer count" if change.way == "uncounted" else "are worse"
    again = "count again" if change.way == "uncounted" else "are better"
    return f"{change.worse} of {change.pictures} pictures {what}, {change.better} {again}"


def _cost(now: Seeds, control: Seeds) -> str:
    return _share(cost(now, control)) if _is_paired(now, control) else UNMEASURED


def _share(found: tuple[float, float, float]) -> str:
    mean, low, high = (100 * value for value in found)
    return f"{mean:+.2f} points ({low:+.2f} to {high:+.2f})"


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    cells = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
