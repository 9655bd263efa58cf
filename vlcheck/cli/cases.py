"""The commands `vlcheck cases` and `vlcheck plan`: the cases that data offers, and what a run on them can decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.numbers import counted
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.schedule import schedule_for
from vlcheck.behaviors.suite import BehaviorTest, fitting
from vlcheck.cli.arguments import (
    Data,
    Device,
    DType,
    OwnLexicons,
    OwnPolicy,
    Suite,
    TableColumns,
    TrustRemoteCode,
    chosen_suite,
    is_sequential,
    lexicons_for,
    policy_for,
)
from vlcheck.cli.console import say
from vlcheck.cli.offered import files_to_add, offered, slips
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError
from vlcheck.evaluation.preview import preview
from vlcheck.models.loading.load import load_model
from vlcheck.plugin.collect import collect
from vlcheck.policy.policy import METRICS


def cases(
    data: Data,
    lexicons: OwnLexicons = None,
    columns: TableColumns = "",
    suite: Suite = None,
    to: Annotated[Path | None, typer.Option(help="write all cases to this file, as JSON lines")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="put their images beside that file")] = False,
) -> None:
    """List the cases that the data offers each behavior, and what was left out; or write them to a file."""
    if copy and not to:
        raise UsageError("--copy: name the file beside which the images go with --to, e.g. --to mine/cases.jsonl.")
    collected = collect(chosen_suite(suite))
    source = open_source(data, lexicons=lexicons_for(collected, lexicons), columns=columns or None)
    if not source.cases:
        raise UsageError(f"{data}: offers no case. Left out: {dict(source.left_out)}.")
    source.offer.audit()
    if to:
        say(f"{counted(write_jsonl(to, source.fitting, copy=copy), 'case')} written to {to}")
        return
    for line in offered(source, _behaviors(fitting(collected.tests, source))):
        say(line)


def plan(
    data: Data,
    model: Annotated[
        str, typer.Option("--model", "--vl-model", help="estimate the time for this model, e.g. albef:ALBEF_4M.pth")
    ] = "",
    device: Device = "cpu",
    dtype: DType = "float32",
    policy: OwnPolicy = None,
    lexicons: OwnLexicons = None,
    columns: TableColumns = "",
    suite: Suite = None,
    sequential: Annotated[
        bool, typer.Option("--sequential", "--vl-sequential", help="plan a run with this option")
    ] = False,
    trusted: TrustRemoteCode = False,
) -> None:
    """Say how many cases each test has, what violation rate they would detect, how long a run takes; score nothing."""
    collected = collect(chosen_suite(suite))
    source = open_source(data, lexicons=lexicons_for(collected, lexicons), columns=columns or None)
    held = policy_for(collected, policy)
    adapter = load_model(model, device=device, dtype=dtype, trust_remote_code=trusted) if model else None
    metrics = adapter.metrics if adapter else METRICS
    tests = fitting(collected.tests, source)
    behaviors = _behaviors(test for test in tests if test.metric in metrics)
    say(f"policy: {held.path}")
    schedule = schedule_for(source.seed, sequential=sequential or is_sequential(collected))
    lines = preview(tests, source, held, adapter, schedule)
    for line in (*lines, *files_to_add(source, behaviors), *slips(source.cases, behaviors)):
        say(line)


def _behaviors(tests: Iterable[BehaviorTest]) -> Sequence[Behavior]:
    """Return the distinct behaviors of tests; the tests of one behavior differ in their metrics."""
    return tuple({test.function_name: test.behavior for test in tests}.values())
