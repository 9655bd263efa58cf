"""The scales of a run's margins, read from its verdicts: one for each metric and reason."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vlcheck._util.numbers import counted, figure, signed
from vlcheck.metrics.registry import METRICS
from vlcheck.results.records import ScaleRecord, VerdictRecord
from vlcheck.stats.operating_scale import Scale

CALIBRATED = "calibrated"


@dataclass(frozen=True)
class MetricScale:
    """The scale that some verdicts of a metric have in common.

    Attributes:
        metric: the metric.
        kind: the model's kind of score for it.
        said: the scale as it is in the line of a verdict.
        tests: number of verdicts.
    """

    metric: str
    kind: str
    said: ScaleRecord
    tests: int

    @property
    def calibrated(self) -> bool:
        """True if margins were computed on the model's own operating scale."""
        return used(self.said) == CALIBRATED

    @property
    def scale(self) -> Scale | None:
        """The scale fitted to all pairs; None if none was fitted."""
        gain, offset, power = self.said.gain, self.said.offset, self.said.power
        return None if gain is None or offset is None or power is None else Scale(gain, offset, power)

    @property
    def sentence(self) -> str:
        """The scale in a sentence."""
        whose = f"{self.metric} ({self.kind}), {counted(self.tests, 'verdict')}"
        if not self.calibrated:
            return f"{whose}: raw scores; {self.said.reason}"
        pairs, auc = counted(self.said.pairs or 0, "pair"), figure(self.said.auc, 2)
        told = f"{pairs} of an own and another picture, area under the curve {auc}"
        return f"{whose}: calibrated on {told} (at least {figure(self.said.auc_low, 2)}); {self._middle()}"

    def _middle(self) -> str:
        scale = self.scale or Scale()
        half = 1 / (1 + math.exp(min(max(scale.offset / scale.gain, -700), 700))) if scale.gain > 0 else math.nan
        metric = METRICS.get(self.metric)
        closed = ""
        if metric and metric.closed_sets:
            closed = f", closed sets at a temperature of {figure(1 / scale.power, 2)}"
        return f"0.5 is where the model gives {figure(half)}, gain {figure(scale.gain, 2)}{closed}"


def scales_of(verdicts: Iterable[VerdictRecord]) -> list[MetricScale]:
    """Return the scales of verdicts, by metric, the most frequent first; for a sequential run that with most pairs."""
    alike: dict[tuple[str, str, str], list[ScaleRecord]] = defaultdict(list)
    for verdict in verdicts:
        if said := verdict.scale:
            alike[verdict.metric, verdict.score_kind, said.reason].append(said)
    each = [
        MetricScale(metric, kind, max(lines, key=lambda said: said.pairs or 0), len(lines))
        for (metric, kind, _), lines in alike.items()
    ]
    return sorted(each, key=lambda one: (one.metric, -one.tests))


def scale_lines(verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield a line about the scale of each metric."""
    yield from (f"scale of {one.sentence}" for one in scales_of(verdicts))


def used(said: ScaleRecord | None) -> str:
    """Return the scale of the margins; older results files have raw scores alone."""
    return said.used if said else "raw"


def demanded(said: ScaleRecord | None) -> str:
    """Return the scale that the policy asks for; older results files have raw scores alone."""
    return said.demanded if said else "raw"


def differing(old: Iterable[VerdictRecord], new: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield messages about operating scales that differ between two runs.

    They differ if only one is calibrated, or if gain, offset or power differs by more than 1 % and by more than 0.01.

    Args:
        old: the verdicts of the old run.
        new: the verdicts of the new run.
    """
    before: dict[str, MetricScale] = {}
    for one in scales_of(old):
        before.setdefault(one.metric, one)
    for one in scales_of(new):
        other = before.pop(one.metric, None)
        if other and (one.calibrated, other.calibrated) != (False, False) and _apart(other, one):
            yield f"{one.metric}: {_named(other)} in the old run, {_named(one)} in the new one"


def _apart(one: MetricScale, other: MetricScale) -> bool:
    if one.calibrated != other.calibrated:
        return True
    figures = ((each.said.gain, each.said.offset, each.said.power) for each in (one, other))
    return any(not math.isclose(a or 0, b or 0, rel_tol=0.01, abs_tol=0.01) for a, b in zip(*figures, strict=True))


def _named(one: MetricScale) -> str:
    scale = one.scale
    if scale is None or not one.calibrated:
        return "raw scores"
    return f"gain {figure(scale.gain, 2)}, offset {signed(scale.offset, 2)}, power {figure(scale.power, 2)}"
