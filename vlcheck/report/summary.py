"""A run's results as lines of text: the matrix of biases and metrics, the verdicts, and what the tables show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vlcheck.report.agreement import agreements
from vlcheck.report.results import Line, Results
from vlcheck.verdict import BY_GRAVITY, holm, worst

METRICS = ("mlm", "itm")
_TWO_BY_TWO = {
    "original_hint": "original, with hint",
    "blocked_hint": "blocked, with hint",
    "original_bare": "original, bare",
    "blocked_bare": "blocked, bare",
    "interaction": "interaction",
    "balance": "balance, picture alone less words alone",
}


_LEGEND = (
    "n: images that count; observed: the share of them that violates, or a mean; interval: its one-sided bounds;"
    " finds: the least true rate, or distance of a mean from what is allowed, that fails 4 times in 5 at this n;"
    " p: of there being nothing to fail for, and corrected for the number of tests (Holm)"
)


def lines(results: Results, beside: Results | None = None) -> Iterator[str]:
    """Everything that the terminal says at the end of a run; with what another run observed beside it."""
    verdicts = list(results.verdicts.values())
    yield from matrix(verdicts)
    yield ""
    yield from each(verdicts, beside)
    for table in (vision_and_language, color_and_grey, against_noise, left_and_right, under_each):
        rows = list(table(verdicts))
        if rows:
            yield ""
            yield from rows
    yield ""
    yield from disagreement(results)
    yield from saving(results)
    yield conclusion(verdicts)


def gone(results: Results) -> Iterator[str]:
    """What is to be done about each whole bias that is known, and shows in none of its tests, where all were asked."""
    if not results.run.get("complete"):
        return
    for known in results.run["policy"]["known"]:
        if known["bias"]:
            about = (one for one in results.verdicts.values() if one["bias"] == known["bias"])
            statuses = {one["status"] for one in about if known["metric"] in ("", one["metric"])}
            if statuses == {"pass"}:
                yield known["stale"]


def subject(run: Line) -> str:
    """What was asked about what, and which kind of score each metric is."""
    kinds = ", ".join(f"{metric} {kind}" for metric, kind in run["score_kinds"].items())
    return f"{run['name']} on {run['data']} ({kinds})"


def matrix(verdicts: Sequence[Line]) -> Iterator[str]:
    """Biases by metrics, each cell its worst verdict."""
    cells: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for verdict in verdicts:
        cells[verdict["bias"], verdict["metric"]].append(verdict)
    metrics = dict.fromkeys([*METRICS, *(verdict["metric"] for verdict in verdicts)])
    rows = [["bias", *metrics]]
    for bias in dict.fromkeys(verdict["bias"] for verdict in verdicts):
        rows.append([bias, *(_worst(cells[bias, metric]) if cells[bias, metric] else "-" for metric in metrics)])
    yield from aligned(rows)


def is_known(verdict: Line) -> bool:
    """Whether a verdict is a fail that the policy lets be, as a known bias that has not expired."""
    known = verdict.get("known")
    return verdict["status"] == "fail" and known is not None and not known["expired"]


def _worst(verdicts: Sequence[Line]) -> str:
    """The gravest status of some verdicts; known where each fail is."""
    status = worst(verdict["status"] for verdict in verdicts)
    known = all(is_known(verdict) for verdict in verdicts if verdict["status"] == status)
    return f"{status} (known)" if known else status


def each(verdicts: Sequence[Line], beside: Results | None = None) -> Iterator[str]:
    """One line a verdict, with p as it is and after Holm's correction over the run.

    Beside it is what another run observed, where its scores are of the same kind.
    """
    others = _by_behavior(beside)
    tested = [verdict for verdict in verdicts if verdict["p"] is not None]
    corrected = dict(zip(map(id, tested), holm([verdict["p"] for verdict in tested]), strict=True))
    rows = [["test", "metric", "verdict", "n", "observed", "interval", "allowed", "finds", "p", "p (Holm)"]]
    rows[0] += [beside.run["name"]] if beside else []
    for verdict in verdicts:
        name = verdict["test"].rpartition("::")[2].rpartition("[")[0] or verdict["behavior"]
        p = map(figure, (verdict["detectable"], verdict["p"], corrected.get(id(verdict))))
        rows.append([name, verdict["metric"], _worst([verdict]), str(verdict["n"]), *_held(verdict), *p])
        rows[-1] += [_observed(verdict, others)] if beside else []
    yield from aligned(rows)
    yield _LEGEND
    if beside:
        yield from _incomparable(verdicts, others, beside.run["name"])


def _by_behavior(results: Results | None) -> Mapping[tuple[str, str], Line]:
    verdicts = results.verdicts.values() if results else ()
    return {(verdict["behavior"], verdict["metric"]): verdict for verdict in verdicts}


def _observed(verdict: Line, others: Mapping[tuple[str, str], Line]) -> str:
    """What another run observed of the behavior, where that can be compared."""
    other = others.get((verdict["behavior"], verdict["metric"]))
    if other is None:
        return "-"
    return _held(other)[0] if other["score_kind"] == verdict["score_kind"] else "other kind"


def _incomparable(verdicts: Iterable[Line], others: Mapping[tuple[str, str], Line], name: str) -> Iterator[str]:
    """Why some verdicts have nothing beside them: scores of two kinds are no one scale."""
    pairs = [(verdict, others.get((verdict["behavior"], verdict["metric"]))) for verdict in verdicts]
    kinds = {(one["metric"], one["score_kind"], other["score_kind"]) for one, other in pairs if other}
    for metric, own, theirs in sorted(kinds):
        if own != theirs:
            yield f"{name} is not compared under {metric}: its scores are of kind {theirs}, not {own}"
    compared = {metric for metric, _, _ in kinds}
    for metric in sorted({verdict["metric"] for verdict in verdicts} - compared):
        yield f"{name} is not compared under {metric}: it was asked none of these tests"


def disagreement(results: Results) -> Iterator[str]:
    """The behaviors of which mlm and itm say different things, and how many of their cases."""
    rows = [["where mlm and itm disagree", "mlm", "itm", "both hold", "mlm alone violates", "itm alone", "both", "n"]]
    for one in agreements(results):
        if one.disagrees:
            counts = map(str, (one.neither, one.mlm, one.itm, one.both, one.n))
            rows.append([one.behavior, *one.statuses, *counts])
    if len(rows) > 1:
        yield from aligned(rows)
        yield ""


def saving(results: Results) -> Iterator[str]:
    """How much of a sequential run was left unasked."""
    if results.run.get("sequential"):
        asked, offered = (sum(verdict[key] for verdict in results.verdicts.values()) for key in ("asked", "offered"))
        share = 100 * asked / max(offered, 1)
        yield f"sequential: of {offered} images, summed over the tests, {asked} were asked about ({share:.0f} %)"


def vision_and_language(verdicts: Sequence[Line]) -> Iterator[str]:
    """Figure 1: what blocking the picture and dropping the hint do to one and the same word."""
    tables = {verdict["metric"]: cells for verdict, cells in _tables(verdicts, "vision_language")}
    if not tables:
        return
    yield f"vision and language (figure 1), mean score{_over(tables.values())}"
    rows = [["", *(metric.upper() for metric in METRICS)]]
    for cell, name in _TWO_BY_TWO.items():
        rows.append([name, *(figure(tables.get(metric, {}).get(cell)) for metric in METRICS)])
    yield from aligned(rows)


def color_and_grey(verdicts: Sequence[Line]) -> Iterator[str]:
    """Figure 2: the score of one and the same word in color and in grey."""
    rows: dict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "color_grey"):
        rows[verdict["behavior"]][verdict["metric"]] = cells
    if rows:
        yield "color and grey (figure 2), mean score"
        yield from _pairs(rows, ("color", "grey"))


def against_noise(verdicts: Sequence[Line]) -> Iterator[str]:
    """What of an edit's cost is due to what it takes away: the rest is what any change of that size costs."""
    rows = [["", "costs", "noise as large", "difference", "interval", "n"]]
    for verdict, cells in _tables(verdicts, "against_noise"):
        costs = (figure(cells[cell]) for cell in ("cost", "noise_cost", "difference"))
        interval = _interval(cells["difference_low"], cells["difference_high"])
        rows.append([f"{verdict['behavior']} {verdict['metric'].upper()}", *costs, interval, f"{cells['n']:.0f}"])
    if len(rows) > 1:
        yield "what the edit costs as such, and not as a change of its size, mean score"
        yield from aligned(rows)


