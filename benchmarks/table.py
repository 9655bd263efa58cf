"""Write the figures of the documentation from the stored measurements; with --check, say whether they differ."""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import (
    audit_pages,
    calibration_pages,
    cluster_pages,
    cures_page,
    parity_pages,
    sharing_pages,
    types_page,
    verified_pages,
)
from benchmarks.store_page import store_cost
from vlcheck._util.numbers import brief, counted, duration, share
from vlcheck.explain.attribution.registry import METHODS, SHIPPED
from vlcheck.explain.bench.records import read_bench
from vlcheck.explain.bench.table import LEGEND, cause_rows, curve_rows, markdown, setting, truth_rows
from vlcheck.explain.bench.trust import MEASURED
from vlcheck.models.loading.registry import (
    LISTED,
    family_key,
    imported,
    registered_families,
    registered_tasks,
    registered_wrappers,
)
from vlcheck.models.loading.registry import table as family_rows
from vlcheck.plugin.collect import collect
from vlcheck.report.glossary import glossary_table
from vlcheck.studies.power import PowerMatrix, from_json, matrix_rows
from vlcheck.suite.shipped import suite_folder
from vlcheck.zoo import CONTROL, PLANTED

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


def table(measured: str) -> str:
    """The figures as Markdown."""
    figures = json.loads(measured)
    few, many = figures["memory"].items()
    most = figures["most_by_arithmetic"]
    reached = figures["one_by_one_over_run"]
    rows = [
        ("whole run / bare batched forward", f"{figures['run_over_bare']:.2f}", "at most 1.03"),
        ("one by one / whole run", f"{reached:.2f}", f"at least {0.9 * most:.2f}, 90 % of {most:.2f}"),
        ("`import vlcheck.plugin`", f"{figures['import_ms']:.0f} ms", "under 30 ms"),
        (
            f"peak memory, {few[0]} and {many[0]} photographs a behavior",
            f"{few[1]:.0f} MB and {many[1]:.0f} MB ({100 * (many[1] / few[1] - 1):+.1f} %)",
            "within 5 %",
        ),
        *_asked_and_peers(figures),
    ]
    seconds = ", ".join(f"{seconds:.0f}" for seconds in figures["run_seconds"])
    machine = figures["machine"]
    lines = [
        f"Full-size ALBEF with random weights, {figures['images_per_behavior']} photographs a behavior:"
        f" {figures['pictures']} pictures, {figures['texts']} texts ({figures['texts_per_picture']:.1f} a picture),"
        f" {machine['cores']} cores, no GPU; {len(figures['run_seconds'])} runs of {seconds} s;"
        f" one by one: {figures['one_by_one_texts']} of the texts.",
        "",
        "| | measured | aim |",
        "| --- | --- | --- |",
        *(f"| {name} | {measured} | {aim} |" for name, measured, aim in rows),
        "",
        "`python -m benchmarks.suite COCO_ROOT` measures, `python -m benchmarks.table` writes this table.",
    ]
    return "\n".join(lines) + "\n"


