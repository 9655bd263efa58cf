"""Passages on speed and memory: a whole run, single cases, what is encoded once, and served models."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from typing import Any


def whole_run(measured: str) -> str:
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


def _matrix_minutes(figures: dict[str, Any]) -> str:
    """Return the matrix's time as a sentence; "" if it was left out (`--no-matrix`)."""
    if "matrix_seconds" not in figures:
        return ""
    return f" `vlcheck zoo matrix --jobs {figures['machine']['cores']}`: {figures['matrix_seconds'] / 60:.1f} minutes."


def cases(measured: str) -> str:
    """Return what a test of a single case costs, as a table."""
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


def reuse(measured: str) -> str:
    """Return what encoding once saves as Markdown, by family."""
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
