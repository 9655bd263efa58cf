"""Runs the benchmark of attribution methods seed by seed, so that it can be stopped and continued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.measure import DrawnTruth, PreparedTruth, Subjects, measure, measure_causes, reason_against
from vlcheck.explain.bench.records import ExplanationBench


def run_bench(
    bench: ExplanationBench,
    methods: Sequence[AttributionMethod],
    seeds: Iterable[int],
    cause_seeds: int | None = None,
    device: str = "cpu",
) -> Iterator[ExplanationBench]:
    """Measure methods on the scenes of seeds; yield the benchmark after each method and seed.

    Args:
        bench: the benchmark so far; it measures nothing again.
        methods: the methods.
        seeds: the seeds.
        cause_seeds: the trials of causes are asked for seeds below this number; None for all.
        device: a torch device.
    """
    subjects = Subjects(bench.model, device)
    for seed in seeds:
        prepared = PreparedTruth(subjects, DrawnTruth(seed, bench.images, bench.trials))
        for group in _groups(methods):
            bench = _tried(bench, prepared, group)
            group = [method for method in group if method.name not in bench.inapplicable]
            if lacking := [method for method in group if seed not in bench.of(method.name)]:
                bench = replace(bench, scores=(*bench.scores, *measure(prepared, lacking)))
            lacking = [method for method in group if seed not in bench.causes_of(method.name)]
            if lacking and (cause_seeds is None or seed < cause_seeds):
                bench = replace(bench, causes=(*bench.causes, *measure_causes(prepared, lacking)))
            yield bench


def _tried(bench: ExplanationBench, prepared: PreparedTruth, group: Sequence[AttributionMethod]) -> ExplanationBench:
    """Return the benchmark with the reason why a group of one base does not apply; it is tried once.

    Args:
        bench: the benchmark so far: methods that were measured on any seed apply.
        prepared: scenes to try the methods on.
        group: the methods.
    """
    names = [method.name for method in group]
    if names[0] in bench.inapplicable or any(bench.of(name) for name in names):
        return bench
    if reason := reason_against(prepared, group[0]):
        return replace(bench, inapplicable={**bench.inapplicable, **dict.fromkeys(names, reason)})
    return bench


def _groups(methods: Sequence[AttributionMethod]) -> list[list[AttributionMethod]]:
    """Return the methods grouped by their base, so that its maps are computed once."""
    groups: dict[str, list[AttributionMethod]] = {}
    for method in methods:
        groups.setdefault(method.base.name, []).append(method)
    return [*groups.values()]