def _asked_and_peers(figures: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what was asked of what might have been, and the loops of other evaluation code; none of older figures."""
    if "planned" not in figures:
        return
    asked, planned, verdicts = (figures["pictures"], figures["texts"]), figures["planned"], figures["verdicts"]
    for name, some, most in zip(("pictures", "texts"), asked, planned, strict=True):
        yield (
            f"{name} asked, of those that a model would be that knows each case ({verdicts} verdicts)",
            f"{some:,} of {most:,}: {some / verdicts:.1f} a verdict, of {most / verdicts:.1f}",
            "at most 600" if name == "pictures" else "",
        )
    yield (
        "texts in batches of any length / of similar length, time",
        f"{figures['unsorted_over_sorted']:.2f}",
        "",
    )
    seconds = statistics.median(figures["run_seconds"])
    for name, (pictures, texts, time) in figures["peers"].items():
        yield (
            f"{name}, no reuse across tests / whole run",
            f"{time / seconds:.1f} ({pictures:,} pictures, {texts:,} texts)",
            "",
        )


def power(measured: str) -> str:
    """The zoo's matrix as Markdown."""
    matrix = from_json(measured)
    head, *rows = matrix_rows(matrix)
    cells = [head, ["---"] * len(head), *([f"`{variant}`", *row] for variant, *row in rows)]
    return (
        "\n".join(
            [
                f"{matrix.images} scenes a behavior, {_in_seeds(matrix)}; a cell says how they end, each with the"
                " gravest of its verdicts. *fail 5/5, n = 20*: the bias is caught in every one of 5 seeds, also when 20"
                f" scenes of each were asked about. {_control(matrix)}",
                "",
                *(f"| {' | '.join(row)} |" for row in cells),
                "",
                f"`vlcheck zoo matrix --seeds N --images {matrix.images} --to matrix.json` measures, `python -m"
                " benchmarks.table` writes this.",
            ]
        )
        + "\n"
    )


def _in_seeds(matrix: PowerMatrix) -> str:
    """In how many seeds which variants were asked."""
    by_seeds: dict[int, list[str]] = defaultdict(list)
    for variant in matrix.variants:
        by_seeds[matrix.seeds(variant)].append(f"`{variant}`")
    if len(by_seeds) == 1:
        return f"{next(iter(by_seeds))} seeds"
    return ", ".join(f"{' and '.join(variants)} in {seeds} seeds" for seeds, variants in by_seeds.items())


def _control(matrix: PowerMatrix) -> str:
    """In how many seeds the clean model passes everything."""
    green, seeds = matrix.green(CONTROL), matrix.seeds(CONTROL)
    if green == seeds:
        return f"`{CONTROL}` passes everything, in every one of its {seeds} seeds."
    statuses = {verdict.status for one in matrix.tested if one.variant == CONTROL for verdict in one.seeds}
    return (
        f"`{CONTROL}` passes everything in {green} of {seeds} seeds; in the others some tests are"
        f" {' or '.join(sorted(statuses - {'pass'}))}."
    )


def embedded(measured: str) -> str:
    """The embedded model's times as a sentence."""
    figures = json.loads(measured)
    cold, kept, imports = (
        f"{statistics.median(figures[f'{name}_seconds']):.0f} s" for name in ("cold", "kept", "import")
    )
    return (
        f"`pytest behavior_tests/` on the embedded model, 200 scenes a behavior, {figures['machine']['cores']} cores:"
        f" {cold}, and {kept} with kept scores (`--vl-store`), {imports} of either for imports; medians of"
        f" {len(figures['cold_seconds'])}.{_matrix_minutes(figures)} (`python -m benchmarks.embedded`)\n"
    )


def cases(measured: str) -> str:
    """What a test of a single case costs, as a table."""
    figures = json.loads(measured)

    def row(told: str, kind: str) -> str:
        own, empty = (statistics.median(figures[f"{kind}{end}"]) for end in ("", "_empty"))
        return f"| {told} | {own:.2f} ms | {empty:.2f} ms | {own - empty:.2f} ms |\n"

    return (
        f"Processor time of one more case, from runs of {figures['many']:,} and {figures['few']:,} cases with kept"
        f" scores; medians of {len(figures['alone'])}.\n\n"
        "| | a case | an empty test of pytest | vlcheck's part (aim: under 2 ms) |\n| --- | --- | --- | --- |\n"
        f"{row('one process', 'alone')}{row('`-n ' + str(figures['workers']) + '`', 'spread')}\n"
        "`python -m benchmarks.cases` measures.\n"
    )


def served(measured: str) -> str:
    """The time of questions to a served model, against a bare client, as a sentence."""
    figures = json.loads(measured)
    number = figures["requests"]
    own, other = (1e3 * statistics.median(figures[f"{name}cpu_seconds"]) / number for name in ("", "bare_"))
    low, high = min(figures["load"]), max(figures["load"])
    return (
        f"{number} questions to an endpoint of {1e3 * figures['latency']:.0f} ms, {figures['concurrency']} at a time,"
        f" time / time of a bare concurrent client with the same requests: {figures['over_bare']:.3f} (aim: at most"
        f" 1.02), the median of {len(figures['seconds'])} paired rounds; {own:.1f} ms of the processor a question, and"
        f" {other:.1f} ms of the bare client. {figures['machine']['cores']} cores, which others used as well: a load of"
        f" {low:.1f} to {high:.1f}. (`python -m benchmarks.served`)\n"
    )


def _matrix_minutes(figures: dict[str, Any]) -> str:
    """Return the matrix's time as a sentence; "" if it was left out (`--no-matrix`)."""
    if "matrix_seconds" not in figures:
        return ""
    return f" `vlcheck zoo matrix --jobs {figures['machine']['cores']}`: {figures['matrix_seconds'] / 60:.1f} minutes."


def reuse(measured: str) -> str:
    """What encoding once saves as Markdown, by family."""
    figures = json.loads(measured)
    rows = []
    for family, turns in figures["seconds"].items():
        kept, anew = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
        ratio = statistics.median(kept / anew for kept, anew in turns)
        rows.append(f"| {family} | {kept:.2f} s | {anew:.2f} s | {ratio:.2f} |\n")
    return (
        f"Two photographs with {figures['texts']} texts each, {figures['machine']['cores']} cores, no GPU; medians of"
        f" {len(turns)}.\n\n| family, with random weights | encoded once | encoded for every text | ratio |\n"
        f"| --- | --- | --- | --- |\n{''.join(rows)}\n`python -m benchmarks.reuse COCO_ROOT` measures.\n"
    )


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


def _of_maps(rounds: list[list[float]] | None, batches: float) -> str:
    """Return how long a number of batches takes; "" if it was not measured."""
    return duration(batches * statistics.median(method for _, method in rounds)) if rounds else ""


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


def _scenes(errors: dict[str, list[float]]) -> int:
    return max(map(len, errors.values()))


def _times_a_forward(rounds: list[list[float]] | None) -> str:
    return f"{statistics.median(method / forward for forward, method in rounds):.1f}" if rounds else "not measured"


def _missed(errors: list[float] | None) -> str:
    if errors is None:
        return "no sum | "
    figures = statistics.median(errors), statistics.quantiles(errors, n=20)[-1]
    return " | ".join(share(figure, decimals=2) for figure in figures)


def memory_curve(measured: str) -> str:
    """The peak memory of whole runs, by the number of their cases, as Markdown."""
    peaks = {int(cases): megabytes for cases, megabytes in json.loads(measured)["megabytes"].items()}
    least = peaks[min(peaks)]
    rows = [
        f"| {cases:,} | {peak:.0f} MB | {100 * (peak / least - 1):+.1f} % |\n" for cases, peak in sorted(peaks.items())
    ]
    return (
        "| cases | peak memory of a whole run | beside that of the fewest (aim: at most +15 %) |\n"
        f"| --- | --- | --- |\n{''.join(rows)}\nOne test on pictures of 32 pixels, and a model that costs nothing;"
        " `python -m benchmarks.memory_curve` measures.\n"
    )


def memory(measured: str) -> str:
    """The peak memory of scoring large photographs as Markdown."""
    figures = json.loads(measured)["megabytes"]
    rows = [
        f"| {photographs} | {model} | {loaded:.0f} MB | {run - loaded:+.0f} MB |\n"
        for photographs, by_model in figures.items()
        for model, (loaded, run) in by_model.items()
    ]
    return (
        "| photographs, in one batch | model | peak, loaded alone | and while it is asked |\n"
        f"| --- | --- | --- | --- |\n{''.join(rows)}\n`python -m benchmarks.memory` measures.\n"
    )


def families() -> str:
    """The families of models as Markdown, but for those of the zoo, and without wrappers."""
    tests = Counter(str(test.metric) for test in collect(suite_folder() / "behavior_tests").tests)
    head, *rows = family_rows(
        tests, (imported(entry) for _, entry in sorted((registered_families() | registered_tasks()).items()))
    )
    cells = [head, ["---"] * len(head), *([f"`{name}`", *row] for name, *row in rows if name not in PLANTED)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells) + "\n`vlcheck models` lists them.\n"


def listing() -> str:
    """Return what the shipped families and wrappers state of themselves, as JSON for `vlcheck models`."""
    registered = registered_families() | registered_tasks() | registered_wrappers()
    shipped = [entry for _, entry in sorted(registered.items()) if entry.value.startswith("vlcheck.")]
    found = {family_key(entry): imported(entry) for entry in shipped}
    said = {key: {"known": family.known, "kinds": dict(family.kinds or {})} for key, family in found.items()}
    return json.dumps(said, indent=1) + "\n"


def _kept(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


_COLUMNS = ("pass", "inconclusive", "invalid", "fail")  # there are scenes enough for every test to be asked


def sabotaged(measured: str) -> str:
    """How broken models end, as Markdown."""
    figures = json.loads(measured)
    rows = []
    for model in figures["scenes"]:
        counts = " | ".join(str(model["verdicts"].get(status, 0)) for status in _COLUMNS)
        fails = ", ".join(model["fails"]) or "-"
        rows.append(
            f"| {model['shown']} | {model['exit_status']} | {counts} | {fails} | {'; '.join(model['invalid'])} |\n"
        )
    return (
        f"{figures['images']} scenes a behavior. None is green.\n\n"
        "| a model that | exit status | pass | inconclusive | invalid | fail | fails | invalid because |\n"
        f"| --- | --- | --- | --- | --- | --- | --- | --- |\n{''.join(rows)}\n"
        f"{_on_photographs(figures['photographs'])} `python -m benchmarks.sabotaged COCO_ROOT` measures.\n"
    )


def _on_photographs(models: list[dict[str, Any]]) -> str:
    statuses = " or ".join(sorted({str(model["exit_status"]) for model in models}))
    passes = max(model["verdicts"].get("pass", 0) for model in models)
    return (
        f"On photographs of COCO val2017 the exit status is {statuses}, too, and {passes or 'none'} of"
        f" {sum(models[0]['verdicts'].values())} tests is passed by any."
    )


def scales(measured: str) -> str:
    """What monotone maps of the scores do to verdicts, as Markdown."""
    figures = json.loads(measured)
    rows = []
    for said in figures["zoo"][0]["mapped"]["raw"]:
        raw, calibrated = (_total(figures["zoo"], scale, said) for scale in ("raw", "calibrated"))
        cells = [total[name] for total in (raw, calibrated) for name in ("fail for pass", "pass for fail", "undecided")]
        rows.append(f"| {said} | {raw['verdicts']:,} | {' | '.join(map(str, cells))} |\n")
    added = max(sum(row["added_queries"].values()) for row in figures["zoo"])
    return (
        f"The zoo's {len(figures['zoo']) // figures['seeds']} models, {figures['seeds']} seeds of {figures['images']}"
        " scenes a behavior, against the same models unmapped: how many verdicts end otherwise, with raw scores and on"
        " the operating scale. As *contrastive* models they give the softmax of a text's log-odds and its foils', as"
        " *candidates* that of the words' log-probabilities; there unmapped is a temperature of 1.\n\n"
        "| map | verdicts | raw: fail for pass | pass for fail | undecided or invalid | calibrated: fail for pass |"
        " pass for fail | undecided or invalid |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"{''.join(rows)}\nQueries that only set the scale: {added}. With the scale fitted anew in each simulated test,"
        " against the truth on the scale that very many images would set: where most scores lie close around the"
        " threshold, the error of the scale adds to that of the rate.\n\n"
        "| simulated tests | runs of each | cells | at most wrong | in | bound | cells above it |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"{''.join(_simulated(figures['cells']))}\nThe bound is alpha and three Monte-Carlo standard errors.\n\n"
        "`python -m benchmarks.scales` measures.\n"
    )


def _simulated(cells: list[dict[str, Any]]) -> Iterator[str]:
    """A row for each design of simulated tests: the worst share of wrong verdicts."""
    for scores, looks in dict.fromkeys((cell["scores"], cell["looks"]) for cell in cells):
        some = [cell for cell in cells if (cell["scores"], cell["looks"]) == (scores, looks)]
        worst = max(some, key=lambda cell: cell["wrong"] / cell["runs"])
        outside = sum(cell["wrong"] > cell["bound"] * cell["runs"] for cell in some)
        yield (
            f"| {scores}, looked at {looks} | {worst['runs']:,} | {len(some)} |"
            f" {share(worst['wrong'] / worst['runs'], decimals=2)} |"
            f" n = {worst['n']}, true rate {brief(worst['truth'])}, {worst['expects']} |"
            f" {share(worst['bound'], decimals=2)} | {outside} |\n"
        )


def _total(rows: list[dict[str, Any]], scale: str, said: str) -> Counter[str]:
    """What became of verdicts under a map, over all variants and seeds."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row["mapped"][scale][said])
    total["verdicts"] = total.total()
    total["undecided"] = total["inconclusive"] + total["other"]
    return total


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


# Each block, by the page of docs/ that has it between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "explanation/speed.md": {
        "figures": lambda: table(_kept("results.json")),
        "embedded": lambda: embedded(_kept("embedded.json")),
        "cases": lambda: cases(_kept("cases.json")),
        "served": lambda: served(_kept("served.json")),
        "store": lambda: store_cost(_kept("store.json")),
        "memory": lambda: memory(_kept("memory.json")),
        "memory-curve": lambda: memory_curve(_kept("memory_curve.json")),
        "reuse": lambda: reuse(_kept("reuse.json")),
        "explained": lambda: explained(_kept("explained.json")),
        "weights": lambda: sharing_pages.weights(_kept("weights.json")),
        "shares": lambda: sharing_pages.shares(_kept("shares.json")),
        "prefetch": lambda: sharing_pages.prefetch(_kept("prefetch.json")),
    },
    "explanation/precision.md": {
        "verified-zoo": lambda: verified_pages.zoo(_kept("verified.json")),
        "verified-full": lambda: verified_pages.full(_kept("verified.json")),
    },
    "explanation/proof.md": {
        "matrix": lambda: power(_kept("matrix.json")),
        "sabotaged": lambda: sabotaged(_kept("sabotaged.json")),
        "cured": lambda: cures_page.counts_passage(_kept("cures.json")),
    },
    "explanation/audit-proof.md": {
        "audit-proof": lambda: audit_pages.proof(_kept("audit.json")),
        "audit-pilot": lambda: audit_pages.pilot(_kept("audit.json")),
        "audit-coco": lambda: audit_pages.coco(_kept("audit.json")),
        "audit-speed": lambda: audit_pages.speed(_kept("audit.json")),
    },
    "explanation/parity-proof.md": {
        "parity-errors": lambda: parity_pages.errors(_kept("parity.json")),
        "parity-shares": lambda: parity_pages.shares(_kept("parity.json")),
        "parity-same": lambda: parity_pages.same(_kept("parity.json")),
        "parity-faults": lambda: parity_pages.faults(_kept("parity.json")),
        "parity-released": lambda: parity_pages.released(_kept("parity.json")),
    },
    "explanation/million-images.md": {
        "makespan": lambda: cluster_pages.makespan(_kept("makespan.json")),
        "ray_nodes": lambda: cluster_pages.ray_nodes(_kept("ray_nodes.json")),
    },
    "explanation/cures.md": {"cures": lambda: cures_page.cures_passage(_kept("cures.json"), _kept("matrix.json"))},
    "explanation/known-truth.md": {"explanations": explanations},
    "explanation/calibration.md": {
        "calibration": lambda: calibration_pages.passage(_kept("calibration.json")),
        "scales": lambda: scales(_kept("scales.json")),
    },
    "explanation/mm-shap.md": {"mmshap": lambda: mmshap(_kept("mmshap.json"))},
    "explanation/attribution.md": {"attribution": lambda: attribution(_kept("attribution.json"))},
    "howto/explain.md": {"explanation-times": lambda: explanation_times(_kept("attribution.json"))},
    "reference/families.md": {"families": families},
    "reference/glossary.md": {"terms": glossary_table},
    "reference/generative-types.md": {
        "generative-types": lambda: types_page.types_passage(_kept("generative_types.json"))
    },
}


# Files that hold nothing else.
FILES: dict[Path, Callable[[], str]] = {
    LISTED: listing,
    DOCS / "explanation" / "calibration-cells.md": lambda: calibration_pages.page(_kept("calibration.json")),
    DOCS / "explanation" / "power.svg": lambda: calibration_pages.drawing(_kept("calibration.json")),
}


def filled(page: str, blocks: dict[str, Callable[[], str]]) -> str:
    """Return a page with its blocks as they should be.

    Raises:
        ValueError: if the page does not have a block exactly once.
    """
    for name, write in blocks.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if (page.count(begin), page.count(end)) != (1, 1):
            raise ValueError(f"the page needs {begin.strip()} and {end} once each")
        head, _, rest = page.partition(begin)
        page = head + begin + write() + end + rest.partition(end)[2]
    return page


def main() -> None:
    wanted = {DOCS / page: filled((DOCS / page).read_text("utf-8"), blocks) for page, blocks in BLOCKS.items()}
    wanted |= {path: write() for path, write in FILES.items()}
    stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv:
        sys.exit(f"{', '.join(stale)}: not as benchmarks/*.json has it" if stale else None)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
