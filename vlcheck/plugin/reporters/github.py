"""Output for GitHub Actions: a summary of the step, and an annotation for each behavior that failed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck._util.foreign_files import fault
from vlcheck.plugin import options
from vlcheck.plugin.case_item import name_of
from vlcheck.plugin.reporters.lines import print_own_line, shown
from vlcheck.plugin.reporters.page_link import public_address
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.results.file import Key, ResultLines
    from vlcheck.results.records import EvidenceRecord, VerdictRecord

MOST_ANNOTATIONS = 10  # GitHub shows no more for each step


@dataclass(frozen=True)
class Runner:
    """GitHub's runner, as its environment variables describe it.

    Attributes:
        summary: the file to which a step's summary is appended.
        annotates: True if lines like `::error ::text` become annotations.
        workspace: the folder of the checkout.
    """

    summary: Path | None
    annotates: bool
    workspace: Path | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Runner:
        """Read the variables that GitHub sets."""
        summary, workspace = (environment.get(f"GITHUB_{name}") for name in ("STEP_SUMMARY", "WORKSPACE"))
        return cls(
            Path(summary) if summary else None,
            environment.get("GITHUB_ACTIONS") == "true",
            Path(workspace) if workspace else None,
        )


def report_to_github(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Write summary and annotations, if this is GitHub's runner and behaviors were selected.

    Args:
        terminal: pytest's, which prints the annotations.
        run: the run.
    """
    results = run.ending.results
    if results is None or not results.begun:
        return
    runner = Runner.of(os.environ)
    if runner.summary:
        _append(runner.summary, _summary(results, run), terminal)
    if runner.annotates:
        terminal.ensure_newline()
        failed = {report.nodeid: report for report in terminal.stats.get("failed", ())}
        for line in _annotations(results, failed, run.config, runner.workspace):
            terminal.write_line(line)  # escaped by `command`


def _summary(results: ResultLines, run: Run) -> str:
    from vlcheck.report.markdown import markdown  # not imported in runs of other projects
    from vlcheck.report.text.comparison import conclusion, other_versions  # not imported in runs of other projects

    compared = run.ending.comparison
    also = [run.ending.problem] if run.ending.problem else []
    if compared:
        said = f"Compared with the baseline: {conclusion(compared)}"
        also = [said, *other_versions(compared), *also]
    return markdown.summary(results, also, compared, public_address(run.settings))


def _append(path: Path, text: str, terminal: pytest.TerminalReporter) -> None:
    """Append to the step's summary; if that fails, print why, and go on."""
    why = fault(path) if os.path.lexists(path) else ""  # opening a pipe would block
    try:
        if not why:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
    except OSError as error:
        why = str(error.strerror)
    if why:
        print_own_line(terminal, f"GITHUB_STEP_SUMMARY {path}: cannot be written ({why})", red=True)


def _annotations(
    results: ResultLines, failed: Mapping[str, pytest.TestReport], config: pytest.Config, workspace: Path | None
) -> Iterator[str]:
    """Yield annotations for the gravest verdicts of tests that failed."""
    from vlcheck.results.bias_matrix import gravest_first  # not imported in runs of other projects

    gravest = gravest_first(results.verdicts.values())
    counted = [verdict for verdict in gravest if verdict.test in failed and verdict.status != "pass"]
    for verdict in counted[:MOST_ANNOTATIONS]:
        path, line, _ = failed[verdict.test].location
        yield command(
            "error",
            "\n".join(map(shown, _message(verdict, results, config))),
            title=shown(f"{verdict.bias}: {verdict.behavior} [{verdict.metric}]"),
            file=in_the_checkout(config.rootpath / path, workspace),
            line=str((line or 0) + 1),
        )


def command(name: str, message: str, **properties: str) -> str:
    """Return a command of GitHub's runner, escaped so that no text in it can end it or begin another one.

    Args:
        name: name of the command, e.g. "error".
        message: the text.
        properties: e.g. file and line.
    """
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {said}::{_data(message)}"


def _message(verdict: VerdictRecord, results: ResultLines, config: pytest.Config) -> Iterator[str]:
    """Yield the verdict, and the commands that run the behavior and its worst case again."""
    from vlcheck.report.text.summary import held
    from vlcheck.results.file import key_of  # not imported in runs of other projects

    observed, interval, allowed = held(verdict)
    found = f": observed {observed} ({interval}), allowed {allowed}" if verdict.p is not None else ""
    yield f"{verdict.status}, bias {verdict.bias}{found}. {verdict.reason}"
    yield shlex.join(options.rerun_command(config, verdict.test))
    worst = _worst(results, key_of(verdict)) if verdict.claim == "rate" else None  # a mean needs more than one case
    if worst:
        file, _, _ = verdict.test.rpartition("::")
        case = f"{file}::{name_of(verdict.behavior, verdict.metric, worst.case)}"
        yield f"its worst case alone: {shlex.join([*options.rerun_command(config, case), '--vl-cases'])}"


def _worst(results: ResultLines, key: Key) -> EvidenceRecord | None:
    """Return the row that violates most clearly; None if no row counts."""
    counted = ((row.margin, row) for row in results.each_row(key) if row.margin is not None)
    return min(counted, key=itemgetter(0), default=(0.0, None))[1]


def in_the_checkout(path: Path, workspace: Path | None) -> str:
    """Return a file's path as GitHub expects it, relative to the checkout.

    Args:
        path: the file.
        workspace: folder of the checkout, if known.
    """
    if workspace and path.is_relative_to(workspace):
        path = path.relative_to(workspace)
    return path.as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
