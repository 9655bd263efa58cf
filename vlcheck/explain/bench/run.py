"""Runs the benchmark of attribution methods seed by seed, so that it can be stopped and continued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from vlcheck.errors import UsageError, argument, nearest
from vlcheck.explain.attribution.integrated_gradients import IntegratedGradients
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.bench.measure import DrawnTruth, Subjects, measure, reason_against
from vlcheck.explain.bench.records import ExplanationBench

STEPS = 16  # of integrated gradients: 64 would take four times as long, for maps that correlate by 0.98 or more


def measured_method(name: str) -> AttributionMethod:
    """Return the method of a name as it is measured: integrated gradients take STEPS steps.

    Raises:
        UsageError: there is no such method.
    """
    if name not in METHODS:
        raise UsageError(f"{argument('methods', name)}: there is none. {nearest(name, METHODS)}")
    method = METHODS[name]
    return type(method)(steps=STEPS) if isinstance(method, IntegratedGradients) else method


def run_bench(
    bench: ExplanationBench, methods: Sequence[AttributionMethod], seeds: Iterable[int], device: str = "cpu"
) -> Iterator[ExplanationBench]:
    """Measure methods on the scenes of seeds; yield the benchmark after each seed.

    Args:
        bench: the benchmark so far; it measures nothing again.
        methods: the methods.
        seeds: the seeds.
        device: a torch device.
    """
    subjects = Subjects(bench.model, device)
    for seed in seeds:
        drawn = DrawnTruth(seed, bench.images, bench.trials)
        for method in methods:
            if seed in bench.of(method.name) or method.name in bench.inapplicable:
                continue
            if reason := reason_against(subjects.under_test, method, drawn.questions[0]):
                bench = replace(bench, inapplicable={**bench.inapplicable, method.name: reason})
            else:
                bench = replace(bench, scores=(*bench.scores, measure(subjects, method, drawn)))
        yield bench
