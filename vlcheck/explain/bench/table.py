"""The benchmark of attribution methods as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from vlcheck._util.numbers import between, counted, figure, share, signed
from vlcheck.explain.bench.planted import CONTROL, PLANTED_CAUSES
from vlcheck.explain.bench.records import ExplanationBench
from vlcheck.explain.bench.trust import NULL, Mean, MethodTrust, trust_in

TRUTH = (
    "method",
    "seeds",
    "pointing",
    "lift",
    "above random",
    "seeds above random",
    "distractor",
    "at the mask",
    "word",
)
CHECKS = ("method", "seeds", "deletion", "insertion", "shuffled weights")
COUNTED = ("causes a seed", "all but one", f"none on {CONTROL}")

# What the columns mean.
LEGEND: Mapping[str, str] = MappingProxyType(
    {
        "pointing": "share of the maps of the match logit whose peak lies on the thing that the caption names",
        "lift": "share of such a map on this thing, divided by the thing's share of the picture; 1 for an even map",
        "above random": "lift minus that of the random map on the same scenes: 95 % interval over the seeds",
        "distractor": "the same as lift, for a thing that the caption does not name",
        "at the mask": "lift of the maps of a word's log-probability",
        "word": "share of the caption's other words with a smaller value than the named thing",
        "deletion, insertion": "by how much the area under the curve is better than that of the random map",
        "shuffled weights": "rank correlation with the map of a network with shuffled weights; it should be near 0",
        "causes a seed": f"planted causes that the fixed rule names, of {len(PLANTED_CAUSES)}; mean over the seeds",
        "all but one": f"seeds in which it names at least {len(PLANTED_CAUSES) - 1} of them",
        f"none on {CONTROL}": "seeds in which the rule names no cause for the model without one",
    }
)


def truth_rows(bench: ExplanationBench) -> Iterator[Sequence[str]]:
    """Yield the table of the truth about scenes, its head first."""
    yield TRUTH
    for one in _ordered(bench):
        yield (
            f"{one.method} ({one.mark})" if one.mark else one.method,
            str(one.seeds),
            share(one.pointing.mean),
            figure(one.lift.mean, 2),
            *(("-", "-") if one.method == NULL else (_interval(one.gain, 2), f"{one.wins} of {one.seeds}")),
            figure(one.distractor_lift.mean, 2),
            figure(one.word_lift.mean, 2),
            figure(one.precedence.mean if one.precedence else None, 2),
        )


def curve_rows(bench: ExplanationBench) -> Iterator[Sequence[str]]:
    """Yield the table of the curves and of the randomisation check, its head first."""
    yield CHECKS
    for one in _ordered(bench):
        gains = ("-", "-") if one.method == NULL else (_difference(one.deletion), _difference(one.insertion))
        yield one.method, str(one.seeds), *gains, figure(one.similarity.mean, 2)


def cause_rows(bench: ExplanationBench) -> Iterator[Sequence[str]]:
    """Yield the table of the causes, its head first: the number of seeds in which each is named."""
    yield "method", *PLANTED_CAUSES, *COUNTED
    asked = [one for one in _ordered(bench) if one.cause_seeds]
    for one in sorted(asked, key=lambda each: (each.method == NULL, -(each.named_a_seed or 0))):
        counts = (*(one.named[model] for model in PLANTED_CAUSES),)
        seeds = one.cause_seeds
        yield (
            one.method,
            *(f"{count} of {seeds}" for count in counts),
            figure(one.named_a_seed, 1),
            f"{one.most_named} of {seeds}",
            f"{one.clean} of {seeds}",
        )


def setting(bench: ExplanationBench) -> str:
    """Return a line that says what was measured on."""
    measured = [len(bench.of(method)) for method in bench.methods]
    few, most = min(measured), counted(max(measured), "seed")
    seeds = most if few == max(measured) else f"{few} to {most}"
    scenes, trials = counted(bench.images, "scene"), counted(bench.trials, "trial")
    return f"{bench.model}: {seeds}, {scenes} of each kind and {trials} of each cause a seed"


def markdown(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; the first row is its head."""
    head, *others = rows
    for cells in (head, ["---"] * len(head), *others):
        yield f"| {' | '.join(cells)} |"


def _ordered(bench: ExplanationBench) -> list[MethodTrust]:
    """Return the measured methods: those whose maps lie most on the named thing first, the random map last."""
    found = [trust_in(bench, method) for method in bench.methods]
    return sorted(found, key=lambda each: (each.method == NULL, -each.lift.mean))


def _interval(mean: Mean, decimals: int = 3) -> str:
    return between(mean.low, mean.high, decimals)


def _difference(mean: Mean) -> str:
    interval = "" if mean.low is None else f" ({_interval(mean)})"
    return f"{signed(mean.mean)}{interval}"