def left_and_right(verdicts: Sequence[Line]) -> Iterator[str]:
    """Figure 3: the scores of [left] and [right], as photographed and mirrored."""
    rows: dict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "left_right"):
        for true in ("left", "right"):
            for arm in ("original", "mirrored"):
                start = f"{true}_is_true"
                if f"{start}_n" not in cells:
                    continue
                here = {word: cells[f"{start}_{arm}_{word}"] for word in ("left", "right")}
                name = f"{verdict['behavior']}: {true} is true, {arm}"
                rows[name][verdict["metric"]] = here | {"n": cells[f"{start}_n"]}
    if rows:
        yield "left and right (figure 3), mean score"
        yield from _pairs(rows, ("left", "right"))


def under_each(verdicts: Sequence[Line]) -> Iterator[str]:
    """Which of several perturbations costs how much."""
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for verdict, cells in _tables(verdicts, "under_each"):
        for name in (cell for cell in cells if cell != "n"):
            rows[f"{verdict['behavior']}: {name}"][verdict["metric"]] = cells[name]
    if rows:
        yield "under each perturbation, mean score"
        body = [[name, *(figure(row.get(metric)) for metric in METRICS)] for name, row in rows.items()]
        yield from aligned([["", *(metric.upper() for metric in METRICS)], *body])


