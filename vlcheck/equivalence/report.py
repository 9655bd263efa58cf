"""From two files of kept answers to the report: same, different or inconclusive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import zip_longest

from vlcheck._util.installed import version_changes
from vlcheck._util.numbers import brief, counted, figure, share
from vlcheck.equivalence.asking import METRICS
from vlcheck.equivalence.causes import ProbePairs
from vlcheck.equivalence.comparison import MOST_UNANSWERED, MetricPairs, Pairs
from vlcheck.equivalence.kept import Kept
from vlcheck.equivalence.records import KeptCase, KeptHead, ParityReport, SideRecord
from vlcheck.errors import UsageError
from vlcheck.policy.policy import Margins
from vlcheck.stats.equivalence import Criterion, Sameness, fewest_same, needed_same


def report_on(a: Kept, b: Kept, margins: Margins) -> ParityReport:
    """Compare the answers of two models to the same questions.

    Args:
        a: the first model's answers.
        b: the second model's answers.
        margins: the margins within which they are the same.

    Raises:
        UsageError: the answers are not to the same questions, or a file is damaged.
    """
    demand_alike(a.head, b.head)
    not_compared = dict(_not_compared(a.head.side, b.head.side))
    kinds = {name: kind for name, kind in a.head.side.kinds.items() if name not in not_compared}
    pairs = Pairs({name: MetricPairs(name, kind) for name, kind in kinds.items()}, margins.tie)
    probes = ProbePairs()
    for one, other in _side_by_side(a, b, kinds):
        (probes if one.probe else pairs).add(one, other)
    fewest = fewest_same([margins.changed, margins.difference], margins.shift, margins.alpha)
    metrics = tuple(metric.record(margins) for metric in pairs.metrics.values())
    status = pairs.status(margins)
    return ParityReport(
        vlcheck=version("vlcheck"),
        status=status,
        reason=_reason(status, pairs, margins, fewest),
        data=a.head.data,
        images=pairs.n,
        fewest=fewest,
        margins=vars(margins),
        a=a.head.side,
        b=b.head.side,
        differs=tuple(_differences(a.head.side, b.head.side)),
        not_compared=not_compared,
        metrics=metrics,
        worst=pairs.most_different(),
        causes=tuple(probes.causes(margins.tie)),
    )


def demand_alike(a: KeptHead, b: KeptHead) -> None:
    """Raise UsageError unless both sides are asked the same questions.

    Args:
        a: the head of the first model's answers.
        b: the head of the second model's answers.
    """
    if a.questions == b.questions:
        return
    said = [f"{one.side.model} on {one.data}, {counted(one.images, 'image')}" for one in (a, b)]
    raise UsageError(
        f"A and B are not asked the same questions ({said[0]}; {said[1]}). Name the same data for both, and ask with"
        " the same vlcheck."
    )


def _side_by_side(a: Kept, b: Kept, kinds: Mapping[str, str]) -> Iterator[tuple[KeptCase, KeptCase]]:
    """Yield both models' answers about each case, under the metrics that are compared."""
    for number, (one, other) in enumerate(zip_longest(a.cases(), b.cases()), start=2):
        if one is None or other is None or _asked(one, kinds) != _asked(other, kinds):
            raise UsageError(f"{a.path}:{number}: is not about the same questions as {b.path}:{number}.")
        yield one, other


def _asked(case: KeptCase, kinds: Mapping[str, str]) -> tuple[object, ...]:
    return case.case, case.probe, [answer.key for answer in case.answers if answer.metric in kinds]


def _not_compared(a: SideRecord, b: SideRecord) -> Iterator[tuple[str, str]]:
    """Yield the metrics that cannot be compared, each with the reason."""
    for name in METRICS:
        one, other = a.kinds.get(name), b.kinds.get(name)
        if one and other and one != other:
            yield name, f"A's scores are of the kind {one}, B's of the kind {other}"
        elif bool(one) != bool(other):
            yield name, f"{'B' if one else 'A'} has no {name}"


def _differences(a: SideRecord, b: SideRecord) -> Iterator[str]:
    """Yield the differences between both models as they were asked."""
    for name in ("dtype", "device", "batch_size"):
        if getattr(a, name) != getattr(b, name):
            yield f"{name}: {getattr(a, name)} and {getattr(b, name)}"
    for name in dict.fromkeys([*a.setup, *b.setup]):
        one, other = a.setup.get(name, ""), b.setup.get(name, "")
        if one != other:
            yield f"{name}: {one or 'not said'} and {other or 'not said'}"
    yield from version_changes(a.versions, b.versions)
    if a.fingerprint != b.fingerprint:
        yield "their fingerprints: weights, preprocessing, precision or device"


def _reason(status: Sameness, pairs: Pairs, margins: Margins, fewest: int | None) -> str:
    """Say what decided, or how many images would."""
    if not pairs.n:
        return "nothing could be compared"
    criteria = [(name, one) for name, metric in pairs.metrics.items() for one in metric.criteria(margins)]
    unanswered = "; ".join(
        f"{name}: {metric.unanswered or 'no image'}"
        for name, metric in pairs.metrics.items()
        if metric.unanswered or metric.is_open
    )
    if status == "same":
        said = f"every difference is within its margin, on {counted(pairs.n, 'image')}"
        return f"{said}; {unanswered}" if unanswered else said
    if status == "different":
        name, worst = min(criteria, key=lambda each: each[1].p_different)
        return f"{name}: {_beyond(worst)}, on {counted(pairs.n, 'image')}"
    if any(metric.is_open for metric in pairs.metrics.values()):
        return f"{unanswered}: sameness is shown only if at most {share(MOST_UNANSWERED)} of the questions are not"
    if fewest is None or pairs.n < fewest:
        needed = f"{fewest:,} are needed" if fewest else "no number of them can"
        return f"{counted(pairs.n, 'image')} cannot show sameness at these margins, even without a difference: {needed}"
    name, open_one = max(criteria, key=lambda each: each[1].p_same)
    needed_n = needed_same(lambda times: pairs.criteria(margins, times), pairs.n, margins.alpha)
    more = f"{needed_n:,} images would decide" if needed_n else "no number of images would decide"
    return f"{name}: whether {_named(open_one)} is within {brief(open_one.margin)} is not shown; {more}"


def _named(criterion: Criterion) -> str:
    return {
        "changed": "the share of changed answers",
        "shift": "the mean shift of the true answer's score",
        "difference": "the mean largest difference of scores",
    }[criterion.name]


def _beyond(criterion: Criterion) -> str:
    margin = criterion.margin
    return f"{_named(criterion)} is {figure(criterion.mean, apart=(margin,))}, shown to be beyond {brief(margin)}"
