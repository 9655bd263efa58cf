"""Passages on explanations: the time that maps take, the errors of MM-SHAP, and the measured trust in methods."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from vlcheck._util.numbers import counted, duration, share
from vlcheck.explain.attribution.registry import METHODS, SHIPPED
from vlcheck.explain.bench.records import read_bench
from vlcheck.explain.bench.table import LEGEND, cause_rows, curve_rows, markdown, setting, truth_rows
from vlcheck.explain.bench.trust import MEASURED

HERE = Path(__file__).parent


def attribution(measured: str) -> str:
    """Return the costs of the attribution methods, and the errors of their sums, as Markdown."""
    figures = json.loads(measured)
    models, errors = figures["seconds"], figures["errors"]
    rows = []
    for name in SHIPPED:
        costs = [_times_a_forward(by_method.get(name)) for by_method in models.values()]
        applies = any(name in by_method for by_method in models.values())
        cells = [*costs, _missed(errors.get(name))] if applies else ["does not apply", *[""] * len(costs), ""]
        rows.append(f"| `{name}` | {' | '.join(cells)} |\n")
    heads = [f"{name}, {counted(figures['pairs'][name], 'pair')}" for name in models]
    return (
        f"Time of a method / time of a forward pass of the same batch, {figures['machine']['cores']} cores, no GPU;"
        f" medians. The error is that of the sum, relative to it, for the match logit of `tiny` on {_scenes(errors)}"
        " scenes.\n\n"
        f"| method | {' | '.join(heads)} | median error | 95th percentile |\n"
        f"| --- | {' | '.join(['---'] * len(models))} | --- | --- |\n{''.join(rows)}\n"
        "`python -m benchmarks.attribution --full` measures, `python -m benchmarks.table` writes this table.\n"
    )


def explanation_times(measured: str) -> str:
    """Return how long the maps of the usual number of cases take, by method, as Markdown."""
    figures = json.loads(measured)
    models, cases = figures["seconds"], 20
    rows = []
    for name in SHIPPED:
        times = [
            _of_maps(by_method.get(name), 2 * cases / figures["pairs"][model]) for model, by_method in models.items()
        ]
        if any(times):
            rows.append(f"| `{name}` | {' | '.join(one or 'not measured' for one in times)} |\n")
    return (
        f"Maps of {cases} cases, two pictures each, {figures['machine']['cores']} cores, no GPU; computed from the"
        " medians of `python -m benchmarks.attribution --full`.\n\n"
        f"| method | {' | '.join(models)} |\n| --- | {' | '.join(['---'] * len(models))} |\n{''.join(rows)}"
    )


def explained(measured: str) -> str:
    """Return what explained cases add to a run of full-size ALBEF, as Markdown."""
    figures = json.loads(measured)
    whole, kept, work = figures["whole"], figures["kept"], figures["work"]
    images, aim = str(figures["images"]), max(work, key=int)
    idle = kept.pop("0")["seconds"]  # a run whose scores are kept, without maps
    run = idle + (whole["seconds"] - idle) * work[aim] / work[images]
    rows = []
    for count, spent in sorted(kept.items(), key=lambda item: int(item[0])):
        added, views, peak = spent["seconds"] - idle, spent["views"], spent["peak"]
        rows.append(f"| {count} | {views} | {added:.0f} s | {share(added / run)} | {peak:.0f} MB |\n")
    inferred = "" if images == aim else f", counted from one on {images} of {whole['seconds']:.0f} s"
    return (
        f"Full-size ALBEF with random weights, one thread: a run on {aim} photographs a behavior takes {run:,.0f} s"
        f" of the processor{inferred}, and {whole['peak']:.0f} MB. Maps are by `{figures['method']}`.\n\n"
        "| cases | views | time added | of the run | peak memory, with kept scores |\n"
        f"| --- | --- | --- | --- | --- |\n{''.join(rows)}\n"
        "`python -m benchmarks.explained COCO_ROOT` measures, `python -m benchmarks.table` writes this table.\n"
    )


def _of_maps(rounds: list[list[float]] | None, batches: float) -> str:
    """Return how long a number of batches takes; "" if it was not measured."""
    return duration(batches * statistics.median(method for _, method in rounds)) if rounds else ""


def _scenes(errors: dict[str, list[float]]) -> int:
    return max(map(len, errors.values()))


def _times_a_forward(rounds: list[list[float]] | None) -> str:
    return f"{statistics.median(method / forward for forward, method in rounds):.1f}" if rounds else "not measured"


def _missed(errors: list[float] | None) -> str:
    if errors is None:
        return "no sum | "
    figures = statistics.median(errors), statistics.quantiles(errors, n=20)[-1]
    return " | ".join(share(figure, decimals=2) for figure in figures)


def explanations() -> str:
    """The measured trust in attribution methods as Markdown."""
    bench = read_bench(MEASURED)
    lines = [f"{setting(bench)}.", ""]
    for rows in (truth_rows(bench), curve_rows(bench), cause_rows(bench)):
        lines += [*markdown(rows), ""]
    absent = {name: "not measured" for name in METHODS if name not in bench.methods} | dict(bench.inapplicable)
    lines += [f"- {name}: {meaning}" for name, meaning in (*LEGEND.items(), *absent.items())]
    command = f"vlcheck explain bench --images {bench.images} --to {MEASURED.relative_to(HERE.parent)}"
    return "\n".join([*lines, "", f"`{command}` measures, `python -m benchmarks.table` writes these tables."]) + "\n"


def mmshap(measured: str) -> str:
    """Return the time of MM-SHAP against the published algorithm, and the errors of both, as Markdown."""
    figures = json.loads(measured)
    albef, machine = figures["albef"], figures["machine"]
    seconds, by, case = albef["seconds"], albef["by"], albef["a case"]
    permutations, forwards = albef["permutations"]["for the same standard error"], albef["rounds"]["forwards"]
    asked = ", ".join(f"{number} {name}" for name, number in forwards.items())
    rows = {
        f"published algorithm, {permutations:.1f} permutations, {seconds['one forward']:.2f} s a forward": (
            f"{seconds['published']:.0f} s"
        ),
        f"here, {albef['rounds']['drawn']} rounds: {asked}": f"{seconds['ours']:.1f} s",
        "faster": f"{albef['faster']:.1f} times",
        **{f"by {name}": f"{factor:.2f} times" for name, factor in by.items()},
        "time / time of the forwards alone": f"{1 / by['all but forwards']:.2f}",
        f"a case, until the standard error of T-SHAP is {case['standard_error']:.3f}": (
            f"{case['seconds']:.0f} s, {case['rounds']} rounds"
        ),
    }
    players = albef["players"]
    return (
        f"Full-size ALBEF with random weights, {players['texts']} tokens and {players['images']} cells,"
        f" {machine['cores']} cores, no GPU; seconds {machine['seconds']}. The standard error is"
        f" {albef['standard error']:.4f} a value, from {albef['rounds']['repeats']} repeated estimates; the values have"
        f" a size of {albef['size of a value']:.4f}.\n\n| | |\n| --- | --- |\n"
        + "".join(f"| {name} | {value} |\n" for name, value in rows.items())
        + "\nThe factors multiply to *faster*. *All but forwards* is the regression, and the making of inputs.\n\n"
        + _errors_of_mmshap(figures["tiny"])
        + "\n`python -m benchmarks.mmshap` measures, `python -m benchmarks.table` writes these tables.\n"
    )


def _errors_of_mmshap(pairs: list[dict[str, Any]]) -> str:
    """Return the errors of estimates against the exact values of `tiny`, as Markdown."""
    rows = [
        f"| {pair['text']} | {pair['published']['error']:.2f} | {pair['ours']['error']:.2f} |"
        f" {pair['ours']['stated']:.2f} | {pair['published']['bias']:.2f} | {pair['ours']['bias']:.2f} |"
        f" {pair['published']['share']:.3f} | {pair['ours']['share']:.3f} | {pair['a case']['seconds']:.1f} s |\n"
        for pair in pairs
    ]
    return (
        "On `tiny`, against the exact values of all coalitions: ten published permutations (*ten*) and 24 rounds, 20"
        " estimates each. Errors of the values are relative to their length, and so is the bias, the error of the mean"
        " of the 20; without a bias it would be 0.22 of the error. A case is sampled until the standard error of T-SHAP"
        " is at most 0.02.\n\n"
        "| text | error, ten | 24 rounds | stated | bias, ten | 24 rounds | T-SHAP, ten | 24 rounds | a case |\n"
        f"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n{''.join(rows)}"
    )