def conclusion(verdicts: Sequence[Line]) -> str:
    """One sentence, which tells a bias from too little data, and says which bias was known."""
    counts = Counter(verdict["status"] for verdict in verdicts)
    known = sum(map(is_known, verdicts))
    said = [f"{counts[status]} {status}" for status in BY_GRAVITY if counts[status]]
    if known:
        said[0] += f" ({known} known)"
    return f"{_found(verdicts, counts['pass'])}; of {len(verdicts)} verdicts: {', '.join(said)}"


def _found(verdicts: Sequence[Line], passed: int) -> str:
    failing: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        if verdict["status"] == "fail":
            failing[verdict["bias"]].append(is_known(verdict))
    if failing:
        return f"bias: {', '.join(f'{bias} (known)' if all(failing[bias]) else bias for bias in sorted(failing))}"
    if passed == len(verdicts):
        return "no bias found"
    return "no bias in what was decided" if passed else "nothing decided"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def _pairs(rows: Mapping[str, Mapping[str, Mapping[str, float]]], columns: tuple[str, str]) -> Iterator[str]:
    head = ["", *(f"{metric.upper()} {column}" for metric in METRICS for column in columns), "n"]
    body = []
    for name, by_metric in rows.items():
        figures = [by_metric.get(metric, {}).get(column) for metric in METRICS for column in columns]
        n = max(cells["n"] for cells in by_metric.values())
        body.append([name, *map(figure, figures), f"{n:.0f}"])
    yield from aligned([head, *body])


def _tables(verdicts: Iterable[Line], name: str) -> Iterator[tuple[Line, Mapping[str, float]]]:
    for verdict in verdicts:
        cells = verdict["tables"].get(name)
        if cells:
            yield verdict, cells


def _over(tables: Iterable[Mapping[str, float]]) -> str:
    counts = sorted({int(cells["n"]) for cells in tables})
    return f" over {' or '.join(map(str, counts))} images"


def _held(verdict: Line) -> tuple[str, str, str]:
    """What was seen, its interval, and what it is held to."""
    if verdict["claim"] == "mean":
        low, high = verdict["band"] or (None, None)
        seen = figure(verdict["effect"]), _interval(verdict["effect_low"], verdict["effect_high"])
        return (*seen, _interval(low, high))
    interval = _interval(verdict["rate_low"], verdict["rate_high"])
    return figure(verdict["rate"]), interval, figure(verdict["allowed"])


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def figure(number: float | None) -> str:
    """A number in a table's cell."""
    if number is None:
        return "-"
    return f"{number:.3f}" if abs(number) >= 0.001 or number == 0 else f"{number:.0e}"
