"""The benchmark of attribution methods as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vlcheck._util.numbers import between, counted, figure, share, signed
from vlcheck.explain.bench.planted import CONTROL, PLANTED_CAUSES
from vlcheck.explain.bench.records import ExplanationBench
from vlcheck.explain.bench.trust import NOT_BETTER, NULL, Mean, MethodTrust, trust_in

HEAD = (
    "method",
    "peak on the named thing",
    "map on it, times its share",
    "of random, 95 %",
    "seeds above random",
    "on the other thing",
    "at the mask",
    "word first",
    "deletion",
    "insertion",
    "shuffled weights",
    "causes named, mean",
    "in 9 of 10 seeds",
    f"none on {CONTROL}",
)
LEGEND = (
    "map on it: share of the map of the match logit on the thing that the caption names, divided by the thing's share"
    " of the picture, 1 for an even map; of random: the same minus that of the random map; on the other thing: on a"
    " thing that the caption does not name; at the mask: for the log-probability of a word; word first: share of the"
    " caption's other words with a smaller value than the named thing; deletion, insertion: by how much the area under"
    " the curve is better than that of the random map; shuffled weights: rank correlation with the map of a network"
    " with shuffled weights, which should be near 0; causes named: number of planted causes that the fixed rule names,"
    " the mean over seeds, and the number of those that it names in at least 9 of 10 seeds"
)


def bench_rows(bench: ExplanationBench) -> Iterator[list[str]]:
    """Yield the table's rows, the head first; the methods that point best come first, and the random map last."""
    yield list(HEAD)
    found = [trust_in(bench, method) for method in bench.methods]
    for one in sorted(found, key=lambda each: (each.method == NULL, -each.lift.mean)):
        yield _row(one)
    for method, reason in bench.inapplicable.items():
        yield [method, reason, *[""] * (len(HEAD) - 2)]


def cause_rows(bench: ExplanationBench) -> Iterator[list[str]]:
    """Yield a row for each method: the number of seeds in which it names the cause of each embedded model."""
    yield ["method", *PLANTED_CAUSES, f"none on {CONTROL}"]
    for method in bench.methods:
        one = trust_in(bench, method)
        counts = (*(one.named[model] for model in PLANTED_CAUSES), one.clean)
        yield [method, *(f"{count} of {one.seeds}" for count in counts)]


def setting(bench: ExplanationBench) -> str:
    """Return a line that says what was measured on."""
    measured = [len(bench.of(method)) for method in bench.methods]
    few, most = min(measured), counted(max(measured), "seed")
    seeds = most if few == max(measured) else f"{few} to {most}"
    scenes, trials = counted(bench.images, "scene"), counted(bench.trials, "trial")
    return f"{bench.model}: {seeds}, {scenes} of each kind and {trials} of each cause a seed"


def _row(one: MethodTrust) -> list[str]:
    is_null = one.method == NULL
    return [
        one.method if one.better or is_null else f"{one.method} ({NOT_BETTER})",
        share(one.pointing.mean),
        figure(one.lift.mean, 2),
        "-" if is_null else between(one.gain.low, one.gain.high, 2),
        "-" if is_null else f"{one.wins} of {one.seeds}",
        figure(one.distractor_lift.mean, 2),
        figure(one.word_lift.mean, 2),
        "-" if one.precedence is None else figure(one.precedence.mean, 2),
        "-" if is_null else _difference(one.deletion),
        "-" if is_null else _difference(one.insertion),
        figure(one.similarity.mean, 2),
        f"{figure(one.named_a_seed, 1)} of {len(PLANTED_CAUSES)}",
        str(one.causes_named),
        f"{one.clean} of {one.seeds}",
    ]


def _difference(mean: Mean) -> str:
    return f"{signed(mean.mean)} ({between(mean.low, mean.high)})"


def markdown(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; the first row is its head."""
    head, *others = rows
    for cells in (head, ["---"] * len(head), *others):
        yield f"| {' | '.join(cells)} |"
