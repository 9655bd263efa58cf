"""Runs the benchmark of attribution methods seed by seed, so that it can be stopped and continued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from vlcheck._util.foreign_code import contained
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, parameter
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.bench.measure import DrawnTruth, PreparedTruth, Subjects, measure, measure_causes, reason_against
from vlcheck.explain.bench.records import ExplanationBench

_Group = Sequence[AttributionMethod]
_Step = Callable[[ExplanationBench, PreparedTruth, _Group], ExplanationBench]


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

    Raises:
        UsageError: the model under test cannot be explained, or is not the one that the benchmark was measured on.
    """
    subjects = Subjects(bench.model, device)
    bench = _begun(bench, subjects.fingerprint, methods)
    for seed in seeds:
        prepared = PreparedTruth(subjects, DrawnTruth(seed, bench.images, bench.trials))
        steps = (_scored, _with_causes) if cause_seeds is None or seed < cause_seeds else (_scored,)
        for group in _groups(methods):
            bench = _tried(bench, prepared, group)
            for step in steps:
                bench = _after(step, bench, prepared, group)
            yield bench


def _begun(bench: ExplanationBench, fingerprint: str, methods: Sequence[AttributionMethod]) -> ExplanationBench:
    """Return the benchmark to continue: what did not apply to the model in an earlier run is tried again.

    Args:
        bench: the benchmark so far.
        fingerprint: content hash of the model under test.
        methods: the methods.

    Raises:
        UsageError: the benchmark was measured on another content of the model.
    """
    if bench.fingerprint not in ("", fingerprint):
        raise UsageError(
            f"{argument('model', bench.model)}: is not what it was when {parameter('to')} was begun: its weights or its"
            " code changed. Name another file."
        )
    known = fingerprint if not bench.scores else bench.fingerprint  # an older file does not say what it was measured on
    names = {method.name for method in methods}
    others = {name: reason for name, reason in bench.inapplicable.items() if name not in names}
    return replace(bench, fingerprint=known, inapplicable=others)


def _tried(bench: ExplanationBench, prepared: PreparedTruth, group: _Group) -> ExplanationBench:
    """Return the benchmark with the reason why a group of one base does not apply; it is tried once.

    Args:
        bench: the benchmark so far: methods that were measured on any seed apply.
        prepared: scenes to try the methods on.
        group: the methods.
    """
    names = [method.name for method in group]
    if names[0] in bench.inapplicable or any(bench.of(name) for name in names):
        return bench
    reason = reason_against(prepared, group[0])
    return _without(bench, group, reason) if reason else bench


def _after(step: _Step, bench: ExplanationBench, prepared: PreparedTruth, group: _Group) -> ExplanationBench:
    """Return the benchmark after a step, or else with the reason why the methods cannot be measured.

    Args:
        step: measures the methods.
        bench: the benchmark so far.
        prepared: the scenes of a seed.
        group: methods of one base.
    """
    applicable = [method for method in group if method.name not in bench.inapplicable]
    try:
        with contained():  # a model or a method of a user's own
            return step(bench, prepared, applicable)
    except (NotApplicable, UsageError, ForeignFault) as reason:
        return _without(bench, applicable, str(reason))


def _scored(bench: ExplanationBench, prepared: PreparedTruth, group: _Group) -> ExplanationBench:
    """Return the benchmark with the measures of a seed that it lacks."""
    lacking = [method for method in group if prepared.drawn.seed not in bench.of(method.name)]
    return replace(bench, scores=(*bench.scores, *measure(prepared, lacking))) if lacking else bench


def _with_causes(bench: ExplanationBench, prepared: PreparedTruth, group: _Group) -> ExplanationBench:
    """Return the benchmark with the trials of a seed that it lacks."""
    lacking = [method for method in group if prepared.drawn.seed not in bench.causes_of(method.name)]
    return replace(bench, causes=(*bench.causes, *measure_causes(prepared, lacking))) if lacking else bench


def _without(bench: ExplanationBench, group: _Group, reason: str) -> ExplanationBench:
    """Return the benchmark with the reason why methods do not apply."""
    names = [method.name for method in group]
    return replace(bench, inapplicable={**bench.inapplicable, **dict.fromkeys(names, reason)})


def _groups(methods: Sequence[AttributionMethod]) -> list[list[AttributionMethod]]:
    """Return the methods grouped by their base, so that its maps are computed once."""
    groups: dict[str, list[AttributionMethod]] = {}
    for method in methods:
        groups.setdefault(method.base.name, []).append(method)
    return [*groups.values()]
