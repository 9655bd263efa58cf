"""The hub's metadata of a model card: the share of tests that pass, for each bias and metric.

Names are foreign: all of them are escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from vlcheck._util.numbers import part_of, verb
from vlcheck._util.yaml_text import yaml_object, yaml_text
from vlcheck.metrics.registry import METRICS
from vlcheck.results.asked import amount_of, dataset_of, scheme_of
from vlcheck.results.bias_matrix import Standing, matrix_of
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord
from vlcheck.stats.decision import HOLLOW

_DIGITS = 3  # after the point


def model_index(results: ResultLines) -> Iterator[str]:
    """Yield the lines of `model-index`: one result a metric, with one figure for each bias.

    A figure is the share of a bias's tests that pass, in [0, 1]. Tests that are invalid, not asked or without a verdict
    do not pass; a bias that has no other test has no figure.

    Args:
        results: the results of the run.
    """
    figures = _figures(results)
    yield "model-index:"
    yield f"- name: {yaml_text(results.run.name)}"
    yield "  results:" if figures else "  results: []"
    for metric, rows in figures.items():
        yield f"  - task: {yaml_object(_task(metric))}"
        yield f"    dataset: {yaml_object(_dataset(results.run))}"
        yield "    metrics:"
        yield from (f"    - {row}" for row in rows)


def _figures(results: ResultLines) -> Mapping[str, Sequence[str]]:
    """Return the lines of figures by metric."""
    by_metric: dict[str, list[str]] = defaultdict(list)
    found = matrix_of(results)
    for bias in found.biases:
        for metric in found.metrics:
            cell = found.cells.get((bias, metric))
            if cell and (row := _figure(bias, cell)):
                by_metric[metric].append(row)
    return by_metric


def _figure(bias: str, cell: Standing) -> str:
    """Return the figure of a bias under a metric; "" if none of its tests was decided or is inconclusive."""
    if all(verdict.status in HOLLOW for verdict in cell.verdicts):
        return ""
    said = f"{bias}: {part_of(cell.passes, cell.tests, 'test')} {verb(cell.passes, 'passes', 'pass')}"
    return yaml_object({"type": "pass-rate", "name": said, "value": round(cell.passes / cell.tests, _DIGITS)})


def _task(metric: str) -> Mapping[str, str]:
    known = METRICS.get(metric)
    return {"type": known.task if known else metric, "name": known.meaning if known else metric}


def _dataset(run: RunRecord) -> Mapping[str, str | None]:
    return {"name": dataset_of(run), "type": scheme_of(run), "config": amount_of(run) or None}
